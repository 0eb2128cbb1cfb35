// What server and client of one measurement are told, as their one argument.

import type { ContenderName } from './contenders';

export const MEASURE_NAMES = ['throughput', 'connections'] as const;
export type MeasureName = (typeof MEASURE_NAMES)[number];

export interface Task {
  readonly contender: ContenderName;
  readonly measure: MeasureName | 'verify';
  readonly address: string;
  /** What the server told it can be reached at; only for the client. */
  readonly target?: string;
}

export const MESSAGE_BYTES = 64;
/** The untimed transfer; the slowest needs a second for it. */
export const VERIFIED_BYTES = 2e6;
