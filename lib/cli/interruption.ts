// How the commands that go on are ended from the keyboard or by a supervisor: of SIGINT and SIGTERM the first has them
// end in good order, and the second ends the process at once. Commands that only wait for something have neither: the
// first signal ends them.

import { once } from 'node:events';

/** 128 and SIGINT, as shells have it. */
export const INTERRUPTED_EXIT_CODE = 130;

/** The first signal calls `first`. Returns what takes that back. */
export function onInterrupt(first: () => void): () => void {
  let isSecond = false;
  const handle = (): void => {
    if (isSecond) process.exit(INTERRUPTED_EXIT_CODE);
    isSecond = true;
    first();
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle).off('SIGTERM', handle);
  };
}

/** Aborted by the first signal, for as long as the process lives. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  onInterrupt(() => interrupted.abort());
  return interrupted.signal;
}

export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** `undefined` when the signal is aborted first. `outcome` must not reject. */
export function unlessAborted<Value>(outcome: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const abort = (): void => resolve(undefined);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void outcome.then((value) => {
      signal.removeEventListener('abort', abort);
      resolve(value);
    });
  });
}
