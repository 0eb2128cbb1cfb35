// What server and client of one measurement are told, as their one argument.

import type { ContenderName } from './contenders';

export interface Task {
  readonly contender: ContenderName;
  readonly measure: 'rate' | 'verify';
  readonly address: string;
  /** What the server told it can be reached at; only for the client. */
  readonly target?: string;
}

/** Fits an MTU of 1500 with the headers of both. */
export const DATAGRAM_BYTES = 1200;
