// What one end of a test has counted, stream by stream. It travels to the other end, so that the client can show
// both, and is checked there like everything that comes over the network.

import { PerfError, PerfErrorCode } from './perf-error';

/** One stream as one end saw it. What does not apply is left out. */
export interface StreamReport {
  readonly bytes: number;
  /** From the start of the test until sending was over, or until the last byte came. */
  readonly seconds: number;
  // Of a sender of streams.
  readonly retransmittedBytes?: number;
  /** Milliseconds: the smoothed round trip, of samples during the test. */
  readonly roundTripMinimum?: number;
  readonly roundTripMean?: number;
  readonly roundTripMaximum?: number;
  /** Bytes, the largest there was. */
  readonly congestionWindowMaximum?: number;
  // Of datagrams: sent, or received without duplicates.
  readonly datagrams?: number;
  /** Datagrams that the sender's own host had no room for. */
  readonly refused?: number;
  // Of a receiver of datagrams.
  readonly outOfOrder?: number;
  readonly duplicates?: number;
  /** Milliseconds, RFC 3550 6.4.1. */
  readonly jitter?: number;
}

/** Processor time of the whole process, seconds, and over how long it was counted. */
export interface ProcessorReport {
  readonly user: number;
  readonly system: number;
  readonly elapsed: number;
}

export interface EndReport {
  readonly streams: readonly StreamReport[];
  readonly processor: ProcessorReport;
}

const REQUIRED = ['bytes', 'seconds'] as const satisfies readonly (keyof StreamReport)[];
const OPTIONAL = [
  'retransmittedBytes',
  'roundTripMinimum',
  'roundTripMean',
  'roundTripMaximum',
  'congestionWindowMaximum',
  'datagrams',
  'refused',
  'outOfOrder',
  'duplicates',
  'jitter',
] as const satisfies readonly (keyof StreamReport)[];

/** Throws a PerfError PERF_PROTOCOL. Members that nobody knows are left behind. */
export function checkEndReport(value: unknown, streams: number): EndReport {
  const report = record(value);
  if (!Array.isArray(report['streams']) || report['streams'].length !== streams) throw malformed();
  return { streams: report['streams'].map(checkStreamReport), processor: checkProcessor(report['processor']) };
}

function checkStreamReport(value: unknown): StreamReport {
  const given = record(value);
  const numbers: Record<string, number> = {};
  for (const name of REQUIRED) numbers[name] = count(given[name]);
  for (const name of OPTIONAL) if (given[name] !== undefined) numbers[name] = count(given[name]);
  return numbers as unknown as StreamReport;
}

function checkProcessor(value: unknown): ProcessorReport {
  const { user, system, elapsed } = record(value);
  return { user: count(user), system: count(system), elapsed: count(elapsed) };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw malformed();
  return value as Record<string, unknown>;
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw malformed();
  return value;
}

function malformed(): PerfError {
  return new PerfError(PerfErrorCode.protocol, 'the other end sent results that are none');
}
