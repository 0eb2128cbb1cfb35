// What a benchmark hands to whoever runs it: rows, each with the figures of every pair, what they are compared with,
// and what they are to reach. The complete run, the chart and the reduced run know nothing else of a benchmark.

import { type Summary, summarize } from './rounds';

/** What is compared, and what it is to reach. */
export interface Goal {
  readonly name: string;
  /** Where it was measured, as in `PATH_NAMES`; empty where no path takes part. */
  readonly path: string;
  /** What serval stands next to; empty where its own figure is judged. */
  readonly rival: string;
  /** Of the figures; a ratio has none. */
  readonly unit: string;
  /** To print figures with. */
  readonly decimals: number;
  readonly betterIs: 'more' | 'less';
  /** The bar and the aim: of the ratio to the rival, or of the figure. A row without them is not judged. */
  readonly atLeast?: number;
  readonly aim?: number;
}

export interface Row extends Goal {
  /** One figure for each pair, in the order measured. */
  readonly serval: readonly number[];
  /** The rival's in the same pairs. Where serval's own figure is judged these are only shown, or none. */
  readonly rivals: readonly number[];
  /** Of the ratios serval over rival of each pair, or of serval's figures. */
  readonly judged: Summary;
}

/** A row that could not be measured here. */
export interface SkippedRow {
  readonly name: string;
  readonly path: string;
  readonly reason: string;
}

/** The JSON that each benchmark prints when asked for `--json`; it may carry more. */
export interface Report {
  readonly benchmark: string;
  readonly rows: readonly Row[];
  readonly skipped: readonly SkippedRow[];
}

export function rowOf(goal: Goal, serval: readonly number[], rivals: readonly number[] = []): Row {
  const judged = goal.rival === '' ? serval : serval.map((value, pair) => value / rivals[pair]!);
  return { ...goal, serval, rivals, judged: summarize(judged) };
}

export const VERDICTS = ['aim reached', 'bar reached', 'not reached', 'no goal'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** By the median. */
export function verdictOf({ judged: { median }, betterIs, atLeast, aim }: Row): Verdict {
  const reaches = (mark: number): boolean => (betterIs === 'more' ? median >= mark : median <= mark);
  if (aim !== undefined && reaches(aim)) return 'aim reached';
  if (atLeast !== undefined) return reaches(atLeast) ? 'bar reached' : 'not reached';
  return aim === undefined ? 'no goal' : 'not reached';
}
