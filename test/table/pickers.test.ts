// The ways to choose: shares that follow the weights, stickiness where it is promised, another one for each attempt.

import { describe, expect, it } from 'vitest';
import { Choice } from '../../lib/table/choice';
import { mixBits } from '../../lib/table/mix-bits';
import { PICKER_NAMES, type PickerName, pickerNamed } from '../../lib/table/pickers/picker-names';
import { ResolutionReach, ServiceTable } from '../../lib/table/service-table';
import { GatheredTargets } from '../../lib/table/target-selection';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { id, prefix } from './prefixes';
import { demux, forward } from './rules';

const start = 0 as Instant;
const stream = { protocol: 6, reach: ResolutionReach.any } as const;
const service = id('ac3e');
const STATELESS = ['random', 'rendezvous'] as const;

interface Target {
  readonly identity: number;
  readonly weight: number;
}

function setOf(targets: readonly Target[]): GatheredTargets {
  const set = new GatheredTargets();
  for (const [index, { identity, weight }] of targets.entries()) set.add(index + 1, weight, identity);
  return set;
}

const targetsOf = (weights: readonly number[]): Target[] =>
  weights.map((weight, index) => ({ identity: mixBits(index + 77), weight }));

/** One client after the other, each with flows of its own. */
function* choices(count: number, seed: number): Generator<Choice> {
  const random = SeededRandom.of(seed);
  const choice = new Choice();
  for (let turn = 0; turn < count; turn++) {
    choice.clear();
    choice.flow = random.uint32();
    choice.setSeed(random.uint32());
    choice.clientAddress = NetworkAddress.fromWords(4, 0, random.uint32(), 0, 0, 0);
    yield choice;
  }
}

function countPicks(picker: PickerName, targets: readonly Target[], picks: number, seed = 1): number[] {
  const set = setOf(targets);
  const counts = targets.map(() => 0);
  const { pick } = pickerNamed(picker);
  for (const choice of choices(picks, seed)) counts[pick(set, choice, randomService(choice))]!++;
  return counts;
}

function randomService(choice: Choice): ServiceID {
  return ServiceID.fromWords(Array.from({ length: 8 }, (_, word) => mixBits(choice.flow + word) >>> 0));
}

/** Pearson's statistic of counts against shares. */
function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const picks = counts.reduce((sum, count) => sum + count, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return counts.reduce((sum, count, index) => {
    const expected = (picks * weights[index]!) / total;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

/** What the statistic stays below with probability 0.9999, by degrees of freedom (Wilson and Hilferty). */
function critical(degrees: number): number {
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + 3.719 * Math.sqrt(part)) ** 3;
}

describe.each(PICKER_NAMES)('%s', (picker) => {
  it.each([
    ['equal weights', new Array(10).fill(1024)],
    ['unequal weights', [1, 2, 3, 4, 5, 10, 25, 50]],
    ['two', [1, 9]],
  ])('gives shares that follow the weights: %s', (_name, weights: number[]) => {
    for (const seed of [1, 2, 3]) {
      const counts = countPicks(picker, targetsOf(weights), 20_000, seed);
      expect(chiSquare(counts, weights)).toBeLessThan(critical(weights.length - 1));
    }
  });

  it('gives each attempt of a connect another instance until all had it, the first one perhaps twice', () => {
    for (const choice of choices(200, 5)) {
      const set = setOf(targetsOf([1, 5, 1, 9, 2, 2]));
      const seen: number[] = [];
      for (let attempt = 0; attempt <= 6; attempt++) {
        choice.attempt = attempt;
        seen.push(pickerNamed(picker).pick(set, choice, service));
      }
      expect(new Set(seen).size).toBe(6);
      const isStateless = picker !== 'least-loaded' && picker !== 'power-of-two';
      if (isStateless) expect(new Set(seen.slice(0, 6)).size).toBe(6);
    }
  });

  it('takes an attempt of any number, and a set of one', () => {
    const [choice] = choices(1, 6);
    for (const attempt of [0, 1, 31, 32, 255]) {
      choice!.attempt = attempt;
      for (const count of [1, 2, 40]) {
        const index = pickerNamed(picker).pick(setOf(targetsOf(new Array(count).fill(3))), choice!, service);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeLessThan(count);
      }
    }
  });
});

describe.each(STATELESS)('%s', (picker) => {
  it('chooses the same for the same SYN, whatever came between', () => {
    const set = setOf(targetsOf([3, 1, 4, 1, 5]));
    for (const choice of choices(100, 7)) {
      const first = pickerNamed(picker).pick(set, choice, service);
      expect(pickerNamed(picker).pick(set, choice, service)).toBe(first);
    }
  });
});

describe.each(['rendezvous', 'rendezvous-service'] as const)('%s', (picker) => {
  const clients = 20_000;

  /** By client: the identity of the instance it gets. */
  function placement(targets: readonly Target[]): number[] {
    const set = setOf(targets);
    const { pick } = pickerNamed(picker);
    return Array.from(choices(clients, 8), (choice) => targets[pick(set, choice, randomService(choice))]!.identity);
  }

  const before = targetsOf([10, 10, 10, 10, 20, 20, 20]);

  it('moves, when an instance comes, only to it, and no more than its share', () => {
    const added = { identity: mixBits(4711), weight: 25 };
    const [old, now] = [placement(before), placement([added, ...before])];
    const moved = now.filter((identity, client) => identity !== old[client]);
    expect(new Set(moved)).toEqual(new Set([added.identity]));
    expect(Math.abs(moved.length / clients - 25 / 125)).toBeLessThan(0.02);
  });

  it('moves, when an instance goes, only what it had, and spreads that by weight', () => {
    const [gone, ...rest] = before;
    const [old, now] = [placement(before), placement(rest)];
    const homeless = now.filter((_, client) => old[client] === gone!.identity);
    expect(now.filter((identity, client) => identity !== old[client])).toEqual(homeless);
    const counts = rest.map(({ identity }) => homeless.filter((each) => each === identity).length);
    expect(
      chiSquare(
        counts,
        rest.map(({ weight }) => weight),
      ),
    ).toBeLessThan(critical(rest.length - 1));
  });

  it('moves, when an instance asks for less, only from it', () => {
    const [first, ...rest] = before;
    const [old, now] = [placement(before), placement([{ ...first!, weight: 5 }, ...rest])];
    const moved = old.filter((identity, client) => identity !== now[client]);
    expect(moved.length).toBeGreaterThan(0);
    expect(new Set(moved)).toEqual(new Set([first!.identity]));
  });

  it('does not depend on the order of the rules', () => {
    expect(placement([...before].reverse())).toEqual(placement(before));
  });
});

describe('least-loaded', () => {
  it('is never more than a pick away from the shares', () => {
    const weights = [1, 2, 3, 4];
    const counts = countPicks('least-loaded', targetsOf(weights), 1000);
    for (const [index, weight] of weights.entries()) expect(Math.abs(counts[index]! - weight * 100)).toBeLessThan(1.01);
  });
});

describe('power-of-two', () => {
  it('strays far less from the shares than chance does', () => {
    const weights = new Array<number>(20).fill(7);
    const stray = (picker: PickerName): number => chiSquare(countPicks(picker, targetsOf(weights), 20_000), weights);
    expect(stray('power-of-two')).toBeLessThan(stray('random') / 20);
  });
});

describe('the picker of a prefix', () => {
  const acme = prefix('ac', 8);
  const web = ServicePrefix.of(service);
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];

  function tableWith(): ServiceTable {
    const table = new ServiceTable();
    for (const ip of addresses) table.addRule(forward(web, ip), start);
    return table;
  }

  /** How many different instances one client gets. */
  function reached(table: ServiceTable): number {
    const random = SeededRandom.of(3);
    const choice = new Choice();
    choice.clientAddress = NetworkAddress.parse('192.0.2.1')!;
    const seen = new Set<string>();
    for (let count = 0; count < 60; count++) {
      const rule = table.resolve(service, stream, random, choice);
      if (rule?.action === 'forward') seen.add(rule.address.ip);
    }
    return seen.size;
  }

  it('is that of the longest prefix for which one was set, from then on, until it is taken back', () => {
    const table = tableWith();
    expect(reached(table)).toBe(4);
    table.setPicker(acme, pickerNamed('rendezvous'));
    expect(reached(table)).toBe(1);
    table.setPicker(web, pickerNamed('random'));
    expect(reached(table)).toBe(4);
    table.setPicker(web, undefined);
    expect(reached(table)).toBe(1);
    table.setPicker(prefix('ad', 8), pickerNamed('random'));
    table.setPicker(prefix('ac3e00', 24), pickerNamed('random'));
    expect(reached(table)).toBe(4);
    table.setPicker(prefix('ac3e00', 24), undefined);
    table.setPicker(acme, undefined);
    expect(reached(table)).toBe(4);
  });

  it('is as most instances wish where none was set; of as many, the first in the list of pickers', () => {
    const table = tableWith();
    const wish = (ip: string, picker: PickerName | null) => table.modifyRule(forward(web, ip), { picker });
    wish('10.0.0.4', 'rendezvous');
    expect(reached(table)).toBe(1);
    wish('10.0.0.1', 'random');
    expect(reached(table)).toBe(4);
    wish('10.0.0.3', 'rendezvous');
    expect(reached(table)).toBe(1);
    // Who is passed over, or a backup, has no voice.
    table.ejectRule(forward(web, '10.0.0.3'));
    expect(reached(table)).toBe(3);
    table.readmitRule(forward(web, '10.0.0.3'));
    expect(reached(table)).toBe(1);
    table.modifyRule(forward(web, '10.0.0.4'), { priority: 0 });
    expect(reached(table)).toBe(3);
    table.modifyRule(forward(web, '10.0.0.4'), { priority: 1 });
    table.setPicker(acme, pickerNamed('random'));
    expect(reached(table)).toBe(4);
    table.setPicker(acme, undefined);
    for (const ip of addresses) wish(ip, null);
    expect(reached(table)).toBe(4);
    table.addRule({ ...forward(web, '10.0.0.2'), picker: 'rendezvous' }, start);
    expect(reached(table)).toBe(1);
    expect([...table.rules()].flatMap((rule) => ('picker' in rule ? [rule.picker] : []))).toEqual(['rendezvous']);
    table.deleteRule(forward(web, '10.0.0.2'));
    expect(reached(table)).toBe(3);
  });

  it('is not that of a longer prefix than the rules have', () => {
    const table = new ServiceTable();
    for (const ip of addresses) table.addRule(forward(acme, ip), start);
    table.setPicker(web, pickerNamed('rendezvous'));
    expect(reached(table)).toBe(4);
  });
});

describe('ejected rules', () => {
  const web = ServicePrefix.of(service);
  const [first, second, third] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((ip) => forward(web, ip)) as [
    ReturnType<typeof forward>,
    ReturnType<typeof forward>,
    ReturnType<typeof forward>,
  ];

  function tableOf(...rules: Parameters<ServiceTable['addRule']>[0][]): ServiceTable {
    const table = new ServiceTable();
    for (const rule of rules) table.addRule(rule, start);
    return table;
  }

  function reached(table: ServiceTable, protocol: 6 | 17 = 6): string[] {
    const random = SeededRandom.of(4);
    const seen = new Set<string>();
    for (let count = 0; count < 80; count++) {
      const rule = table.resolve(service, { protocol, reach: ResolutionReach.any }, random);
      if (rule?.action === 'forward') seen.add(rule.address.ip);
      else if (rule !== undefined) seen.add(rule.action);
    }
    return [...seen].sort();
  }

  it('get nothing until they are readmitted, and are listed as such', () => {
    const table = tableOf(first, second, third);
    expect(table.ejectRule(first)).toBe(true);
    expect(reached(table)).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(table.rulesOf(web).map((rule) => rule.action === 'forward' && rule.ejected === true)).toEqual([
      true,
      false,
      false,
    ]);
    expect(table.readmitRule(first)).toBe(first.weight);
    expect(table.readmitRule(first)).toBeUndefined();
    expect(reached(table)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  it('are never the last of a prefix that leads somewhere, and are tried again when the others are taken out', () => {
    const table = tableOf(first, second);
    expect(table.ejectRule(first)).toBe(true);
    expect(table.ejectRule(second)).toBe(false);
    table.deleteRule(second);
    expect(reached(table)).toEqual(['10.0.0.1']);
    expect(table.rulesOf(web).map((rule) => 'ejected' in rule)).toEqual([false]);
    expect(table.ejectRule(first)).toBe(false);
  });

  it('keep their mark when they are added again, and lose it when they were taken out before', () => {
    const table = tableOf(first, second);
    table.ejectRule(first);
    table.addRule({ ...first, weight: 5 }, start);
    table.modifyRule(first, { weight: 7, priority: 3 });
    expect(reached(table)).toEqual(['10.0.0.2']);
    table.deleteRule(first);
    table.addRule(first, start);
    expect(reached(table)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('give way to a backup set, and a backup set to nothing', () => {
    const table = tableOf({ ...first, priority: 9 }, { ...second, priority: 9 }, { ...third, priority: 5 });
    expect(reached(table)).toEqual(['10.0.0.1', '10.0.0.2']);
    table.ejectRule(first);
    expect(reached(table)).toEqual(['10.0.0.2']);
    table.ejectRule(second);
    expect(reached(table)).toEqual(['10.0.0.3']);
    table.readmitRule(second);
    expect(reached(table)).toEqual(['10.0.0.2']);
    table.deleteRule(second);
    table.deleteRule(third);
    expect(reached(table)).toEqual(['10.0.0.1']);
  });

  it('are no sockets of this process and no broadcasts', () => {
    const socket = { name: 'here' };
    const broadcast = forward(web, '10.0.0.255', { broadcast: true });
    const table = tableOf(first, demux(web, socket), broadcast);
    expect(table.ejectRule(demux(web, socket))).toBe(false);
    expect(table.ejectRule(broadcast)).toBe(false);
    expect(table.ejectRule(second)).toBe(false);
    expect(table.ejectRule(first)).toBe(true);
  });

  it('are passed over in favour of what is near: scope and priority say what that is', () => {
    const near = { ...first, priority: 32_000, scope: 'host' as const };
    const far = { ...second, priority: 100 };
    const table = tableOf(near, far);
    expect(reached(table)).toEqual(['10.0.0.1']);
    table.ejectRule(near);
    expect(reached(table)).toEqual(['10.0.0.2']);
  });
});
