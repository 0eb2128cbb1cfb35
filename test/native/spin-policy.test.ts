import { expect, it } from 'vitest';
import { describeWithAddon } from './addon';

describeWithAddon('the spin policy', (addon) => {
  const sent = 0;
  const received = 1;
  const isOver = 2;
  const BOUND = 50;
  const MISSES = 8;
  const decide = (events: readonly (readonly [number, number])[], bound = BOUND): boolean[] =>
    addon.spinDecisions(bound, Int32Array.from(events.flat()));

  /** Traffic every `interval` microseconds that is never answered in time: how many of `count` began a spin. */
  const spinsOf = (count: number, interval: number): number => {
    const events = Array.from({ length: count }, (_, index) => [
      [sent, index * interval] as const,
      [isOver, index * interval + BOUND] as const,
    ]);
    return decide(events.flat()).filter((decision, index) => index % 2 === 0 && decision).length;
  };

  it('never spins with a bound of 0', () => {
    expect(
      decide(
        [
          [sent, 0],
          [received, 1],
        ],
        0,
      ),
    ).toEqual([false, false]);
  });

  it('spins from the last traffic until the bound', () => {
    expect(
      decide([
        [sent, 0],
        [isOver, 49],
        [received, 49],
        [isOver, 98],
        [isOver, 99],
      ]),
    ).toEqual([true, false, true, false, true]);
  });

  it('is suspended when nothing came so often', () => {
    expect(spinsOf(MISSES, 60)).toBe(MISSES);
    expect(spinsOf(MISSES + 15, 60)).toBe(MISSES);
  });

  it('tries again once in a while, ever more seldom', () => {
    // 10 s of a request a millisecond: the suspensions of 1, 2, 4 ... 128 ms, then one try each 128 ms.
    const spins = spinsOf(10_000, 1000);
    expect(spins).toBeGreaterThan(MISSES + 8);
    expect(spins).toBeLessThan(MISSES + 8 + 10_000 / 128 + 2);
  });

  it('goes on after a try that was answered, with all its chances', () => {
    const misses = Array.from({ length: MISSES }, (_, index) => [
      [sent, index * 100] as const,
      [isOver, index * 100 + 50] as const,
    ]).flat();
    const answered = [
      [sent, 100_000],
      [received, 100_010],
      [isOver, 100_060],
    ] as const;
    const again = misses.map(([kind, at]) => [kind, at + 200_000] as const);
    const decisions = decide([...misses, ...answered, ...again]);
    expect(decisions.slice(misses.length, misses.length + 3)).toEqual([true, true, true]);
    // The spin that ended after its hit was the first without one.
    expect(decisions.slice(misses.length + 3).filter((decision) => decision)).toHaveLength(2 * MISSES - 1);
  });

  it('is not woken from a suspension by packets that come while it sleeps', () => {
    const misses = Array.from({ length: MISSES }, (_, index) => [
      [sent, index * 60] as const,
      [isOver, index * 60 + 50] as const,
    ]).flat();
    expect(decide([...misses, [received, 600]]).at(-1)).toBe(false);
    expect(decide([...misses, [received, 2000]]).at(-1)).toBe(true);
  });
});
