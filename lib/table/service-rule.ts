// The rules of the service table (§4.2): four actions, told apart by `action`.

import { INSTANCE_WEIGHT } from '../limits';
import type { Duration } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import type { PickerName } from './pickers/picker-names';

/** Where the answer to a rule holds: `host` rules serve packets received by broadcast too. */
export type RuleScope = 'host' | 'network';

interface RuleCommon {
  readonly prefix: ServicePrefix;
  /** Only the rules of the highest priority of the longest matching prefix are used. Higher goes first. */
  readonly priority: number;
  /** Share among rules of one prefix and priority, 1 or more. */
  readonly weight: number;
  /** The rule ends when it matched nothing for this long. */
  readonly idleTimeout?: Duration;
  /** The rule ends this long after it was added. */
  readonly hardTimeout?: Duration;
}

/** Send the packet to the next SAL hop. Two rules of one prefix with other addresses form a set. */
export interface ForwardRule extends RuleCommon {
  readonly action: 'forward';
  readonly address: NetworkAddress;
  /** Index of the link to send by, as the stack numbered it. */
  readonly link: number;
  /** Whether `address` is a broadcast or multicast address. */
  readonly broadcast: boolean;
  readonly scope: RuleScope;
  /** Every address of the set gets the packet, not a weighted sample (§4.2). */
  readonly selectAll?: boolean;
  /** Told by the table, never to it: resolution passes the rule over, because its instance does not answer. */
  readonly ejected?: boolean;
  /** How the instance wishes that one of several is chosen, where nobody here has said it. */
  readonly picker?: PickerName | undefined;
}

/** Deliver to a local socket. `socket` is opaque to the table. */
export interface DemuxRule extends RuleCommon {
  readonly action: 'demux';
  readonly protocol: 6 | 17;
  readonly socket: object;
  /** As of a FORWARD rule. */
  readonly picker?: PickerName | undefined;
}

/** Queue the packet and tell the controller (§4.3). */
export interface DelayRule extends RuleCommon {
  readonly action: 'delay';
  /** Default 'host'. What came by broadcast, or to a stack that is no router, does not wait by a 'network' rule. */
  readonly scope?: RuleScope;
}

/** Discard the packet. */
export interface DropRule extends RuleCommon {
  readonly action: 'drop';
  /** Its sender is told: a SYN is answered by RST, a `connect` of our own fails at once. */
  readonly refuses?: boolean;
}

export type ServiceRule = ForwardRule | DemuxRule | DelayRule | DropRule;

/**
 * What tells one rule from another: prefix and action, and the address, or socket and protocol, or the priority: several
 * policies may have what they do not know wait, or be dropped. A key without priority names any of those.
 */
export type RuleKey =
  | Pick<ForwardRule, 'action' | 'prefix' | 'address' | 'link'>
  | Pick<DemuxRule, 'action' | 'prefix' | 'protocol' | 'socket'>
  | (Pick<DelayRule, 'action' | 'prefix'> & Partial<Pick<DelayRule, 'priority'>>)
  | (Pick<DropRule, 'action' | 'prefix'> & Partial<Pick<DropRule, 'priority'>>);

/** Local sockets beat anything forwarded for the same prefix: the original's values. */
export const DEMUX_PRIORITY = 32_000;
export const DEMUX_WEIGHT = INSTANCE_WEIGHT;
/** The default rule of an interface (§4.2). */
export const DEFAULT_RULE_PRIORITY = 1;
export const DEFAULT_RULE_WEIGHT = 1;

/** Throws RangeError for what the table cannot keep: weights are 1 to 2^32 - 1, priorities int32. */
export function checkTerms(priority: number, weight: number): void {
  if ((priority | 0) !== priority) throw new RangeError(`priority must be a 32-bit integer, not ${priority}`);
  if (weight >>> 0 !== weight || weight === 0) {
    throw new RangeError(`weight must be an integer from 1 to ${2 ** 32 - 1}, not ${weight}`);
  }
}
