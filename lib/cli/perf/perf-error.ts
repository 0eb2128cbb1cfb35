// Why a test did not take place or did not end as it should. What the sockets say (ECONNREFUSED, ...) passes
// unchanged; here stands what only `serval perf` knows. docs/perf.md is the table for users.

import { PERF_TEXT_MAXIMUM } from './perf-limits';

export const PerfErrorCode = {
  /** An option of the command is out of bounds. */
  option: 'PERF_OPTION',
  /** The server does not carry out a test with these parameters. */
  parameter: 'PERF_PARAMETER',
  /** The two ends speak different versions of the control exchange. */
  version: 'PERF_VERSION',
  /** What answers is no perf server, or does not keep to the exchange. */
  protocol: 'PERF_PROTOCOL',
  /** The server carries out as many tests as it may. */
  busy: 'PERF_BUSY',
  /** The other end did not do its part in time, or fell silent. */
  timeout: 'PERF_TIMEOUT',
  /** The other end went away during the test. */
  ended: 'PERF_ENDED',
  /** Interrupted before the test had begun. */
  interrupted: 'PERF_INTERRUPTED',
} as const;

export class PerfError extends Error {
  override readonly name = 'PerfError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
}

export function describeError(error: unknown): ErrorDescription {
  const { code, message }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return { code: code ?? 'ERR_UNKNOWN', message };
}

/** A text of the peer's for a terminal: no escape sequences, no lines of its own, not for ever. */
export function harmlessText(text: string): string {
  return text.slice(0, PERF_TEXT_MAXIMUM).replace(/\p{C}/gu, '?');
}
