// What a test is: the parameters that travel from client to server, and their bounds. The server checks them
// again; whatever comes over the network is unknown until then.

import { PerfError, PerfErrorCode } from './perf-error';
import {
  PERF_BYTES_MAXIMUM,
  PERF_DATAGRAM_MAXIMUM,
  PERF_DATAGRAM_MINIMUM,
  PERF_RATE_MAXIMUM,
  PERF_RATE_MINIMUM,
  PERF_SECONDS_MAXIMUM,
  PERF_SECONDS_MINIMUM,
  PERF_STREAMS_MAXIMUM,
  PERF_WRITE_MAXIMUM,
} from './perf-limits';

export interface TestParameters {
  readonly transport: 'stream' | 'datagram';
  /** The server sends. */
  readonly reverse: boolean;
  readonly streams: number;
  /** Sending ends after so long, whatever else ends it. */
  readonly seconds: number;
  /** Sending ends after so many bytes in all streams together; null: after `seconds`. */
  readonly bytes: number | null;
  /** Bits a second of each stream; null: as fast as it is taken. Datagrams have a rate. */
  readonly rate: number | null;
  /** Bytes of one write, or of one datagram. */
  readonly length: number;
}

export interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
  readonly isWhole: boolean;
}

const whole = (minimum: number, maximum: number): Bounds => ({ minimum, maximum, isWhole: true });

export const BOUNDS = {
  streams: whole(1, PERF_STREAMS_MAXIMUM),
  seconds: { minimum: PERF_SECONDS_MINIMUM, maximum: PERF_SECONDS_MAXIMUM, isWhole: false },
  bytes: whole(1, PERF_BYTES_MAXIMUM),
  rate: whole(PERF_RATE_MINIMUM, PERF_RATE_MAXIMUM),
  write: whole(1, PERF_WRITE_MAXIMUM),
  datagram: whole(PERF_DATAGRAM_MINIMUM, PERF_DATAGRAM_MAXIMUM),
} as const;

export function isWithin(value: unknown, { minimum, maximum, isWhole }: Bounds): value is number {
  if (typeof value !== 'number' || !(value >= minimum && value <= maximum)) return false;
  return !isWhole || Number.isInteger(value);
}

/** The words of an error: `a whole number from 1 to 128`. */
export function describeBounds({ minimum, maximum, isWhole }: Bounds): string {
  return `a ${isWhole ? 'whole ' : ''}number from ${minimum} to ${maximum}`;
}

/** Throws a PerfError PERF_PARAMETER that says which bound was passed. */
export function checkParameters(value: unknown): TestParameters {
  if (typeof value !== 'object' || value === null) throw refused('parameters must be an object');
  const { transport, reverse, streams, seconds, bytes, rate, length } = value as Record<string, unknown>;
  if (transport !== 'stream' && transport !== 'datagram') throw refused('transport must be stream or datagram');
  if (typeof reverse !== 'boolean') throw refused('reverse must be true or false');
  const parameters: TestParameters = {
    transport,
    reverse,
    streams: bounded('streams', streams, BOUNDS.streams),
    seconds: bounded('seconds', seconds, BOUNDS.seconds),
    bytes: bytes === null ? null : bounded('bytes', bytes, BOUNDS.bytes),
    rate: rate === null ? null : bounded('rate', rate, BOUNDS.rate),
    length: bounded('length', length, transport === 'stream' ? BOUNDS.write : BOUNDS.datagram),
  };
  checkTotalRate(parameters);
  return parameters;
}

/** Datagrams are held back by nobody but us. */
function checkTotalRate({ transport, rate, streams }: TestParameters): void {
  if (transport === 'datagram' && rate === null) throw refused('datagrams must have a rate');
  if ((rate ?? 0) * streams <= PERF_RATE_MAXIMUM) return;
  throw refused(`rate times streams must be at most ${PERF_RATE_MAXIMUM} bits a second`);
}

function bounded(name: string, value: unknown, bounds: Bounds): number {
  if (isWithin(value, bounds)) return value;
  throw refused(`${name} must be ${describeBounds(bounds)}`);
}

function refused(message: string): PerfError {
  return new PerfError(PerfErrorCode.parameter, message);
}

/** What one of the streams has to send; infinite when time ends it. The first streams take what does not divide. */
export function bytesOfStream({ bytes, streams }: TestParameters, index: number): number {
  if (bytes === null) return Number.POSITIVE_INFINITY;
  return Math.floor(bytes / streams) + (index < bytes % streams ? 1 : 0);
}
