// What figure9 concludes from what it recorded.

import { describe, expect, it } from 'vitest';
import { specificationOf } from '../../benchmarks/figure9/chart';
import { conclude } from '../../benchmarks/figure9/conclusions';
import { rowsOf } from '../../benchmarks/figure9/figures';
import type { Recording } from '../../benchmarks/figure9/run';
import { BIN } from '../../benchmarks/figure9/task';
import { verdictOf } from '../../benchmarks/measuring/rows';

const MOVED_AT = 6000;
const END = 12_000;
/** Bytes in a bin of a line that is full: 50 Mbit/s. */
const FULL = 125_000;

/** Each flow has half of a line before the move; behind it what the functions say, by the milliseconds since then. */
function recorded(moved: (since: number) => number, other: (since: number) => number): Recording {
  const binsOf = (after: (since: number) => number): number[] =>
    Array.from({ length: END / BIN }, (_, at) => {
      const since = at * BIN - MOVED_AT;
      return since < 0 ? FULL / 2 : after(since);
    });
  const flows = [binsOf(moved), binsOf(other)];
  return { contender: 'serval', direction: 'up', movedAt: MOVED_AT, end: END, flows, roundTrip: 20 };
}

describe('figure9 concludes', () => {
  it('that both lines are full at once, where they are', () => {
    const found = conclude(
      recorded(
        () => FULL,
        () => FULL,
      ),
    );
    expect(found.oneLine).toBe(50e6);
    expect(found.oldRate).toBe(25e6);
    expect(found).toMatchObject({ filledAfter: 0, later: 1, longestBelow: 0 });
  });

  it('when they are, where that takes a while', () => {
    const { filledAfter } = conclude(
      recorded(
        () => FULL,
        (since) => (since < 400 ? FULL / 2 : FULL),
      ),
    );
    // The window of 200 ms may begin where a tenth of it is half full.
    expect(filledAfter).toBeGreaterThanOrEqual(360);
    expect(filledAfter).toBeLessThanOrEqual(400);
  });

  it('that they never are, where the flow that stays keeps to its half', () => {
    const { filledAfter, later } = conclude(
      recorded(
        () => FULL,
        () => FULL / 2,
      ),
    );
    expect(filledAfter).toBe(END - MOVED_AT);
    expect(later).toBe(0.75);
  });

  it('how long the moved flow was worse off, in one piece', () => {
    const stalls = (since: number): number => (since < 100 || (since >= 300 && since < 560) ? 0 : FULL);
    expect(conclude(recorded(stalls, () => FULL)).longestBelow).toBe(260);
  });
});

describe('figure9 tells', () => {
  it('whether the goals are reached, with the rival beside it', () => {
    const slow = conclude(
      recorded(
        (since) => (since < 300 ? 0 : FULL),
        (since) => (since < 3000 ? FULL / 2 : FULL),
      ),
    );
    const good = conclude(
      recorded(
        () => FULL,
        () => FULL,
      ),
    );
    const rows = rowsOf('up', 50e6, [slow], [good]);
    expect(rows.map(verdictOf)).toEqual(['bar reached', 'not reached', 'not reached', 'not reached']);
    expect(rows.every(({ rivals }) => rivals.length === 1)).toBe(true);
    expect(rowsOf('up', 50e6, [good], []).map(verdictOf)).toEqual([
      'bar reached',
      'aim reached',
      'bar reached',
      'bar reached',
    ]);
  });

  it('each run as a panel', () => {
    const conclusions = conclude(
      recorded(
        () => FULL,
        () => FULL,
      ),
    );
    const text = JSON.stringify(specificationOf([{ title: 'one', conclusions }], 50e6, 'below', 'QUIC: no panel'));
    expect(text).toContain('QUIC: no panel');
    expect(text).toContain('"one"');
  });
});
