// What is compared, behind what all of them have in common: connections that carry bytes both ways. No shape of stream
// is forced on anybody: each writes and reads with its own API, as its documentation says.

export interface Peer {
  /** Whether what it sends is encrypted, as serval's bytes here are not. */
  readonly isEncrypted: boolean;
  /** What has to be loaded or started before the other two are called. */
  prepare?(): Promise<void>;
  serve(address: string, accept: Accept, listening: Listening): Promise<void>;
  /**
   * A new connection with a handshake of its own. `lane` is the number of the caller: in a lane one connection follows
   * the other, and a peer that keeps no two connections to one server has a client for each lane.
   */
  connect(target: string, lane: number, events: ConnectionEvents): Promise<PeerConnection>;
}

export interface PeerConnection {
  /** Whether it may go on writing at once; if not, `drained` is called when it may. */
  write(chunk: Uint8Array): boolean;
  /** Says that no more will be written. */
  end(): void;
  /** Ends the connection; resolves when it is closed at this side. */
  close(): Promise<void>;
}

export interface ConnectionEvents {
  received(chunk: Chunk): void;
  drained(): void;
}

/** A `Uint8Array`, or a list of them that is joined when asked. */
export interface Chunk {
  readonly byteLength: number;
  subarray(): Uint8Array;
}

export type Accept = (connection: PeerConnection) => ConnectionEvents;
/** What the client is to connect to, and what carries the bytes. */
export type Listening = (target: string, carrier: string) => void;
