// What `serval perf client --json` prints, and the text is made of: one object, whatever happened. docs/perf.md
// describes its members; they change with `format` only.

import { version } from '../package-information';
import type { Outcome, Peer } from './client-test';
import type { ProcessorReport, StreamReport } from './end-report';
import type { IntervalReport } from './intervals';
import type { ErrorDescription } from './perf-error';
import type { TestParameters } from './test-parameters';

/** One stream, or all together, as one end saw it. */
export interface Figures extends StreamReport {
  readonly bitsPerSecond: number;
  // Of a receiver of datagrams, when it is known how many were sent.
  readonly lost?: number;
  /** Of what was sent, 0 to 1. */
  readonly lostFraction?: number;
}

export interface BothEnds {
  readonly sender: Figures | null;
  readonly receiver: Figures | null;
}

export interface PerfReport {
  readonly format: 1;
  readonly version: string;
  readonly service: string;
  /** Of the control exchange; null when none came about. */
  readonly peer: Peer | null;
  /** What carries this end's packets. */
  readonly links: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  /** Null when the options were not understood. */
  readonly test: (TestParameters & { readonly interval: number }) | null;
  readonly intervals: readonly IntervalReport[];
  readonly streams: readonly BothEnds[];
  readonly sum: BothEnds | null;
  /** Jain's index of what the streams received: 1 when all got the same, 1/n when one got everything. */
  readonly fairness: number | null;
  readonly processor: { readonly client: ProcessorReport | null; readonly server: ProcessorReport | null };
  readonly interrupted: boolean;
  readonly error: ErrorDescription | null;
}

export interface ReportFacts {
  readonly service: string;
  readonly links: readonly string[];
  readonly startedAt: Date;
  readonly test: PerfReport['test'];
}

export function createReport(facts: ReportFacts, outcome: Outcome): PerfReport {
  const { own, other, peer, intervals, interrupted, error } = outcome;
  const [sending, receiving] = facts.test?.reverse ? [other, own] : [own, other];
  const count = own?.streams.length ?? 0;
  const streams = Array.from({ length: count }, (_, index) =>
    bothEnds(sending?.streams[index], receiving?.streams[index]),
  );
  const sum = count === 0 ? null : bothEnds(sumOf(sending?.streams), sumOf(receiving?.streams));
  return {
    format: 1,
    version,
    service: facts.service,
    peer: peer ?? null,
    links: facts.links,
    startedAt: facts.startedAt.toISOString(),
    test: facts.test,
    intervals,
    streams,
    sum,
    fairness: receiving === undefined ? null : jainIndex(receiving.streams.map((stream) => stream.bytes)),
    processor: { client: own?.processor ?? null, server: other?.processor ?? null },
    interrupted,
    error: error ?? null,
  };
}

/** Of the shares of n users: their sum squared over n times the sum of their squares. */
export function jainIndex(shares: readonly number[]): number | null {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? null : sum ** 2 / (shares.length * squares);
}

function bothEnds(sent: StreamReport | undefined, received: StreamReport | undefined): BothEnds {
  const receiver = received === undefined ? null : { ...figures(received), ...losses(sent, received) };
  return { sender: sent === undefined ? null : figures(sent), receiver };
}

function figures(report: StreamReport): Figures {
  return { ...report, bitsPerSecond: report.seconds === 0 ? 0 : (report.bytes * 8) / report.seconds };
}

function losses(sent: StreamReport | undefined, received: StreamReport): Partial<Figures> {
  if (sent?.datagrams === undefined || received.datagrams === undefined) return {};
  const lost = Math.max(sent.datagrams - received.datagrams, 0);
  return { lost, lostFraction: sent.datagrams === 0 ? 0 : lost / sent.datagrams };
}

/** Amounts are added; the time is the longest, the mean round trip and the jitter are the mean of the streams'. */
export function sumOf(streams: readonly StreamReport[] | undefined): StreamReport | undefined {
  if (streams === undefined) return undefined;
  const sum: Record<string, number> = {};
  const names = new Set(streams.flatMap((stream) => Object.keys(stream) as (keyof StreamReport)[]));
  for (const name of names) {
    const values = streams.map((stream) => stream[name]).filter((value) => value !== undefined);
    sum[name] = (COMBINED[name] ?? total)(values);
  }
  return sum as unknown as StreamReport;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const mean = (values: readonly number[]): number => total(values) / values.length;
const COMBINED: Partial<Record<keyof StreamReport, (values: readonly number[]) => number>> = {
  seconds: (values) => Math.max(...values),
  roundTripMinimum: (values) => Math.min(...values),
  roundTripMean: mean,
  roundTripMaximum: (values) => Math.max(...values),
  jitter: mean,
};
