// What server and client of one measurement are told, as their one argument.

export const MEASURE_NAMES = [
  'throughput',
  'parallel',
  'round-trip',
  'spin',
  'connections',
  'messages',
  'idle',
] as const;
export type MeasureName = (typeof MEASURE_NAMES)[number];

export interface Task {
  /** The compiled file that exports `contenders`, and which of them this is. */
  readonly contenders: string;
  readonly contender: string;
  readonly measure: MeasureName | 'verify';
  /** Where a contender listens that needs an address. */
  readonly address: string;
  /** What the server told it can be reached at; only for the client. */
  readonly target?: string;
  /** Connections to open and leave idle. */
  readonly connections: number;
  /** Bytes before the measured time begins. */
  readonly warmUpBytes: number;
}

export const MESSAGE_BYTES = 64;
/** Streams side by side, measured together. */
export const PARALLEL_STREAMS = 100;
/** The untimed transfer: one long stream and many short ones at once, each with the digest of its bytes as answer. */
export const VERIFIED_BYTES = [8e6, ...Array.from({ length: PARALLEL_STREAMS }, () => 1e5)] as const;
