// Which rule a first packet meets, and what that means for it (§4.2). It decides and counts; the caller delivers,
// forwards, delays or drops.

import type { Choice } from '../table/choice';
import type { ResolvedForward, ResolvedRule } from '../table/resolved-rule';
import { type ResolutionQuery, ResolutionReach, type ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { ServiceID } from '../wire/service-id';

/** The rule that a packet meets, read before the table changes; undefined without any, not even a default one. */
export type Verdict = ResolvedRule | undefined;

/** Resolves a packet of `bytes` that names `service`: a SYN or an unconnected datagram. */
export function resolve(
  table: ServiceTable,
  service: ServiceID,
  query: ResolutionQuery,
  bytes: number,
  now: Instant,
  random: RandomSource,
  choice?: Choice,
): Verdict {
  const rule = table.resolve(service, query, random, choice);
  if (rule === undefined) return undefined;
  if (rule.action === 'drop') table.recordDrop(rule, bytes, now);
  else if (rule.action !== 'forward' || !goesToAll(rule, query.reach)) table.recordMatch(rule, bytes, now);
  else for (const each of table.selectedSet(rule, query.reach)) table.recordMatch(each, bytes, now);
  return rule;
}

/**
 * Whether the packet goes to every address of the rule's set, `ServiceTable.selectedSet`. A stranger's packet goes to
 * one of them: each would answer to wherever it says it came from (S4).
 */
export function goesToAll(rule: ResolvedForward, reach: ResolutionReach): boolean {
  return rule.selectAll && reach === ResolutionReach.any;
}

/** How a packet of this protocol is resolved that may go so far: the same object each time. */
export function queryFor(protocol: 6 | 17, reach: ResolutionReach): ResolutionQuery {
  return (protocol === 6 ? STREAM_QUERIES : DATAGRAM_QUERIES)[reach];
}

function queriesOf(protocol: 6 | 17): Readonly<Record<ResolutionReach, ResolutionQuery>> {
  const { any, unicast, host, process } = ResolutionReach;
  return {
    any: { protocol, reach: any },
    unicast: { protocol, reach: unicast },
    host: { protocol, reach: host },
    process: { protocol, reach: process },
  };
}

const STREAM_QUERIES = queriesOf(6);
const DATAGRAM_QUERIES = queriesOf(17);
