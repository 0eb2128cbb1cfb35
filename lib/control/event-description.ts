// Events as they are shown: one flat object, whose `event` is a verb in the past tense.

import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import type { RuleKey } from '../table/service-rule';
import type { ServicePrefix } from '../wire/service-id';
import type { HostEvent } from './host-events';
import { describeKey, describeRule, protocolName } from './rule-description';
import { nameOf, nameOfService } from './service-names';

export type Description = Readonly<Record<string, unknown>>;

export function describeEvent(event: HostEvent): Description {
  switch (event.kind) {
    case 'role':
      return { event: 'roleChanged', role: event.role };
    case 'service':
      return describeServiceEvent(event.event);
    case 'command':
      return describeCommand(event.command);
  }
}

function describeServiceEvent(event: ServiceEvent): Description {
  switch (event.kind) {
    case 'registered':
    case 'unregistered': {
      const { kind, protocol, prefix, ...rest } = event;
      return { event: kind, prefix, name: nameOf(prefix), protocol: protocolName(protocol), ...rest };
    }
    case 'delayed':
    case 'abandoned':
      return { event: event.kind, serviceID: event.serviceID, name: nameOfService(event.serviceID) };
    case 'ruleExpired':
      return { event: 'ruleExpired', rule: describeRule(event.rule) };
    case 'interfaceUp':
    case 'interfaceDown':
      return { event: event.kind, interface: event.networkInterface };
    case 'migrationEnded':
      return { event: event.kind, flowID: event.flowID, outcome: event.outcome, address: event.address };
    case 'pathSilent':
      return { event: event.kind, flowID: event.flowID, address: event.address };
    case 'ruleEjected':
    case 'ruleReadmitted':
      return ofRule(event.kind, event.rule);
    default: {
      const { kind, ...rest } = event;
      return { event: kind, name: nameOfService(event.serviceID), ...rest };
    }
  }
}

function describeCommand(command: ServiceCommand): Description {
  switch (command.kind) {
    case 'addRule':
      return { event: 'ruleAdded', rule: describeRule(command.rule) };
    case 'deleteRule':
      return ofRule('ruleDeleted', command.rule);
    case 'modifyRule': {
      const { kind, rule, ...change } = command;
      return { ...ofRule('ruleModified', rule), ...change };
    }
    case 'ejectRule':
      return ofRule('ejectionAsked', command.rule);
    case 'readmitRule':
      return ofRule('readmissionAsked', command.rule);
    case 'setPicker':
      return { ...ofPrefix('pickerSet', command.prefix), picker: command.picker ?? null };
    case 'releaseDelayed':
      return ofPrefix('delayedReleased', command.prefix);
    case 'discardDelayed':
      return ofPrefix('delayedDiscarded', command.prefix);
    default: {
      const { kind, ...rest } = command;
      return { event: ASKED[kind], ...rest };
    }
  }
}

function ofPrefix(event: string, prefix: ServicePrefix): Description {
  return { event, prefix, name: nameOf(prefix) };
}

function ofRule(event: string, key: RuleKey): Description {
  return { event, rule: describeKey(key) };
}

const ASKED = { probe: 'probeSent', setRouter: 'routerSet', peerGone: 'peerGone', migrate: 'migrationAsked' } as const;
