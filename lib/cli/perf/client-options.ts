// The options of `serval perf client`, from text to parameters. Numbers may end in k, M, G or T, powers of 1000.

import { PerfError, PerfErrorCode } from './perf-error';
import {
  PERF_DATAGRAM_DEFAULT,
  PERF_DATAGRAM_RATE_DEFAULT,
  PERF_INTERVAL_DEFAULT,
  PERF_INTERVAL_MAXIMUM,
  PERF_INTERVAL_MINIMUM,
  PERF_SECONDS_DEFAULT,
  PERF_SECONDS_MAXIMUM,
  PERF_WRITE_DEFAULT,
} from './perf-limits';
import { BOUNDS, type Bounds, checkParameters, describeBounds, isWithin, type TestParameters } from './test-parameters';

/** As commander gives them: texts, or true for a flag. */
export interface ClientOptions {
  readonly parallel?: string;
  readonly time?: string;
  readonly bytes?: string;
  readonly rate?: string;
  readonly length?: string;
  readonly interval?: string;
  readonly reverse?: boolean;
  readonly datagram?: boolean;
  readonly json?: boolean;
}

export interface CheckedOptions {
  readonly parameters: TestParameters;
  /** Seconds. */
  readonly interval: number;
}

/** Throws a PerfError PERF_OPTION that names the option and its bound. */
export function checkOptions(options: ClientOptions): CheckedOptions {
  const { datagram = false, reverse = false } = options;
  if (options.time !== undefined && options.bytes !== undefined) {
    throw new PerfError(PerfErrorCode.option, '--time and --bytes exclude each other');
  }
  const bytes = numberOf('--bytes', options.bytes, BOUNDS.bytes) ?? null;
  const seconds = numberOf('--time', options.time, BOUNDS.seconds);
  const length = numberOf('--length', options.length, datagram ? BOUNDS.datagram : BOUNDS.write);
  const parameters: TestParameters = {
    transport: datagram ? 'datagram' : 'stream',
    reverse,
    streams: numberOf('--parallel', options.parallel, BOUNDS.streams) ?? 1,
    seconds: seconds ?? (bytes === null ? PERF_SECONDS_DEFAULT : PERF_SECONDS_MAXIMUM),
    bytes,
    rate: numberOf('--rate', options.rate, BOUNDS.rate) ?? (datagram ? PERF_DATAGRAM_RATE_DEFAULT : null),
    length: length ?? (datagram ? PERF_DATAGRAM_DEFAULT : PERF_WRITE_DEFAULT),
  };
  const interval = numberOf('--interval', options.interval, INTERVAL) ?? PERF_INTERVAL_DEFAULT;
  return { parameters: checkTogether(parameters), interval };
}

/** What each option allows by itself may be too much together. */
function checkTogether(parameters: TestParameters): TestParameters {
  try {
    return checkParameters(parameters);
  } catch (error) {
    throw new PerfError(PerfErrorCode.option, (error as Error).message);
  }
}

function numberOf(option: string, text: string | undefined, bounds: Bounds): number | undefined {
  if (text === undefined) return undefined;
  const value = parseNumber(text);
  if (isWithin(value, bounds)) return value;
  throw new PerfError(PerfErrorCode.option, `${option} must be ${describeBounds(bounds)}, not ${JSON.stringify(text)}`);
}

/** NaN for what is no number. */
export function parseNumber(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kKmMgGtT]?)$/.exec(text);
  if (match === null) return Number.NaN;
  const value = Number(match[1]) * 1000 ** ' kmgt'.indexOf(match[2]!.toLowerCase() || ' ');
  // 1.001k is 1001, whatever the fractions of a binary number make of it.
  return match[2] === '' ? value : Math.round(value * 1000) / 1000;
}

const INTERVAL: Bounds = { minimum: PERF_INTERVAL_MINIMUM, maximum: PERF_INTERVAL_MAXIMUM, isWhole: false };
