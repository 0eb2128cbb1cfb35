// A promise that does not take for ever.

import { PerfError, PerfErrorCode } from './perf-error';

/** Rejects with PERF_TIMEOUT when `promise` is not settled within so many milliseconds. */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PerfError(PerfErrorCode.timeout, `${what} took too long`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
