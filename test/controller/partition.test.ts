// §6.2: the partitions of a prefix over the instances that are registered, as they come and go.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandQueue } from '../../lib/controller/command-queue';
import { PARTITIONS_MAXIMUM } from '../../lib/controller/policies/discovery-limits';
import { Partition } from '../../lib/controller/policies/partition';
import type { ServiceCommand } from '../../lib/stack/control-interface';
import { ServiceTable } from '../../lib/table/service-table';
import { SeededRandom } from '../../lib/time/seeded-random';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, told } from './commands';

const cache = ServicePrefix.of(ServiceID.fromHex('cace'.padEnd(64, '0'))!, 16);
const at = (number: number) => address(`10.0.0.${number}`, 54325);

function partition(partitions = 16, prefix = cache) {
  const policy = new Partition({ prefix, partitions, link: () => 1 });
  const join = (number: number, protocol: 6 | 17 = 6) =>
    policy.handleRegistered({ prefix, protocol, address: at(number), weight: 1024 });
  const leave = (number: number, protocol: 6 | 17 = 6) =>
    policy.handleUnregistered({ prefix, protocol, address: at(number) });
  return { policy, join, leave };
}

const counts = (policy: Partition): number[] => {
  const byInstance = new Map<string, number>();
  for (const owner of policy.assignments()) byInstance.set(`${owner}`, (byInstance.get(`${owner}`) ?? 0) + 1);
  return [...byInstance.values()].sort((a, b) => b - a);
};

describe('Partition', () => {
  it('cuts the prefix into parts of equal length', () => {
    const { policy, join } = partition(4);
    join(1);
    expect(told(policy)).toEqual([
      'addRule forward cace/18 -> 10.0.0.1:54325',
      'addRule forward cace/18 -> 10.0.0.1:54325',
      'addRule forward cace/18 -> 10.0.0.1:54325',
      'addRule forward cace/18 -> 10.0.0.1:54325',
    ]);
    const odd = partition(8, ServicePrefix.of(ServiceID.fromHex('f'.repeat(64))!, 30));
    odd.join(1);
    const bases = drain(odd.policy).map((command) => command.kind === 'addRule' && String(command.rule.prefix));
    expect(bases.map((text) => `${text}`.slice(0, 10))).toEqual([
      'fffffffc00',
      'fffffffc80',
      'fffffffd00',
      'fffffffd80',
      'fffffffe00',
      'fffffffe80',
      'ffffffff00',
      'ffffffff80',
    ]);
  });

  // Figure 8 of the paper: 16 partitions, four servers, one leaves after the other, and they come back.
  it('moves those of who leaves and no others, and gives who comes back what it had', () => {
    const { policy, join, leave } = partition();
    for (const number of [1, 2, 3, 4]) join(number);
    const all = policy.assignments();
    drain(policy);
    leave(4);
    expect(drain(policy)).toHaveLength(2 * all.filter((owner) => owner!.equals(at(4))).length);
    const three = policy.assignments();
    for (const [number, owner] of all.entries()) if (!owner!.equals(at(4))) expect(three[number]).toBe(owner);
    leave(3);
    join(3);
    expect(policy.assignments()).toEqual(three);
    join(4);
    expect(policy.assignments()).toEqual(all);
  });

  it.each([
    [64, 4, 0.4],
    [256, 4, 0.2],
    [4096, 4, 0.06],
    [4096, 16, 0.15],
  ])(
    'gives nobody much more or less than its share: %i partitions, %i instances, within %d of it',
    (count, size, part) => {
      const { policy, join } = partition(count);
      for (let number = 1; number <= size; number++) join(number);
      for (const owned of counts(policy)) expect(Math.abs(owned / (count / size) - 1)).toBeLessThan(part);
    },
  );

  it('has nothing left when the last instance has gone', () => {
    const { policy, join, leave } = partition(4);
    join(1);
    leave(1);
    expect(drain(policy).filter(({ kind }) => kind === 'deleteRule')).toHaveLength(4);
    expect(policy.assignments()).toEqual([undefined, undefined, undefined, undefined]);
    join(2);
    expect(counts(policy)).toEqual([4]);
  });

  it('takes an instance of two protocols for one, and other prefixes for none of its business', () => {
    const { policy, join, leave } = partition(4);
    join(1);
    join(2, 17);
    const both = policy.assignments();
    expect(new Set(both).size).toBe(2);
    join(2, 6);
    leave(2, 17);
    expect(policy.assignments()).toEqual(both);
    leave(2, 6);
    leave(2, 6);
    expect(counts(policy)).toEqual([4]);
    const other = ServicePrefix.of(cache.base, 20);
    policy.handleRegistered({ prefix: other, protocol: 6, address: at(3), weight: 1 });
    policy.handleUnregistered({ prefix: other, protocol: 6, address: at(1) });
    expect(counts(policy)).toEqual([4]);
  });

  it.each([0, 1, 3, 2.5, PARTITIONS_MAXIMUM * 2, Number.NaN])('refuses %s partitions', (count) => {
    expect(() => partition(count)).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }));
  });

  it('refuses to cut what has no bits left', () => {
    expect(() => partition(4, ServicePrefix.of(ServiceID.zero, 255))).toThrow(/cannot be cut/);
  });
});

type Step = { readonly joins: boolean; readonly number: number };
const steps = fc.array(fc.record({ joins: fc.boolean(), number: fc.integer({ min: 1, max: 12 }) }), { maxLength: 60 });
const sizes = fc.constantFrom(2, 4, 16, 64);

/** The registrations beside the policy: they have the rules of the prefix itself, as a router's do. */
class Router {
  readonly table = new ServiceTable();
  readonly policy: Partition;
  readonly present = new Set<number>();
  private readonly random = SeededRandom.of(1);

  constructor(partitions: number) {
    this.policy = partition(partitions).policy;
  }

  /** Carries out a step, command by command; `between` is called before, between and after them. */
  take({ joins, number }: Step, between: () => void): ServiceCommand[] {
    if (joins === this.present.has(number)) return [];
    const registration = { prefix: cache, protocol: 6, address: at(number), weight: 1 } as const;
    const terms = { link: 1, broadcast: false, scope: 'network', priority: 32_000, weight: 1 } as const;
    const whole = { action: 'forward', prefix: cache, address: at(number), ...terms } as const;
    const queue = new CommandQueue();
    if (joins) {
      this.present.add(number);
      queue.push({ kind: 'addRule', rule: whole });
      this.policy.handleRegistered(registration);
    } else {
      this.present.delete(number);
      queue.push({ kind: 'deleteRule', rule: whole });
      this.policy.handleUnregistered(registration);
    }
    const commands = [...drain({ handleEvent() {}, pollCommand: () => queue.poll() }), ...drain(this.policy)];
    for (const command of commands) {
      if (command.kind === 'addRule') this.table.addRule(command.rule, NOW);
      else if (command.kind === 'deleteRule') expect(this.table.deleteRule(command.rule)).toBe(true);
      between();
    }
    return commands;
  }

  ownerOf(id: ServiceID): NetworkAddress | undefined {
    const rule = this.table.resolve(id, { protocol: 6, reach: 'any' }, this.random);
    return rule?.action === 'forward' ? rule.address : undefined;
  }
}

/** One key of each partition. */
const keysOf = (partitions: number): ServiceID[] =>
  Array.from({ length: partitions }, (_, number) => {
    const tail = Math.floor((number * 65_536) / partitions);
    return ServiceID.fromHex(`cace${tail.toString(16).padStart(4, '0')}${'7'.repeat(56)}`)!;
  });

describe('Partition, whatever happens', () => {
  it('places them by who is there alone, and moves only those of who comes or goes', () => {
    fc.assert(
      fc.property(sizes, steps, (partitions, story) => {
        const router = new Router(partitions);
        for (const step of story) {
          const before = router.policy.assignments();
          const commands = router.take(step, () => {});
          const after = router.policy.assignments();
          expect(after).toEqual(placedAnew(router.present, partitions));
          const moved = before.flatMap((owner, number) => (owner === after[number] ? [] : [[owner, after[number]]]));
          const isMeant = (owner: NetworkAddress | undefined) => owner?.equals(at(step.number)) === true;
          for (const [from, to] of moved) expect(isMeant(step.joins ? to : from)).toBe(true);
          const isFirst = before[0] === undefined;
          expect(commands.length).toBe(
            commands.length === 0 ? 0 : 1 + moved.length * (isFirst || after[0] === undefined ? 1 : 2),
          );
        }
      }),
      { seed: 62, numRuns: 200 },
    );
  });

  it('has an instance that is there for every key, before and after each single command', () => {
    fc.assert(
      fc.property(sizes, steps, (partitions, story) => {
        const router = new Router(partitions);
        const keys = keysOf(partitions);
        for (const step of story) {
          const known = new Set([...router.present, step.number].map((number) => String(at(number))));
          const wereThere = router.present.size;
          router.take(step, () => {
            const isServed = wereThere > 0 && router.present.size > 0;
            for (const key of keys) {
              const owner = router.ownerOf(key);
              if (isServed) expect(owner).toBeDefined();
              if (owner !== undefined) expect(known).toContain(String(owner));
            }
          });
          const present = [...router.present].map((number) => String(at(number)));
          for (const key of keys) {
            const owner = router.ownerOf(key);
            if (present.length === 0) expect(owner).toBeUndefined();
            else expect(present).toContain(String(owner));
          }
        }
      }),
      { seed: 63, numRuns: 100 },
    );
  });

  it('falls back to any instance when the rule of a partition is taken out', () => {
    const router = new Router(16);
    for (const number of [1, 2, 3]) router.take({ joins: true, number }, () => {});
    const [key] = keysOf(16);
    for (const rule of [...router.table.rules()])
      if (rule.prefix.contains(key!) && rule.prefix.bits > 16) router.table.deleteRule(rule);
    const found = new Set(Array.from({ length: 100 }, () => String(router.ownerOf(key!))));
    expect(found.size).toBe(3);
  });
});

/** As a router places them that hears of the same instances in another order. */
function placedAnew(present: ReadonlySet<number>, partitions: number): readonly (NetworkAddress | undefined)[] {
  const { policy, join } = partition(partitions);
  for (const number of [...present].sort((a, b) => b - a)) join(number);
  return policy.assignments();
}
