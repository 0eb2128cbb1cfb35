// Which rule a first packet meets, and what that means for it (§4.2). It decides only; the caller delivers,
// forwards, delays or drops.

import type { ForwardRule } from '../table/service-rule';
import { ResolutionReach, type ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { ServiceID } from '../wire/service-id';

export type Verdict =
  | { readonly kind: 'deliver'; readonly socket: object }
  | { readonly kind: 'forward'; readonly rules: readonly ForwardRule[] }
  | { readonly kind: 'delay' }
  | { readonly kind: 'drop' }
  /** No rule, not even a default one. */
  | { readonly kind: 'unmatched' };

/** A packet that names a service: a SYN or an unconnected datagram. */
export interface FirstPacket {
  readonly service: ServiceID;
  readonly protocol: 6 | 17;
  readonly bytes: number;
  /** How far the packet may go on from here. */
  readonly reach: ResolutionReach;
}

export function resolve(table: ServiceTable, packet: FirstPacket, now: Instant, random: RandomSource): Verdict {
  const rule = table.resolve(packet.service, { protocol: packet.protocol, reach: packet.reach }, now, random);
  if (rule === undefined) return UNMATCHED;
  switch (rule.action) {
    case 'demux':
      table.recordMatch(rule, packet.bytes, now);
      return { kind: 'deliver', socket: rule.socket };
    case 'forward':
      return { kind: 'forward', rules: forwardSet(table, rule, packet, now) };
    case 'delay':
      table.recordMatch(rule, packet.bytes, now);
      return DELAY;
    case 'drop':
      table.recordDrop(rule, packet.bytes, now);
      return DROP;
  }
}

const UNMATCHED: Verdict = { kind: 'unmatched' };
const DELAY: Verdict = { kind: 'delay' };
const DROP: Verdict = { kind: 'drop' };

function forwardSet(table: ServiceTable, rule: ForwardRule, packet: FirstPacket, now: Instant): readonly ForwardRule[] {
  // A stranger's packet goes to one of the set: each target would answer to wherever it says it came from (S4).
  const all = rule.selectAll === true && packet.reach === ResolutionReach.any;
  const rules = all ? table.selectedSet(rule, packet.reach) : [rule];
  for (const each of rules) table.recordMatch(each, packet.bytes, now);
  return rules;
}
