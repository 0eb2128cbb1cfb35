import { describe, expect, it } from 'vitest';
import { RULES_PER_PREFIX_MAXIMUM } from '../../lib/limits';
import type { ServiceRule } from '../../lib/table/service-rule';
import { type ResolutionQuery, ResolutionReach, ServiceTable } from '../../lib/table/service-table';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { id, prefix, randomBits, randomID, relativeOf } from './prefixes';
import { at, delay, demux, drop, forward } from './rules';

const stream: ResolutionQuery = { protocol: 6, reach: ResolutionReach.any };
const datagram: ResolutionQuery = { protocol: 17, reach: ResolutionReach.any };
const acme = prefix('ac3e', 64);
const web = prefix('ac3e', 256);
const target = id('ac3e');

function tableOf(...rules: ServiceRule[]): ServiceTable {
  const table = new ServiceTable();
  for (const rule of rules) expect(table.addRule(rule, at(0))).toBe('added');
  return table;
}

/** Says in a word what a packet meets: the socket's name, the address, the action or 'nothing'. */
function resolve(table: ServiceTable, to: ServiceID = target, query = stream, random = SeededRandom.of(1)): string {
  const rule = table.resolve(to, query, random);
  if (rule === undefined) return 'nothing';
  if (rule.action === 'demux') return (rule.socket as { name: string }).name;
  return rule.action === 'forward' ? rule.address.ip : rule.action;
}

describe('resolution (§4.2)', () => {
  it('finds nothing in an empty table', () => {
    expect(resolve(new ServiceTable())).toBe('nothing');
  });

  it('uses the longest matching prefix, and the default rule for the rest', () => {
    const table = tableOf(
      forward(ServicePrefix.any, '10.0.0.255'),
      forward(acme, '10.0.0.1'),
      demux(web, { name: 'web' }),
    );
    expect(resolve(table)).toBe('web');
    expect(resolve(table, id('ac3e0000000000000001'))).toBe('10.0.0.1');
    expect(resolve(table, id('beef'))).toBe('10.0.0.255');
  });

  it('gives each action as its rule', () => {
    const socket = { name: 'web' };
    const rules = [
      forward(acme, 'fe80::1', { link: 3, broadcast: true, scope: 'host' }),
      demux(acme, socket),
      delay(acme),
      drop(acme),
    ];
    for (const rule of rules) {
      const resolved = tableOf(rule).resolve(target, stream, SeededRandom.of(1));
      expect(resolved).toMatchObject({ ...rule, prefix: expect.anything() });
      expect(resolved?.prefix.equals(acme)).toBe(true);
    }
  });

  it('uses the highest priority of a prefix alone', () => {
    const table = tableOf(
      forward(acme, '10.0.0.1', { priority: -5, weight: 1000 }),
      forward(acme, '10.0.0.2', { priority: 2 }),
    );
    table.addRule(forward(acme, '10.0.0.3', { priority: 1, weight: 1000 }), at(0));
    for (let seed = 0; seed < 50; seed++)
      expect(resolve(table, target, stream, SeededRandom.of(seed))).toBe('10.0.0.2');
  });

  it('goes on to the next shorter prefix when no rule serves the protocol', () => {
    const table = tableOf(demux(web, { name: 'stream' }), forward(acme, '10.0.0.1'));
    expect(resolve(table, target, stream)).toBe('stream');
    expect(resolve(table, target, datagram)).toBe('10.0.0.1');
    table.addRule(demux(web, { name: 'datagram' }, { protocol: 17 }), at(0));
    expect(resolve(table, target, datagram)).toBe('datagram');
  });

  it('goes on to a lower priority of the same prefix when the higher serves another protocol', () => {
    const table = tableOf(demux(web, { name: 'stream' }, { priority: 32_000 }), forward(web, '10.0.0.1'));
    expect(resolve(table, target, datagram)).toBe('10.0.0.1');
  });

  it('forwards as far as the query allows: broadcasts do not travel on', () => {
    const table = tableOf(
      forward(ServicePrefix.any, '10.0.0.255', { broadcast: true }),
      forward(prefix('ac', 8), '10.0.0.1'),
      forward(prefix('ac3e', 16), '127.0.0.1', { scope: 'host' }),
      forward(prefix('ac3e', 24), '127.255.255.255', { scope: 'host', broadcast: true }),
    );
    const at64 = (reach: ResolutionReach): string => resolve(table, target, { protocol: 6, reach });
    expect(at64('any')).toBe('127.255.255.255');
    expect(at64('unicast')).toBe('127.0.0.1');
    expect(at64('host')).toBe('127.0.0.1');
    expect(at64('process')).toBe('nothing');
    expect(resolve(table, id('ac'), { protocol: 6, reach: 'host' })).toBe('nothing');
    expect(resolve(table, id('ac'), { protocol: 6, reach: 'unicast' })).toBe('10.0.0.1');
    expect(resolve(table, id('00'), { protocol: 6, reach: 'unicast' })).toBe('nothing');
    // What is not FORWARD serves packets from anywhere.
    table.addRule(delay(web), at(0));
    expect(at64('process')).toBe('delay');
    // What cannot be forwarded afterwards need not wait.
    table.addRule(delay(web, { scope: 'network' }), at(0));
    expect([at64('any'), at64('unicast')]).toEqual(['delay', 'delay']);
    expect([at64('host'), at64('process')]).toEqual(['127.0.0.1', 'nothing']);
  });

  it('agrees with a linear scan over random rules that come and go', () => {
    const random = SeededRandom.of(8);
    const table = new ServiceTable();
    const bases = Array.from({ length: 15 }, () => randomID(random));
    const stored: ServiceRule[] = [];
    const sockets = [{ name: 'a' }, { name: 'b' }];
    for (let step = 0; step < 2000; step++) {
      if (random.uint32() % 2 === 0 || stored.length === 0) {
        const rule = randomRule(random, ServicePrefix.of(bases[random.uint32() % 15]!, randomBits(random)), sockets);
        const known = stored.findIndex((each) => isSameKey(each, rule));
        const expected = known < 0 ? 'added' : rule.action === 'demux' ? 'exists' : 'replaced';
        expect(table.addRule(rule, at(step))).toBe(expected);
        if (expected === 'replaced') stored.splice(known, 1);
        if (expected !== 'exists') stored.push(rule);
      } else {
        const [rule] = stored.splice(random.uint32() % stored.length, 1);
        expect(table.deleteRule(rule!)).toBe(true);
        expect(table.deleteRule(rule!)).toBe(false);
      }
      expect(table.size).toBe(stored.length);
      const to = relativeOf(bases[random.uint32() % 15]!, random);
      const reach = (['any', 'unicast', 'host', 'process'] as const)[random.uint32() % 4]!;
      const query = { protocol: random.uint32() % 2 === 0 ? 6 : 17, reach } as const;
      const best = scan(stored, to, query);
      const picked = table.resolve(to, query, random);
      expect(picked === undefined).toBe(best.length === 0);
      if (picked !== undefined) expect(best.some((rule) => isSameKey(rule, picked))).toBe(true);
    }
    expect([...table.rules()].map(describeRule).sort()).toEqual(stored.map(describeRule).sort());
  });
});

describe('weighted sampling (§4.2)', () => {
  // Chi-squared at the 0.1 % significance level; the seeds are fixed, so the outcome is too.
  const draws = 20_000;
  const critical: Record<number, number> = { 1: 10.83, 3: 16.27, 9: 27.88 };

  function chiSquared(counts: ReadonlyMap<string, number>, weights: ReadonlyMap<string, number>): number {
    const sum = [...weights.values()].reduce((total, weight) => total + weight, 0);
    let result = 0;
    for (const [name, weight] of weights)
      result += ((counts.get(name) ?? 0) - (draws * weight) / sum) ** 2 / ((draws * weight) / sum);
    return result;
  }

  function sample(table: ServiceTable, query = stream): Map<string, number> {
    const random = SeededRandom.of(2012);
    const counts = new Map<string, number>();
    for (let draw = 0; draw < draws; draw++) {
      const name = resolve(table, target, query, random);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  it.each([
    ['two equal ones', [1, 1]],
    ['very unequal ones', [1, 1000, 10, 100]],
    ['ten', [5, 1, 9, 2, 6, 5, 3, 5, 8, 9]],
    ['the largest there are', [2 ** 32 - 1, 2 ** 31, 2 ** 30, 1e9]],
  ])('picks by weight among %s', (_, weights) => {
    const rules = weights.map((weight, index) => forward(acme, `10.0.0.${index}`, { weight }));
    const expected = new Map(rules.map((rule) => [rule.address.ip, rule.weight]));
    expect(chiSquared(sample(tableOf(...rules)), expected)).toBeLessThan(critical[weights.length - 1]!);
  });

  it('mixes local sockets and next hops in one set', () => {
    const table = tableOf(demux(web, { name: 'here' }, { weight: 3 }), forward(web, '10.0.0.1', { weight: 1 }));
    expect(
      chiSquared(
        sample(table),
        new Map([
          ['here', 3],
          ['10.0.0.1', 1],
        ]),
      ),
    ).toBeLessThan(critical[1]!);
    // The socket takes no datagrams: the next hop gets them all.
    expect(sample(table, datagram)).toEqual(new Map([['10.0.0.1', draws]]));
  });

  it('follows a modified weight', () => {
    const table = tableOf(forward(web, '10.0.0.1'), forward(web, '10.0.0.2'));
    expect(table.modifyRule(forward(web, '10.0.0.2'), { weight: 4 })).toBe(true);
    expect(
      chiSquared(
        sample(table),
        new Map([
          ['10.0.0.1', 1],
          ['10.0.0.2', 4],
        ]),
      ),
    ).toBeLessThan(critical[1]!);
  });

  it('takes another picker', () => {
    const table = new ServiceTable({ name: 'last', pick: (targets) => targets.size - 1 });
    for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) table.addRule(forward(web, ip), at(0));
    expect(sample(table)).toEqual(new Map([['10.0.0.3', draws]]));
  });
});

describe('selectAll (§4.2)', () => {
  it('gives all next hops of the set: not those of other priority, not sockets, not those out of reach', () => {
    const all = { selectAll: true, priority: 7 };
    const table = tableOf(
      forward(web, '10.0.0.1', all),
      forward(web, '10.0.0.2', { ...all, scope: 'host' }),
      forward(web, '10.0.0.255', { ...all, broadcast: true }),
      forward(web, '10.0.0.3', { selectAll: true, priority: 6 }),
      forward(acme, '10.0.0.4', all),
      demux(web, { name: 'here' }, { priority: 7, protocol: 17 }),
    );
    const rule = table.resolve(target, stream, SeededRandom.of(1));
    if (rule?.action !== 'forward') throw new Error('expected a FORWARD rule');
    expect(rule.selectAll).toBe(true);
    const addresses = (reach: ResolutionReach): string[] =>
      table.selectedSet(rule, reach).map((each) => each.address.ip);
    expect(addresses('any')).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.255']);
    expect(addresses('unicast')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(addresses('host')).toEqual(['10.0.0.2']);
  });
});

describe('changes', () => {
  it('lets one socket have a prefix and protocol', () => {
    const table = tableOf(demux(web, { name: 'first' }));
    expect(table.addRule(demux(web, { name: 'second' }), at(0))).toBe('exists');
    expect(table.addRule(demux(web, { name: 'second' }, { protocol: 17 }), at(0))).toBe('added');
    expect(table.deleteRule(demux(web, { name: 'second' }))).toBe(false);
    expect(resolve(table)).toBe('first');
  });

  it('replaces the terms of a FORWARD rule that comes again, and keeps its statistics', () => {
    const table = tableOf(forward(web, '10.0.0.1', { selectAll: true }), forward(web, '10.0.0.2', { priority: 2 }));
    table.recordMatch(forward(web, '10.0.0.1'), 100, at(1));
    expect(table.addRule(forward(web, '10.0.0.1', { priority: 3, weight: 9 }), at(2))).toBe('replaced');
    expect(table.size).toBe(2);
    expect(resolve(table)).toBe('10.0.0.1');
    expect(table.rulesOf(web).map(describeRule)).toEqual([
      describeRule(forward(web, '10.0.0.1', { priority: 3, weight: 9 })),
      describeRule(forward(web, '10.0.0.2', { priority: 2 })),
    ]);
    expect(table.statistics(forward(web, '10.0.0.1'))?.bytesResolved).toBe(100);
  });

  it('tells next hops apart by address, port and link', () => {
    const table = tableOf(forward(web, '10.0.0.1'), forward(web, '10.0.0.1', { link: 1 }), forward(web, '::1'));
    const otherPort = forward(web, '10.0.0.1', { address: NetworkAddress.parse('10.0.0.1', 1)! });
    expect(table.addRule(otherPort, at(0))).toBe('added');
    expect(table.deleteRule(forward(web, '::2'))).toBe(false);
    expect(table.deleteRule(otherPort)).toBe(true);
    expect(table.rulesOf(web).length).toBe(3);
  });

  it('modifies what is named and leaves the rest', () => {
    const table = tableOf(
      forward(web, '10.0.0.1', { priority: 5, weight: 6 }),
      forward(web, '10.0.0.2', { priority: 4 }),
    );
    expect(resolve(table)).toBe('10.0.0.1');
    expect(table.modifyRule(forward(web, '10.0.0.1'), { priority: 3 })).toBe(true);
    expect(resolve(table)).toBe('10.0.0.2');
    expect(describeRule(table.rulesOf(web)[1]!)).toBe(
      describeRule(forward(web, '10.0.0.1', { priority: 3, weight: 6 })),
    );
    expect(table.modifyRule(forward(web, '10.0.0.9'), { priority: 3 })).toBe(false);
    expect(table.modifyRule(forward(acme, '10.0.0.1'), { priority: 3 })).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 32])('refuses weight %d', (weight) => {
    const table = new ServiceTable();
    expect(() => table.addRule(forward(web, '10.0.0.1', { weight }), at(0))).toThrow(RangeError);
    expect(table.size).toBe(0);
    table.addRule(forward(web, '10.0.0.1'), at(0));
    expect(() => table.modifyRule(forward(web, '10.0.0.1'), { weight })).toThrow(RangeError);
    expect(table.rulesOf(web)[0]!.weight).toBe(1);
  });

  it.each([2 ** 31, 0.5, Number.NaN])('refuses priority %d', (priority) => {
    expect(() => new ServiceTable().addRule(drop(web, { priority }), at(0))).toThrow(RangeError);
  });

  it('bounds the rules of a prefix, but not local sockets', () => {
    const table = new ServiceTable();
    for (let index = 0; index < RULES_PER_PREFIX_MAXIMUM; index++) {
      table.addRule(forward(web, `10.1.${index >> 8}.${index & 255}`), at(0));
    }
    expect(table.addRule(forward(web, '10.2.0.0'), at(0))).toBe('full');
    expect(table.addRule(forward(web, '10.1.0.0', { weight: 2 }), at(0))).toBe('replaced');
    expect(table.addRule(demux(web, { name: 'here' }), at(0))).toBe('added');
    expect(table.addRule(forward(acme, '10.2.0.0'), at(0))).toBe('added');
  });

  it('lists rules as plain data while they change', () => {
    const rules = [
      forward(web, '10.0.0.1', { idleTimeout: 5 as never, hardTimeout: 9 as never }),
      delay(acme),
      drop(web),
      drop(acme, { refuses: true }),
      delay(web, { scope: 'network' }),
    ];
    const table = tableOf(...rules);
    // Own properties, so that a copy or a message to another process has them.
    const plain = (rule: ServiceRule): unknown => [
      describeRule(rule),
      Object.keys(rule).sort(),
      rule.idleTimeout,
      rule.hardTimeout,
    ];
    expect([...table.rules()].map(plain)).toEqual(rules.map(plain));
    const seen: string[] = [];
    for (const rule of table.rules()) {
      seen.push(rule.action);
      table.deleteRule(delay(acme));
      table.addRule(drop(acme), at(0));
    }
    expect(seen).toEqual(['forward', 'drop', 'drop', 'delay']);
  });

  it('forgets a resolved rule that is gone', () => {
    const table = tableOf(forward(web, '10.0.0.1'));
    const rule = table.resolve(target, stream, SeededRandom.of(1))!;
    table.deleteRule(rule);
    expect(() => rule.prefix).toThrow('no longer in the table');
    table.addRule(forward(acme, '10.0.0.2'), at(0)); // takes the same record
    table.recordMatch(rule, 100, at(1));
    expect(table.statistics(forward(acme, '10.0.0.2'))?.packetsResolved).toBe(0);
    expect(() => rule.prefix).toThrow('no longer in the table');
  });
});

describe('statistics', () => {
  it('counts for each rule and in all', () => {
    const table = tableOf(forward(web, '10.0.0.1'), drop(acme));
    const resolved = table.resolve(target, stream, SeededRandom.of(1))!;
    table.recordMatch(resolved, 100, at(5));
    table.recordMatch(resolved, 2 ** 40, at(6));
    table.recordDrop(resolved, 7, at(8));
    table.recordDrop(drop(acme), 9, at(9));
    expect(table.statistics(forward(web, '10.0.0.1'))).toEqual({
      packetsResolved: 2,
      bytesResolved: 2 ** 40 + 100,
      packetsDropped: 1,
      bytesDropped: 7,
      lastMatch: 8,
    });
    expect(table.statistics(drop(acme))).toMatchObject({ packetsResolved: 0, packetsDropped: 1, lastMatch: 9 });
    expect(table.statistics(delay(acme))).toBeUndefined();
    table.deleteRule(drop(acme));
    expect(table.totals).toEqual({
      packetsResolved: 2,
      bytesResolved: 2 ** 40 + 100,
      packetsDropped: 2,
      bytesDropped: 16,
    });
  });

  it('starts at zero, also for a rule that takes the place of an old one', () => {
    const table = tableOf(forward(web, '10.0.0.1'));
    table.recordMatch(forward(web, '10.0.0.1'), 100, at(5));
    table.deleteRule(forward(web, '10.0.0.1'));
    table.addRule(forward(web, '10.0.0.1'), at(6));
    expect(table.statistics(forward(web, '10.0.0.1'))).toEqual({
      packetsResolved: 0,
      bytesResolved: 0,
      packetsDropped: 0,
      bytesDropped: 0,
      lastMatch: undefined,
    });
  });
});

function randomRule(random: SeededRandom, under: ServicePrefix, sockets: readonly object[]): ServiceRule {
  const terms = { priority: random.uint32() % 3, weight: (random.uint32() % 5) + 1 };
  const kind = random.uint32() % 8;
  if (kind === 0) return delay(under, terms);
  if (kind === 1) return drop(under, terms);
  if (kind < 4)
    return demux(under, sockets[random.uint32() % 2]!, { ...terms, protocol: random.uint32() % 2 === 0 ? 6 : 17 });
  const scope = random.uint32() % 2 === 0 ? 'host' : 'network';
  return forward(under, `10.0.0.${random.uint32() % 4}`, { ...terms, scope, broadcast: random.uint32() % 4 === 0 });
}

/** Of the rules with the longest matching prefix that has usable ones, those of the highest priority. */
function scan(rules: readonly ServiceRule[], to: ServiceID, query: ResolutionQuery): ServiceRule[] {
  const usable = rules.filter((rule) => rule.prefix.contains(to) && mayUse(rule, query));
  const longest = usable.filter((rule) => rule.prefix.bits === Math.max(...usable.map((each) => each.prefix.bits)));
  return longest.filter((rule) => rule.priority === Math.max(...longest.map((each) => each.priority)));
}

function mayUse(rule: ServiceRule, query: ResolutionQuery): boolean {
  if (rule.action === 'demux') return rule.protocol === query.protocol;
  if (query.reach === 'any' || rule.action === 'drop') return true;
  if (rule.action === 'delay') return rule.scope !== 'network' || query.reach === 'unicast';
  if (query.reach === 'unicast') return !rule.broadcast;
  return query.reach === 'host' && rule.scope === 'host' && !rule.broadcast;
}

function isSameKey(a: ServiceRule, b: ServiceRule): boolean {
  if (!a.prefix.equals(b.prefix) || a.action !== b.action) return false;
  if (a.action === 'demux' && b.action === 'demux') return a.protocol === b.protocol;
  return a.action === 'forward' && b.action === 'forward' ? a.address.equals(b.address) : a.priority === b.priority;
}

function describeRule(rule: ServiceRule): string {
  const terms = `${rule.prefix} ${rule.action} ${rule.priority} ${rule.weight}`;
  return rule.action === 'forward' ? `${terms} ${rule.address} ${rule.link} ${rule.scope} ${rule.broadcast}` : terms;
}
