// What the programs of this benchmark are told.

export interface RouterTask {
  readonly port: number;
  readonly registry: string;
  readonly prefixes: number;
  /** Next hops. */
  readonly hops: readonly string[];
  /** Of the next hops. */
  readonly hopPort: number;
}

export interface ReceiverTask {
  readonly port: number;
  readonly registry: string;
  /** Of each datagram, bytes. */
  readonly payload: number;
}
