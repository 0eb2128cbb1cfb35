// Sets that are kept for the next packet: they must be what gathering them anew would give, whatever has changed.

import { describe, expect, it } from 'vitest';
import { RULES_PER_PREFIX_MAXIMUM, TARGET_SETS_KEPT } from '../../lib/limits';
import { KeptTargets } from '../../lib/table/kept-targets';
import { weightedRandom } from '../../lib/table/pickers/weighted-random';
import { type ResolutionQuery, ResolutionReach, ServiceTable } from '../../lib/table/service-table';
import { GatheredTargets } from '../../lib/table/target-selection';
import type { Duration, Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import type { ServicePrefix } from '../../lib/wire/service-id';
import { prefix } from './prefixes';
import { demux, forward } from './rules';

const stream = { protocol: 6, reach: ResolutionReach.any } as const;
const queries: readonly ResolutionQuery[] = ([6, 17] as const).flatMap((protocol) =>
  Object.values(ResolutionReach).map((reach) => ({ protocol, reach })),
);

describe('GatheredTargets', () => {
  it('finds the rule at a point as a walk along the weights does', () => {
    const random = SeededRandom.of(1);
    for (let round = 0; round < 200; round++) {
      const targets = new GatheredTargets();
      const weights = Array.from({ length: 2 + (random.uint32() % 30) }, () => 1 + (random.uint32() % 20));
      for (const [index, weight] of weights.entries()) targets.add(100 + index, weight);
      const owners = weights.flatMap((weight, index) => new Array<number>(weight).fill(index));
      expect(targets.totalWeight).toBe(owners.length);
      expect(owners.map((_, point) => targets.indexAt(point))).toEqual(owners);
      expect(weights.map((_, index) => targets.weight(index))).toEqual(weights);
      expect(targets.indexAt(owners.length - 0.001)).toBe(weights.length - 1);
    }
  });

  it('is exact with as many rules of the largest weight as there may be', () => {
    const targets = new GatheredTargets();
    const weight = 2 ** 32 - 1;
    for (let index = 0; index < RULES_PER_PREFIX_MAXIMUM; index++) targets.add(index + 1, weight);
    expect(targets.totalWeight).toBe(RULES_PER_PREFIX_MAXIMUM * weight);
    expect(targets.indexAt(2000 * weight - 1)).toBe(1999);
    expect(targets.indexAt(2000 * weight)).toBe(2000);
  });
});

describe('KeptTargets', () => {
  it('finds a set for the prefix, protocol and reach it was gathered for, until it is forgotten or put out', () => {
    const kept = new KeptTargets();
    const set = kept.renew(5, stream, weightedRandom);
    set.targets.add(1, 1);
    expect(kept.find(5, stream)).toBe(set);
    expect(kept.find(5, { ...stream, protocol: 17 })).toBeUndefined();
    expect(kept.find(5, { ...stream, reach: ResolutionReach.host })).toBeUndefined();
    expect(kept.find(5 + TARGET_SETS_KEPT, stream)).toBeUndefined();
    kept.forget(6);
    kept.forget(5 + TARGET_SETS_KEPT);
    expect(kept.find(5, stream)).toBe(set);
    kept.renew(5, { ...stream, protocol: 17 }, weightedRandom);
    kept.forget(5);
    expect(kept.find(5, stream)).toBeUndefined();
    expect(kept.find(5, { ...stream, protocol: 17 })).toBeUndefined();
    kept.renew(5, stream, weightedRandom).targets.add(2, 2);
    expect(kept.renew(5 + TARGET_SETS_KEPT, stream, weightedRandom).targets.size).toBe(0);
    expect(kept.find(5, stream)).toBeUndefined();
  });
});

describe('a table whose sets are kept', () => {
  it('chooses among the rules there are, whatever was added, changed, replaced, deleted or timed out', () => {
    const random = SeededRandom.of(9);
    let seen: number[] = [];
    const kept = new ServiceTable({
      name: 'first',
      pick: (targets) => {
        seen = Array.from({ length: targets.size }, (_, index) => targets.weight(index)).sort((a, b) => a - b);
        return 0;
      },
    });
    const services = [prefix('aa', 8), prefix('aa11', 16), prefix('bb', 8)];
    const oneOf = <T>(list: readonly T[]): T => list[random.uint32() % list.length]!;
    let chosen = 0;
    for (let step = 0; step < 4000; step++) {
      const now = step as Instant;
      change(kept, oneOf(services), random, now);
      kept.expire(now);
      const service = oneOf(services);
      const query = oneOf(queries);
      for (let round = 0; round < 2; round++) {
        seen = [];
        kept.resolve(service.base, query, random);
        const weights = usableWeights(kept, service, query);
        if (weights.length < 2) continue;
        chosen++;
        expect(seen).toEqual(weights);
      }
    }
    expect(chosen).toBeGreaterThan(2000);
  });
});

function change(table: ServiceTable, service: ServicePrefix, random: SeededRandom, now: Instant): void {
  const terms = { priority: random.uint32() % 2, weight: 1 + (random.uint32() % 50) };
  const rule = forward(service, `10.0.0.${random.uint32() % 6}`, {
    ...terms,
    broadcast: random.uint32() % 4 === 0,
    scope: random.uint32() % 2 === 0 ? 'host' : 'network',
    ...(random.uint32() % 4 === 0 ? { hardTimeout: 7 as Duration } : {}),
  });
  const socket = { name: 'here' };
  const action = random.uint32() % 8;
  if (action < 3) table.addRule(rule, now);
  else if (action === 3) table.modifyRule(rule, terms);
  else if (action === 4) table.deleteRule(rule);
  else if (action === 5) table.addRule(demux(service, socket, { ...terms, protocol: oneProtocol(random) }), now);
  else if (action === 6) for (const each of table.rulesOf(service)) if (each.action === 'demux') table.deleteRule(each);
}

function oneProtocol(random: SeededRandom): 6 | 17 {
  return random.uint32() % 2 === 0 ? 6 : 17;
}

/** Of the longest prefix with usable rules those of the highest priority, by the rules as they are listed. */
function usableWeights(table: ServiceTable, service: ServicePrefix, query: ResolutionQuery): number[] {
  const usable = [...table.rules()].filter((rule) => {
    if (!rule.prefix.contains(service.base)) return false;
    if (rule.action === 'demux') return rule.protocol === query.protocol;
    if (rule.action !== 'forward' || query.reach === 'any') return true;
    if (query.reach === 'unicast') return !rule.broadcast;
    return query.reach === 'host' && rule.scope === 'host' && !rule.broadcast;
  });
  const bits = Math.max(...usable.map((rule) => rule.prefix.bits));
  const longest = usable.filter((rule) => rule.prefix.bits === bits);
  const priority = Math.max(...longest.map((rule) => rule.priority));
  return longest.flatMap((rule) => (rule.priority === priority ? [rule.weight] : [])).sort((a, b) => a - b);
}
