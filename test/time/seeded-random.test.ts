import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';

describe('SeededRandom', () => {
  it('gives the numbers of the reference xoshiro128**', () => {
    const random = SeededRandom.fromState(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => random.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('repeats itself for the same seed and not for another', () => {
    const draw = (seed: number): number[] => {
      const random = SeededRandom.of(seed);
      return Array.from({ length: 5 }, () => random.uint32());
    };
    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
    expect(new Set(draw(0)).size).toBe(5);
  });

  it('gives unsigned 32-bit integers and fractions below 1, evenly', () => {
    const random = SeededRandom.of(7);
    const buckets = new Array<number>(16).fill(0);
    for (let draw = 0; draw < 16_000; draw++) {
      const word = random.uint32();
      expect(word >>> 0).toBe(word);
      const fraction = random.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
      buckets[Math.floor(fraction * 16)]!++;
    }
    // Chi-squared, 15 degrees of freedom: 37.7 is the 0.1 % point.
    expect(buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(37.7);
  });

  it('forks into sources of their own', () => {
    const trunk = SeededRandom.of(1);
    const [one, other] = [trunk.fork(), trunk.fork()];
    expect(one.uint32()).not.toBe(other.uint32());
    // However much is drawn from the first fork, the second gives the same.
    const again = SeededRandom.of(1);
    const first = again.fork();
    for (let draw = 0; draw < 10; draw++) first.uint32();
    expect(again.fork().uint32()).toBe(firstOfSecondFork());
  });

  it('refuses the all-zero state', () => {
    expect(() => SeededRandom.fromState(0, 0, 0, 0)).toThrow(RangeError);
  });
});

function firstOfSecondFork(): number {
  const trunk = SeededRandom.of(1);
  trunk.fork();
  return trunk.fork().uint32();
}
