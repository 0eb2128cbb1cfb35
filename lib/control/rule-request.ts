// What a request says of a rule: a new rule, or which of those there are.

import type { Stack } from '../stack/stack';
import {
  DEFAULT_RULE_WEIGHT,
  type DelayRule,
  type DropRule,
  type ForwardRule,
  type ServiceRule,
} from '../table/service-rule';
import { milliseconds } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import { ControlError, ControlErrorCode } from './control-error';
import { type RequestFields, wrong } from './request-fields';

/** Rules that a person makes: between those of the host's sockets and those it has by default. */
export const CONTROL_RULE_PRIORITY = 1000;

export type AddableRule = ForwardRule | DelayRule | DropRule;

const ADDABLE = ['forward', 'delay', 'drop'] as const;
const SCOPES = ['network', 'host'] as const;

/** Throws CONTROL_FIELD. `port`: of addresses that name none, on links that have ports. */
export function ruleToAdd(fields: RequestFields, stack: Stack, port: number): AddableRule {
  const prefix = fields.required('prefix', fields.prefix('prefix'));
  const action = fields.required('action', fields.oneOf('action', ADDABLE));
  const terms = { prefix, ...termsOf(fields), ...timeoutsOf(fields) };
  const rule = ((): AddableRule => {
    switch (action) {
      case 'forward':
        return {
          action,
          ...terms,
          ...targetOf(fields, stack, port),
          scope: fields.oneOf('scope', SCOPES) ?? 'network',
        };
      case 'delay':
        return { action, ...terms, scope: fields.oneOf('scope', SCOPES) ?? 'host' };
      case 'drop':
        return { action, ...terms, refuses: fields.boolean('refuses') ?? false };
    }
  })();
  fields.checkNoOthers();
  return rule;
}

function termsOf(fields: RequestFields): Pick<ServiceRule, 'priority' | 'weight'> {
  return {
    priority: priorityOf(fields) ?? CONTROL_RULE_PRIORITY,
    weight: weightOf(fields) ?? DEFAULT_RULE_WEIGHT,
  };
}

export function priorityOf(fields: RequestFields): number | undefined {
  return fields.integer('priority', -(2 ** 31), 2 ** 31 - 1);
}

export function weightOf(fields: RequestFields): number | undefined {
  return fields.integer('weight', 1, 2 ** 32 - 1);
}

function timeoutsOf(fields: RequestFields): Pick<ServiceRule, 'idleTimeout' | 'hardTimeout'> {
  const idle = fields.integer('idleTimeout', 1, TIMEOUT_MAXIMUM);
  const hard = fields.integer('hardTimeout', 1, TIMEOUT_MAXIMUM);
  return {
    ...(idle === undefined ? undefined : { idleTimeout: milliseconds(idle) }),
    ...(hard === undefined ? undefined : { hardTimeout: milliseconds(hard) }),
  };
}

function targetOf(fields: RequestFields, stack: Stack, port: number) {
  const link = fields.integer('link', 0, stack.outputs().length - 1) ?? stack.sal.links.usual.index;
  const { encapsulated } = stack.outputs()[link]!.properties;
  const address = fields.required('address', fields.address('address', encapsulated ? port : 0));
  if (!encapsulated && address.port !== 0) throw wrong(`address must have no port on link ${link}, which has none`);
  if (address.isUnspecified) throw wrong('address must be the address of a host');
  const broadcast = fields.boolean('broadcast') ?? address.isMulticast;
  const selectAll = fields.boolean('selectAll') ?? false;
  return { address, link, broadcast, selectAll };
}

/** Which rules are meant: those of exactly this prefix, and of all that is said besides. */
export interface RuleSelection {
  readonly prefix: ServicePrefix;
  readonly action: ServiceRule['action'] | undefined;
  readonly address: NetworkAddress | undefined;
  readonly link: number | undefined;
}

export function selectionOf(fields: RequestFields, stack: Stack, port: number): RuleSelection {
  return {
    prefix: fields.required('prefix', fields.prefix('prefix')),
    action: fields.oneOf('action', [...ADDABLE, 'demux']),
    address: fields.address('address', stack.sal.links.usual.properties.encapsulated ? port : 0),
    link: fields.integer('link', 0, stack.outputs().length - 1),
  };
}

/** The one rule that is meant. Throws CONTROL_NO_RULE, CONTROL_SEVERAL_RULES, CONTROL_SOCKET_RULE. */
export function selectRule(selection: RuleSelection, stack: Stack): AddableRule {
  const { prefix, action, address, link } = selection;
  const rules = stack.sal.serviceTable.rulesOf(prefix).filter((rule) => {
    if (action !== undefined && rule.action !== action) return false;
    if (address === undefined && link === undefined) return true;
    if (rule.action !== 'forward') return false;
    return (address === undefined || rule.address.equals(address)) && (link === undefined || rule.link === link);
  });
  const [first, second] = rules;
  if (first === undefined) throw new ControlError(ControlErrorCode.noRule, `there is no such rule of ${prefix}`);
  if (second !== undefined) {
    const message = `${rules.length} rules of ${prefix} are so: say action, address and link`;
    throw new ControlError(ControlErrorCode.severalRules, message);
  }
  if (first.action !== 'demux') return first;
  throw new ControlError(ControlErrorCode.socketRule, 'the rule belongs to a socket: close or drain that instead');
}

/** Some 24 days, milliseconds. */
const TIMEOUT_MAXIMUM = 2 ** 31 - 1;
