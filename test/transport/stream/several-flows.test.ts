// One stream over several flows (§2.2, §4.4): it uses all of them, in order, and survives the loss of any.

import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/sim/clock';
import type { Instant } from '../../../lib/time/instant';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { type Direction, Pipe, type PipeOptions } from '../pipe';

const MEBIBYTE = 1024 * 1024;
/** With 17 of them, each mix is tried a hundred times. */
const MANY = Number(process.env.SERVAL_STORIES ?? 1);

/** Megabits a second and milliseconds one way; the queue holds as much as a round trip of 100 ms, 30 kB at least. */
function line(rate: number, delay: number, more: Partial<Direction> = {}): Direction {
  return { rate, delay, queue: Math.max((rate * 1e6 * 0.1) / 8, 30_000), ...more };
}

/** Delay and queue a fifth more or less, and a little jitter. */
function varied(rate: number, delay: number, random: SeededRandom): Direction {
  const share = (): number => 0.8 + (0.4 * random.uint32()) / 2 ** 32;
  const queue = Math.max((rate * 1e6 * 0.1) / 8, 60_000) * share();
  return { rate, delay: delay * share(), queue, reordering: 0.02, reorderDelay: 0.2 };
}

/** A transfer over one path for each direction given; milliseconds that it took. */
function transfer(bytes: number, paths: readonly Direction[], options: PipeOptions = {}, limit = 600_000) {
  const [first, ...others] = paths;
  const pipe = new Pipe({ forth: first!, ...options });
  for (const path of others) pipe.addPath(path);
  const start = pipe.now;
  pipe.a.send(bytes, true);
  const isDone = pipe.runUntil(() => pipe.b.endedAt !== undefined, limit);
  expect(isDone && pipe.b.bytesRead === bytes && pipe.b.bytesWrong === 0).toBe(true);
  return { pipe, took: pipe.b.endedAt! - start };
}

describe('a stream of two flows', () => {
  it.each([
    [10, 1, 10, 1],
    [10, 1, 10, 50],
    [30, 1, 10, 1],
    [30, 1, 10, 50],
    [30, 50, 10, 1],
  ])('%i Mbit/s and %i ms beside %i Mbit/s and %i ms: nine tenths of both, and 450 ms', (r1, d1, r2, d2) => {
    const bytes = 16 * MEBIBYTE;
    const limit = (bytes * 8) / (0.9 * (r1 + r2) * 1000) + 450;
    const both = [line(r1, d1), line(r2, d2)];
    expect(transfer(bytes, both).took).toBeLessThan(limit);
    expect(transfer(bytes, both.toReversed()).took).toBeLessThan(limit);
  });

  it.each([
    [10, 1, 10, 50],
    [30, 1, 10, 50],
    [30, 50, 10, 1],
  ])('%i Mbit/s and %i ms beside %i Mbit/s and %i ms: whatever the queues hold', (r1, d1, r2, d2) => {
    const limit = (16 * MEBIBYTE * 8) / (0.9 * (r1 + r2) * 1000) + 450;
    for (let seed = 1; seed <= 3 * MANY; seed++) {
      const random = SeededRandom.of(seed);
      const both = [varied(r1, d1, random), varied(r2, d2, random)];
      for (const paths of [both, both.toReversed()]) {
        expect(transfer(16 * MEBIBYTE, paths, { seed }).took, `seed ${seed}`).toBeLessThan(limit);
      }
    }
  });

  it.each([1, 2, 3, 4, 5])('arrives as it was sent, whatever the paths do to it: seed %i', (seed) => {
    const bad = { loss: 0.02, reordering: 0.05, duplication: 0.01 };
    const { pipe } = transfer(MEBIBYTE, [line(20, 5, bad), line(10, 30, bad), line(5, 80, bad)], { seed });
    expect(pipe.runUntil(() => pipe.a.transport.finAcknowledged, 10_000)).toBe(true);
    for (let number = 0; number < 3; number++) expect(pipe.a.subflowOf(number).scoreboard.isEmpty).toBe(true);
  });

  it('goes on over the other when one is cut off, and comes back to it', () => {
    const first = line(10, 10);
    const second = line(10, 10);
    const pipe = new Pipe({ forth: first });
    pipe.addPath(second);
    pipe.a.send(30 * MEBIBYTE);
    pipe.run(2000);
    second.loss = 1;
    const atCut = pipe.b.bytesRead;
    pipe.run(2000);
    const alone = pipe.b.bytesRead - atCut;
    // What one path carries in 2 s is 2.5 MB.
    expect(alone).toBeGreaterThan(0.8 * 2.5e6);
    second.loss = 0;
    pipe.run(3000);
    const before = pipe.b.bytesRead;
    pipe.run(2000);
    expect(pipe.b.bytesRead - before).toBeGreaterThan(0.85 * 5e6);
  });

  it('carries both directions at once over both', () => {
    const pipe = new Pipe({ forth: line(10, 10, { loss: 0.01 }) });
    pipe.addPath(line(10, 40, { loss: 0.01 }));
    pipe.a.send(4 * MEBIBYTE, true);
    pipe.b.send(4 * MEBIBYTE, true);
    expect(pipe.runUntil(() => pipe.a.endedAt !== undefined && pipe.b.endedAt !== undefined, 60_000)).toBe(true);
    for (const end of [pipe.a, pipe.b]) expect([end.bytesRead, end.bytesWrong]).toEqual([4 * MEBIBYTE, 0]);
    for (const end of [pipe.a, pipe.b]) expect(end.subflowOf(1).scoreboard.next).toBeGreaterThan(0);
  });

  it('uses one that is for reserve only when the other is cut off', () => {
    const first = line(10, 10);
    const pipe = new Pipe({ forth: first });
    pipe.addPath(line(10, 10), undefined, true);
    pipe.a.send(30 * MEBIBYTE);
    pipe.run(2000);
    expect(pipe.a.subflowOf(1).scoreboard.next).toBe(0);
    first.loss = 1;
    const before = pipe.b.bytesRead;
    pipe.run(2000);
    expect(pipe.b.bytesRead - before).toBeGreaterThan(1.5e6);
  });

  it('takes no more than its share of a line that both of its flows cross (RFC 6356)', () => {
    const clock = new SimulatedClock(1000 as Instant);
    const shared = { rate: 20, delay: 20, queue: 100_000, line: { busyUntil: 0 } };
    const back = { delay: 20 };
    const several = new Pipe({ clock, forth: shared, back, seed: 1 });
    several.addPath(shared, back);
    const single = new Pipe({ clock, forth: shared, back, seed: 2 });
    for (const pipe of [several, single]) pipe.a.send(1000 * MEBIBYTE);
    single.run(10_000);
    const before = [several.b.bytesRead, single.b.bytesRead] as const;
    single.run(60_000);
    const share = (several.b.bytesRead - before[0]) / (single.b.bytesRead - before[1]);
    expect(share).toBeLessThan(1.2);
    expect(share).toBeGreaterThan(0.4);
  });

  it('loses nothing when a flow leaves in the middle', () => {
    for (const number of [0, 1]) {
      const pipe = new Pipe({ forth: line(10, 10) });
      pipe.addPath(line(10, 30));
      pipe.a.send(4 * MEBIBYTE, true);
      pipe.run(700);
      pipe.removePath(number);
      expect(pipe.runUntil(() => pipe.b.endedAt !== undefined, 60_000)).toBe(true);
      expect([pipe.b.bytesRead, pipe.b.bytesWrong]).toEqual([4 * MEBIBYTE, 0]);
    }
  });
});
