// What figure10 concludes from the moves that it made, and how its streams are compared.

import { describe, expect, it } from 'vitest';
import { specificationOf } from '../../benchmarks/figure10/chart';
import { type Conclusions, conclude } from '../../benchmarks/figure10/conclusions';
import { rowsOf } from '../../benchmarks/figure10/figures';
import type { Cell, Move, Mover } from '../../benchmarks/figure10/moves';
import { movesTable } from '../../benchmarks/figure10/moves-table';
import { PATTERN_PIECE_MAXIMUM, PatternCheck, patternAt } from '../../benchmarks/measuring/pattern';
import { verdictOf } from '../../benchmarks/measuring/rows';

const PATIENCE = 10_000;

function cell(mover: Mover, moves: readonly Partial<Move>[], lost = 0): Cell {
  const whole = moves.map((move) => ({ toClient: undefined, toServer: undefined, dark: 301, ...move }));
  return { mover, darkness: 300, moves: whole, lost, carried: 1000, trace: [{ at: -2, bytes: 10 }] };
}

describe('figure10 concludes', () => {
  it('the median and the p99 of each direction, and which is the worse', () => {
    const moves = Array.from({ length: 50 }, (_, index) => ({ toClient: 20 + index, toServer: 40 }));
    const found = conclude(cell('server', moves));
    expect(found.toClient).toMatchObject({ median: 45, p99: 69 });
    expect(found.toServer).toMatchObject({ median: 40, p99: 40 });
    expect(found.worse).toMatchObject({ median: 45, p99: 69 });
    expect(found).toMatchObject({ moves: 50, recovered: 50 });
  });

  it('that a move did not recover where one direction did not', () => {
    const found = conclude(cell('client', [{ toClient: 30, toServer: 30 }, { toClient: 30 }]));
    expect(found).toMatchObject({ moves: 2, recovered: 1 });
  });
});

describe('figure10 tells', () => {
  const good = conclude(cell('server', [{ toClient: 25, toServer: 45 }]));
  const stalled = conclude(cell('both', [{}, {}]));

  it('whether the goals are reached, and that what did not recover has no figure', () => {
    const verdicts = (found: readonly Conclusions[]) => rowsOf(found, []).map((row) => [row.name, verdictOf(row)]);
    expect(verdicts([good])).toEqual([
      ['the server moves, to the client', 'aim reached'],
      ['the server moves, to the server', 'bar reached'],
      ['the server moves, p99 of all', 'bar reached'],
      ['the server moves, recovered', 'bar reached'],
      ['the server moves, bytes lost', 'bar reached'],
    ]);
    expect(verdicts([stalled])).toEqual([
      ['both move at once, p99 of all', 'not reached'],
      ['both move at once, recovered', 'not reached'],
      ['both move at once, bytes lost', 'bar reached'],
    ]);
    const lossy = conclude(cell('server', [{ toClient: 25, toServer: 45 }], 1));
    expect(verdicts([lossy]).at(-1)).toEqual(['the server moves, bytes lost', 'not reached']);
  });

  it('as text, and as a picture that says who stalled', () => {
    expect(movesTable([good, stalled], PATIENCE)).toMatch(/both move at once +301 +nothing within 10 s +0 of 2/);
    const found = new Map([
      ['serval', [good]],
      ['tcp', [stalled]],
    ] as const);
    const text = JSON.stringify(specificationOf(found, PATIENCE, 'below'));
    expect(text).toContain('Nothing came again within 10 s: TCP whoever moves.');
  });
});

describe('the pattern that streams carry', () => {
  it('is the same wherever a reader cuts it', () => {
    const check = new PatternCheck();
    check.take(patternAt(0, PATTERN_PIECE_MAXIMUM));
    check.take(
      Buffer.concat([patternAt(PATTERN_PIECE_MAXIMUM, 1000), patternAt(PATTERN_PIECE_MAXIMUM + 1000, 70_000 - 5000)]),
    );
    expect(check).toMatchObject({ isRight: true, bytes: PATTERN_PIECE_MAXIMUM + 66_000 });
  });

  it.each([
    ['is missing', 1440],
    ['comes twice', -1440],
  ])('shows a segment that %s', (_, skipped) => {
    const check = new PatternCheck();
    check.take(patternAt(0, 2880));
    check.take(patternAt(2880 + skipped, 1440));
    expect(check.isRight).toBe(false);
  });
});
