// How long to wait before the endpoint is tried again.

import { setTimeout as pause } from 'node:timers/promises';
import { REGISTRY_RETRY_MAXIMUM, REGISTRY_RETRY_MINIMUM } from '../limits';

export interface PauseOptions {
  /** Whether the wait keeps the process alive. */
  readonly ref: boolean;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** Twice as long after each failure, and drawn anew, so that processes that failed together do not again. */
export async function pauseAfter(failures: number, options: PauseOptions): Promise<void> {
  const longest = Math.min(REGISTRY_RETRY_MINIMUM * 2 ** failures, REGISTRY_RETRY_MAXIMUM);
  await pause(longest * Math.random(), undefined, options).catch(() => {});
}

/** No longer than that, whatever happens. */
export async function pauseFor(duration: number, options: PauseOptions): Promise<void> {
  await pause(duration, undefined, options).catch(() => {});
}
