// What the programs of a measurement are told by their arguments, and what they tell the one that started them.

import type { ContenderName } from './contenders';

export const MEASURE_NAMES = ['throughput', 'round-trip', 'connections', 'idle'] as const;
export type MeasureName = (typeof MEASURE_NAMES)[number];

/** The one argument of server and client, as JSON. */
export interface Task {
  readonly contender: ContenderName;
  readonly measure: MeasureName;
  /** Where `net` listens. */
  readonly address: string;
  /** What the server told it can be reached at; only for the client. */
  readonly target?: string;
  /** Connections to open and leave idle. */
  readonly connections: number;
}

/** The answer to a `mark`: everything counted since the program began. */
export interface Mark {
  /** Milliseconds on this process's monotonic clock. */
  readonly at: number;
  /** Seconds of all threads, user and system. */
  readonly cpu: number;
  readonly bytes: number;
  /** Requests answered. */
  readonly requests: number;
  /** Resident memory behind a garbage collection; only when idle memory is measured. */
  readonly memory: number;
  /** Microseconds of each round trip since the last mark. */
  readonly roundTrips: readonly number[];
}

export type Report =
  | { readonly kind: 'listening'; readonly target: string; readonly link: string }
  /** The client's traffic flows and both are warm; idle: all connections are open. */
  | { readonly kind: 'running' }
  | { readonly kind: 'mark'; readonly mark: Mark }
  | { readonly kind: 'failed'; readonly reason: string };

export type Order = 'mark';
