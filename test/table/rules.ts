// Rules for the tests of the service table, with what a test does not care about filled in.

import type { DelayRule, DemuxRule, DropRule, ForwardRule } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { NetworkAddress } from '../../lib/wire/network-address';
import type { ServicePrefix } from '../../lib/wire/service-id';

export const at = (milliseconds: number): Instant => milliseconds as Instant;

export function forward(prefix: ServicePrefix, ip: string, other: Partial<ForwardRule> = {}): ForwardRule {
  const address = NetworkAddress.parse(ip, 54325)!;
  const terms = { priority: 1, weight: 1, link: 0, broadcast: false, scope: 'network' } as const;
  return { action: 'forward', prefix, address, ...terms, ...other };
}

export function demux(prefix: ServicePrefix, socket: object, other: Partial<DemuxRule> = {}): DemuxRule {
  return { action: 'demux', prefix, protocol: 6, socket, priority: 1, weight: 1, ...other };
}

export function delay(prefix: ServicePrefix, other: Partial<DelayRule> = {}): DelayRule {
  return { action: 'delay', prefix, priority: 1, weight: 1, ...other };
}

export function drop(prefix: ServicePrefix, other: Partial<DropRule> = {}): DropRule {
  return { action: 'drop', prefix, priority: 1, weight: 1, ...other };
}
