import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';

const draw = (random: SeededRandom, count: number): number[] => Array.from({ length: count }, () => random.uint32());

describe('SeededRandom', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    expect(draw(new SeededRandom(7), 20)).toEqual(draw(new SeededRandom(7), 20));
    expect(draw(new SeededRandom(7), 20)).not.toEqual(draw(new SeededRandom(8), 20));
  });

  it('stays what it is: a recorded seed replays in later versions', () => {
    expect(draw(new SeededRandom(1), 3)).toMatchInlineSnapshot(`
      [
        393288148,
        2174103013,
        3814759091,
      ]
    `);
  });

  it('spreads evenly over 32 bits', () => {
    const random = new SeededRandom(3);
    const buckets = new Array<number>(64).fill(0);
    for (let index = 0; index < 64_000; index++) buckets[random.uint32() >>> 26]!++;
    const chiSquared = buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeLessThan(103); // 63 degrees of freedom, p = 0.001
  });

  it('draws fractions from 0 to less than 1', () => {
    const random = new SeededRandom(4);
    for (let index = 0; index < 10_000; index++) {
      const fraction = random.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
    }
  });

  it('forks a generator that later draws of the parent do not change', () => {
    const [a, b] = [new SeededRandom(5), new SeededRandom(5)];
    const forked = a.fork();
    a.uint32();
    expect(draw(forked, 5)).toEqual(draw(b.fork(), 5));
  });
});
