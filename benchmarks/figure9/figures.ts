// The rows of figure9: what serval is to reach, and beside it the same of MPTCP.

import { type Goal, type Row, rowOf } from '../measuring/rows';
import type { Conclusions } from './conclusions';
import { ROUND_TRIP } from './lab';
import type { Direction } from './task';

interface Figure extends Pick<Goal, 'name' | 'unit' | 'decimals' | 'betterIs' | 'atLeast' | 'aim'> {
  of(found: Conclusions): number;
}

/** `rate` is a line's, in bits a second. */
function figuresAt(rate: number): readonly Figure[] {
  return [
    {
      name: 'one line before, share of its rate',
      unit: '',
      decimals: 3,
      betterIs: 'more',
      atLeast: 0.85,
      of: ({ oneLine }) => oneLine / rate,
    },
    {
      name: 'both lines carry 95 % after',
      unit: 'ms',
      decimals: 0,
      betterIs: 'less',
      atLeast: 1000,
      aim: 10 * ROUND_TRIP,
      of: ({ filledAfter }) => filledAfter,
    },
    {
      name: 'both lines, from 1 s behind the move',
      unit: '',
      decimals: 3,
      betterIs: 'more',
      atLeast: 0.95,
      of: ({ later }) => later,
    },
    {
      name: 'the moved flow below its old rate',
      unit: 'ms',
      decimals: 0,
      betterIs: 'less',
      atLeast: 200,
      of: ({ longestBelow }) => longestBelow,
    },
  ];
}

export function rowsOf(
  direction: Direction,
  rate: number,
  serval: readonly Conclusions[],
  mptcp: readonly Conclusions[],
): Row[] {
  return figuresAt(rate).map(({ of, ...figure }) =>
    rowOf({ ...figure, path: TITLES[direction], rival: '' }, serval.map(of), mptcp.map(of)),
  );
}

export const TITLES: Readonly<Record<Direction, string>> = {
  up: 'clients send, as in the paper',
  down: 'the server sends',
};
