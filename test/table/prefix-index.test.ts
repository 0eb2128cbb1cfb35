import { describe, expect, it } from 'vitest';
import { PrefixIndex } from '../../lib/table/prefix-index';
import { SeededRandom } from '../../lib/time/seeded-random';
import { type ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { id, prefix, randomBits, randomID, relativeOf } from './prefixes';

describe('PrefixIndex', () => {
  it('matches nothing when empty', () => {
    const index = new PrefixIndex<string>();
    expect(index.longestMatch(id('ab'))).toBeUndefined();
    expect(index.get(ServicePrefix.any)).toBeUndefined();
    expect(index.delete(ServicePrefix.any)).toBe(false);
    expect([...index.within(ServicePrefix.any)]).toEqual([]);
  });

  it('gives the longest of nested prefixes, whatever the order of insertion', () => {
    const nested = [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 191, 192, 253, 254, 255, 256];
    for (const order of [
      nested,
      [...nested].reverse(),
      [8, 256, 0, 64, 255, 1, 192, 9, 63, 254, 7, 128, 253, 65, 191, 127],
    ]) {
      const index = new PrefixIndex<number>();
      for (const bits of order) index.insert(prefix('f'.repeat(64), bits), bits);
      expect(index.matches(id('f'.repeat(64)))).toEqual([...nested].reverse());
      expect(index.longestMatch(id(`${'f'.repeat(63)}e`))).toBe(255);
      expect(index.longestMatch(id(`${'f'.repeat(16)}`))).toBe(64);
      expect(index.longestMatch(id('fe'))).toBe(7);
      expect(index.longestMatch(id('7f'))).toBe(0);
    }
  });

  it('tells apart prefixes that share skipped bits only in part', () => {
    const index = new PrefixIndex<string>();
    index.insert(prefix('aaaa0000aaaa', 48), 'left');
    index.insert(prefix('aaaa0000aaab', 48), 'right');
    expect(index.longestMatch(id('aaaa0000aaaa'))).toBe('left');
    expect(index.longestMatch(id('aaaa0000aaab'))).toBe('right');
    expect(index.longestMatch(id('aaaa1000aaab'))).toBeUndefined();
    expect(index.longestMatch(id('aaaa0000aaac'))).toBeUndefined();
  });

  it('goes on to the next shorter prefix when the value is not accepted', () => {
    const index = new PrefixIndex<string>();
    index.insert(ServicePrefix.any, 'default');
    index.insert(prefix('ab', 8), 'short');
    index.insert(prefix('abcd', 16), 'long');
    expect(index.longestMatch(id('abcd'), (value) => value !== 'long')).toBe('short');
    expect(index.longestMatch(id('abcd'), (value) => value === 'default')).toBe('default');
    expect(index.longestMatch(id('abcd'), () => false)).toBeUndefined();
    expect(index.matches(id('abcd'))).toEqual(['long', 'short', 'default']);
  });

  it('replaces and deletes values of exactly one prefix', () => {
    const index = new PrefixIndex<number>();
    index.insert(prefix('ab', 8), 1);
    index.insert(prefix('ab', 8), 2);
    index.insert(prefix('ab', 9), 3);
    expect(index.size).toBe(2);
    expect(index.get(prefix('ab', 8))).toBe(2);
    expect(index.get(prefix('ab', 7))).toBeUndefined();
    expect(index.delete(prefix('ab', 8))).toBe(true);
    expect(index.delete(prefix('ab', 8))).toBe(false);
    expect(index.get(prefix('ab', 9))).toBe(3);
    expect(index.size).toBe(1);
  });

  it('lists what lies inside a prefix, outer before inner, also while it changes', () => {
    const index = new PrefixIndex<number>();
    for (const [hex, bits] of [
      ['ab', 8],
      ['abc0', 10],
      ['abcd', 16],
      ['ac', 8],
      ['abcdef', 24],
    ] as const) {
      index.insert(prefix(hex, bits), bits);
    }
    const seen: string[] = [];
    for (const [inner, value] of index.within(prefix('abc', 10))) {
      seen.push(`${inner.base.toString().slice(0, 6)}/${value}`);
      index.delete(prefix('abcdef', 24));
      index.insert(prefix('abcdff', 24), 24);
    }
    expect(seen).toEqual(['abc000/10', 'abcd00/16']);
    expect([...index.within(ServicePrefix.any)].length).toBe(5);
    expect([...index.within(prefix('ad', 8))]).toEqual([]);
  });

  it.each([1, 2, 3, 4])('agrees with a linear scan while prefixes come and go (seed %i)', (seed) => {
    agreesWithScan(SeededRandom.of(seed), { steps: 2000, prefixes: 250, bases: 20, checkEvery: 5 });
  });

  it('agrees with a linear scan when it is large and crowded', () => {
    agreesWithScan(SeededRandom.of(5), { steps: 25_000, prefixes: 6000, bases: 6000, checkEvery: 100 });
  });
});

interface ScanOptions {
  readonly steps: number;
  /** Above so many, prefixes are deleted down to a few. */
  readonly prefixes: number;
  readonly bases: number;
  readonly checkEvery: number;
}

function agreesWithScan(random: SeededRandom, options: ScanOptions): void {
  const index = new PrefixIndex<string>();
  const stored = new Map<string, ServicePrefix>();
  const bases = Array.from({ length: options.bases }, () => randomID(random));
  // Half of them behind one first block of 64 bits: a provider's services.
  for (const base of bases.slice(options.bases / 2)) base.words.set(bases[0]!.words.subarray(0, 2));
  const oneOf = <T>(list: readonly T[]): T => list[random.uint32() % list.length]!;
  const someID = (): ServiceID => (random.uint32() % 4 === 0 ? randomID(random) : relativeOf(oneOf(bases), random));
  let isShrinking = false;
  for (let step = 0; step < options.steps; step++) {
    if (stored.size > options.prefixes) isShrinking = true;
    if (stored.size < 20) isShrinking = false;
    if (random.uint32() % 8 < (isShrinking ? 1 : 7)) {
      const added = ServicePrefix.of(oneOf(bases), randomBits(random));
      index.insert(added, added.toString());
      stored.set(added.toString(), added);
    } else {
      // Mostly the oldest one; sometimes one that is not stored.
      const gone = random.uint32() % 9 === 0 ? ServicePrefix.of(someID(), randomBits(random)) : firstOf(stored);
      if (gone !== undefined && index.delete(gone) !== stored.delete(gone.toString()))
        throw new Error(`delete ${gone}`);
    }
    if (step % options.checkEvery === 0) check(index, [...stored.values()], someID(), randomBits(random));
    if (step % options.checkEvery === 1) check(index, [...stored.values()], oneOf(bases), randomBits(random));
  }
}

function firstOf(stored: Map<string, ServicePrefix>): ServicePrefix | undefined {
  return stored.values().next().value;
}

function check(index: PrefixIndex<string>, stored: readonly ServicePrefix[], wanted: ServiceID, bits: number): void {
  expect(index.size).toBe(stored.length);
  const containing = stored.filter((candidate) => candidate.contains(wanted)).sort((a, b) => b.bits - a.bits);
  // Twice: the first search may have filled shortcuts for the second.
  for (let round = 0; round < 2; round++) expect(index.matches(wanted)).toEqual(containing.map(String));
  expect(index.longestMatch(wanted)).toBe(containing[0]?.toString());
  const outer = ServicePrefix.of(wanted, bits);
  const inside = stored.filter((candidate) => outer.containsPrefix(candidate)).map(String);
  expect([...index.within(outer)].map(([, value]) => value).sort()).toEqual(inside.sort());
}
