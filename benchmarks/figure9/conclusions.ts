// What a recording of figure9 says: how soon both lines are full, and whether the moved flow was ever worse off.

import { MOVED_FLOW, type Recording } from './run';
import { BIN } from './task';

export interface Conclusions extends Pick<Recording, 'movedAt' | 'end' | 'roundTrip'> {
  /** Bits a second of all flows before the move, when one line was all that they had: in the best third of that time. */
  readonly oneLine: number;
  /** Of the moved flow, before. */
  readonly oldRate: number;
  /** Milliseconds from the move until `WINDOW` in which both lines carried 95 %; to the end where there was none. */
  readonly filledAfter: number;
  /** Of both lines, what was carried from a second after the move to the end. */
  readonly later: number;
  /** Milliseconds: the longest that the moved flow was below its old rate behind the move. */
  readonly longestBelow: number;
  /** Megabits a second in each bin of `BIN`, the moved flow first. */
  readonly flows: readonly (readonly number[])[];
}

export function conclude({ movedAt, end, roundTrip, flows }: Recording): Conclusions {
  const rates = flows.map((bins) => Array.from({ length: Math.floor(end / BIN) }, (_, at) => rateOf(bins[at] ?? 0)));
  const total = rates[0]!.map((_, at) => sumOf(rates.map((flow) => flow[at]!)));
  const move = Math.ceil(movedAt / BIN);
  const oneLine = bestMean(total.slice(0, move), Math.floor(move / 3));
  const oldRate = meanOf(rates[MOVED_FLOW]!.slice(move >> 1, move));
  return {
    movedAt,
    end,
    roundTrip,
    oneLine,
    oldRate,
    filledAfter: binsUntilFull(total.slice(move), 2 * oneLine * FULL) * BIN,
    later: meanOf(total.slice(move + LATER / BIN)) / (2 * oneLine),
    longestBelow: longestRunBelow(rates[MOVED_FLOW]!.slice(move), oldRate) * BIN,
    flows: rates.map((flow) => flow.map((rate) => Math.round(rate / 1e4) / 100)),
  };
}

/** What else the machine did in a part of the time makes no line narrower. */
function bestMean(values: readonly number[], width: number): number {
  return Math.max(...values.slice(width - 1).map((_, at) => meanOf(values.slice(at, at + width))));
}

function binsUntilFull(total: readonly number[], enough: number): number {
  const width = WINDOW / BIN;
  const found = total.findIndex((_, at) => at + width <= total.length && meanOf(total.slice(at, at + width)) >= enough);
  return found < 0 ? total.length : found;
}

function longestRunBelow(rates: readonly number[], bar: number): number {
  let run = 0;
  let longest = 0;
  for (const rate of rates) {
    run = rate < bar ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function rateOf(bytes: number): number {
  return (bytes * 8000) / BIN;
}

function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Of both lines, by what they carry for the same flows: headers are no fault of theirs. */
const FULL = 0.95;
/** Milliseconds. */
const WINDOW = 200;
const LATER = 1000;
