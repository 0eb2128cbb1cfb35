// What one run of a contender leaves behind: what clients counted, and what happened when. Times in milliseconds on
// the machine's clock; bins are counted from `origin`.

import type { ContenderName } from './contenders';
import type { ClientReport, ProbeReport } from './task';

export interface Recording {
  readonly contender: ContenderName;
  readonly origin: number;
  readonly phases: readonly RecordedPhase[];
  readonly joins: readonly Join[];
  /** When the server was killed, which one, and when the run ended. */
  readonly killed: { readonly at: number; readonly server: number };
  readonly end: number;
  readonly clients: readonly ClientReport[];
  readonly probes: readonly ProbeReport[];
  /** What was seen of the machine in each second since `origin`. */
  readonly observed: readonly Observed[];
}

export interface RecordedPhase {
  /** When the change was ordered that it begins with. */
  readonly begin: number;
  readonly end: number;
  /** Servers that are to serve. */
  readonly servers: readonly number[];
}

export interface Join {
  readonly server: number;
  /** When `listen` had returned. */
  readonly listeningAt: number;
  /** When its first connection was there. */
  readonly firstConnectionAt: number;
}

export interface Observed {
  /** Of the processors: 0 to 1. */
  readonly idle: number;
  /** Bytes on the router's device, the greater of both directions: what is passed on counts once. */
  readonly carried: number;
}
