// What happened in each interval of a running test: differences of what its lanes have counted.

import type { LaneSnapshot } from './lane';
import type { RunningTest } from './running-test';

export interface IntervalStream {
  readonly bytes: number;
  readonly bitsPerSecond: number;
  readonly retransmittedBytes?: number;
  readonly roundTrip?: number;
  readonly congestionWindow?: number;
  readonly datagrams?: number;
  /** Datagrams: the change in what is missing; negative when late ones came. */
  readonly lost?: number;
  readonly outOfOrder?: number;
  readonly jitter?: number;
}

export interface IntervalReport {
  /** Seconds since the start of the test. */
  readonly start: number;
  readonly end: number;
  readonly streams: readonly IntervalStream[];
  readonly sum: IntervalStream;
}

export class IntervalClock {
  private readonly timer: NodeJS.Timeout;
  private last: readonly LaneSnapshot[];
  private lastAt = 0;

  /** Of a test that starts now. */
  constructor(
    private readonly running: Pick<RunningTest, 'snapshot' | 'elapsed' | 'report'>,
    seconds: number,
    private readonly report: (report: IntervalReport) => void,
  ) {
    this.last = running.snapshot();
    this.timer = setInterval(() => this.tick(), seconds * 1000);
  }

  /** With a last interval of what is left, if that is worth a line. */
  end(): void {
    clearInterval(this.timer);
    const at = Math.max(...this.running.report().streams.map((stream) => stream.seconds));
    if (at - this.lastAt >= SHORTEST_INTERVAL) this.tick(at);
  }

  private tick(at = this.running.elapsed): void {
    const now = this.running.snapshot();
    this.report(intervalReport(this.last, now, this.lastAt, at));
    this.last = now;
    this.lastAt = at;
  }
}

export function intervalReport(
  before: readonly LaneSnapshot[],
  after: readonly LaneSnapshot[],
  start: number,
  end: number,
): IntervalReport {
  const streams = after.map((lane, index) => difference(before[index]!, lane, end - start));
  return { start, end, streams, sum: sumOf(streams) };
}

function difference(before: LaneSnapshot, after: LaneSnapshot, seconds: number): IntervalStream {
  const { roundTrip, congestionWindow, jitter } = after;
  const bytes = after.bytes - before.bytes;
  return present({
    bytes,
    bitsPerSecond: (bytes * 8) / seconds,
    retransmittedBytes: less(after.retransmittedBytes, before.retransmittedBytes),
    roundTrip,
    congestionWindow,
    datagrams: less(after.datagrams, before.datagrams),
    lost: less(after.missing, before.missing),
    outOfOrder: less(after.outOfOrder, before.outOfOrder),
    jitter,
  });
}

function less(after: number | undefined, before = 0): number | undefined {
  return after === undefined ? undefined : after - before;
}

/** Round trip and jitter are no amounts: of them the mean. */
function sumOf(streams: readonly IntervalStream[]): IntervalStream {
  const sum: Record<string, number> = {};
  for (const stream of streams) {
    for (const [name, value] of Object.entries(stream)) sum[name] = (sum[name] ?? 0) + value;
  }
  for (const name of ['roundTrip', 'jitter']) {
    const count = streams.filter((stream) => name in stream).length;
    if (count > 0) sum[name]! /= count;
  }
  return sum as unknown as IntervalStream;
}

function present(stream: Record<keyof IntervalStream, number | undefined>): IntervalStream {
  return Object.fromEntries(
    Object.entries(stream).filter(([, value]) => value !== undefined),
  ) as unknown as IntervalStream;
}

/** Seconds. */
const SHORTEST_INTERVAL = 0.05;
