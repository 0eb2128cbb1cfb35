// Events as they are shown: one flat object, whose `event` is a verb in the past tense.

import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import type { RuleKey } from '../table/service-rule';
import type { ServicePrefix } from '../wire/service-id';
import type { HostEvent } from './host-events';
import { describeKey, describeRule, protocolName } from './rule-description';
import type { ServiceNames } from './service-names';

export type Description = Readonly<Record<string, unknown>>;

export function describeEvent(event: HostEvent, names: ServiceNames): Description {
  switch (event.kind) {
    case 'role':
      return { event: 'roleChanged', role: event.role };
    case 'service':
      return describeServiceEvent(event.event, names);
    case 'command':
      return describeCommand(event.command, names);
  }
}

function describeServiceEvent(event: ServiceEvent, names: ServiceNames): Description {
  switch (event.kind) {
    case 'registered':
    case 'unregistered': {
      const { kind, protocol, prefix, ...rest } = event;
      return { event: kind, prefix, name: names.of(prefix), protocol: protocolName(protocol), ...rest };
    }
    case 'delayed':
    case 'abandoned':
      return { event: event.kind, serviceID: event.serviceID, name: names.ofService(event.serviceID) };
    case 'ruleExpired':
      return { event: 'ruleExpired', rule: describeRule(event.rule, names) };
    case 'interfaceUp':
    case 'interfaceDown':
      return { event: event.kind, interface: event.networkInterface };
    case 'pathSilent':
      return { event: event.kind, flowID: event.flowID, address: event.address };
    case 'ruleEjected':
    case 'ruleReadmitted':
      return ofRule(event.kind, event.rule, names);
    default: {
      const { kind, ...rest } = event;
      return { event: kind, name: names.ofService(event.serviceID), ...rest };
    }
  }
}

function describeCommand(command: ServiceCommand, names: ServiceNames): Description {
  switch (command.kind) {
    case 'addRule':
      return { event: 'ruleAdded', rule: describeRule(command.rule, names) };
    case 'deleteRule':
      return ofRule('ruleDeleted', command.rule, names);
    case 'modifyRule': {
      const { kind, rule, ...change } = command;
      return { ...ofRule('ruleModified', rule, names), ...change };
    }
    case 'ejectRule':
      return ofRule('ejectionAsked', command.rule, names);
    case 'readmitRule':
      return ofRule('readmissionAsked', command.rule, names);
    case 'setPicker':
      return { ...ofPrefix('pickerSet', command.prefix, names), picker: command.picker ?? null };
    case 'releaseDelayed':
      return ofPrefix('delayedReleased', command.prefix, names);
    case 'discardDelayed':
      return ofPrefix('delayedDiscarded', command.prefix, names);
    default: {
      const { kind, ...rest } = command;
      return { event: ASKED[kind], ...rest };
    }
  }
}

function ofPrefix(event: string, prefix: ServicePrefix, names: ServiceNames): Description {
  return { event, prefix, name: names.of(prefix) };
}

function ofRule(event: string, key: RuleKey, names: ServiceNames): Description {
  return { event, rule: describeKey(key, names) };
}

const ASKED = { probe: 'probeSent', peerGone: 'peerGone', migrate: 'migrationAsked' } as const;
