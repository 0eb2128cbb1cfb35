// Rules as they are shown (docs/control.md). An address or a prefix becomes its text in JSON.

import type { TransportProtocol } from '../stack/control-interface';
import type { PickerName } from '../table/pickers/picker-names';
import type { DemuxRule, ForwardRule, RuleKey, ServiceRule } from '../table/service-rule';
import type { RuleStatistics } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import { nameOf } from './service-names';

export interface KeyDescription {
  readonly prefix: ServicePrefix;
  readonly name: string | null;
  readonly action: ServiceRule['action'];
  readonly address?: NetworkAddress;
  readonly link?: number;
  readonly protocol?: ProtocolName;
}

export interface RuleDescription extends KeyDescription {
  readonly priority: number;
  readonly weight: number;
  readonly broadcast?: boolean;
  readonly scope?: string;
  readonly selectAll?: boolean;
  readonly ejected?: boolean;
  /** How the instance wishes that one of several is chosen. */
  readonly picker?: PickerName;
  readonly refuses?: boolean;
  /** Milliseconds. */
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
  readonly statistics?: StatisticsDescription;
}

export interface StatisticsDescription {
  readonly packetsResolved: number;
  readonly bytesResolved: number;
  readonly packetsDropped: number;
  readonly bytesDropped: number;
  /** Milliseconds since the latest match; null when nothing has matched yet. */
  readonly idle: number | null;
}

export type ProtocolName = 'stream' | 'datagram';

export function protocolName(protocol: TransportProtocol): ProtocolName {
  return protocol === 6 ? 'stream' : 'datagram';
}

export function describeKey(key: RuleKey): KeyDescription {
  const { prefix, action } = key;
  const common = { prefix, name: nameOf(prefix), action };
  if (key.action === 'forward') return { ...common, address: key.address, link: key.link };
  return key.action === 'demux' ? { ...common, protocol: protocolName(key.protocol) } : common;
}

export function describeRule(rule: ServiceRule): RuleDescription {
  const { priority, weight, idleTimeout, hardTimeout } = rule;
  return {
    ...describeKey(rule),
    priority,
    weight,
    ...ownFields(rule),
    ...(idleTimeout === undefined ? undefined : { idleTimeout }),
    ...(hardTimeout === undefined ? undefined : { hardTimeout }),
  };
}

function ownFields(rule: ServiceRule): Partial<RuleDescription> {
  switch (rule.action) {
    case 'forward': {
      const { broadcast, scope, selectAll = false, ejected = false } = rule;
      return { broadcast, scope, selectAll, ejected, ...wishOf(rule) };
    }
    case 'delay':
      return { scope: rule.scope ?? 'host' };
    case 'drop':
      return { refuses: rule.refuses ?? false };
    case 'demux':
      return wishOf(rule);
  }
}

function wishOf({ picker }: DemuxRule | ForwardRule): { readonly picker?: PickerName } {
  return picker === undefined ? {} : { picker };
}

export function describeStatistics({ lastMatch, ...counts }: RuleStatistics, now: Instant): StatisticsDescription {
  return { ...counts, idle: lastMatch === undefined ? null : Math.max(0, Math.round(now - lastMatch)) };
}
