// What the programs of figure7 are told and asked, and what they answer. All times are of the machine's clock.

export interface Task {
  /** Which of `contenders`. */
  readonly contender: string;
  /** Servers are counted from 0; the client learns from each answer which one gave it. */
  readonly index: number;
  /** Where a server listens, of the contenders that need to say so. */
  readonly address: string;
  /** What a client connects to. */
  readonly target: string;
  readonly fileBytes: number;
}

/** Orders of the servers. */
export interface ServerOrders {
  listen: { readonly argument: undefined; readonly result: { readonly listeningAt: number } };
  /** Nothing new is taken; the answer comes when the last connection has ended. */
  leave: { readonly argument: undefined; readonly result: { readonly leftAt: number } };
  /** When its first connection was there; the answer comes no earlier. */
  firstConnection: { readonly argument: undefined; readonly result: { readonly at: number } };
}

/** Orders of the clients. */
export interface ClientOrders {
  /** Resolves when an answer came; until then requests fail. */
  wait: { readonly argument: undefined; readonly result: undefined };
  /** So many more requests are open from now on; bins are counted from `origin`. */
  begin: { readonly argument: { readonly open: number; readonly origin: number }; readonly result: undefined };
  /** No new requests; resolves when none is open. */
  end: { readonly argument: undefined; readonly result: ClientReport };
  /** Small requests, two each `every` milliseconds whether or not those before were answered, until `stopProbing`. */
  probe: { readonly argument: { readonly every: number }; readonly result: ProbeReport };
  stopProbing: { readonly argument: undefined; readonly result: undefined };
}

export interface ClientReport {
  /** By server: bytes of answers that came in each bin of `BIN` milliseconds. */
  readonly bytes: readonly (readonly number[])[];
  /** Requests answered in full, in each bin. */
  readonly answered: readonly number[];
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly startedAt: number;
  readonly failedAt: number;
  readonly reason: string;
  /** Whose answer had begun. */
  readonly server: number | undefined;
}

export interface ProbeReport {
  readonly probes: readonly Probe[];
  readonly failures: readonly Failure[];
}

export interface Probe {
  readonly startedAt: number;
  /** What the connect took. */
  readonly connected: number;
  readonly server: number;
}

/** Milliseconds of a bin of what clients count. */
export const BIN = 100;

/** The first byte says what is wanted; clients send the whole so that both ends do what servers of files do. */
export const REQUEST_BYTES = 64;
export const WANTS_FILE = 70;
export const WANTS_NOTHING = 78;
/** Before the file: which server, and how many bytes follow. */
export const HEADER_BYTES = 16;

/** The file: pseudo-random bytes that follow from its size, so that clients can compare every byte. */
export function fileOf(bytes: number): Buffer {
  const file = Buffer.alloc(bytes);
  let state = 0x9e3779b9;
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    file[at] = state;
  }
  return file;
}
