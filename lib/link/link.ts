// A way to reach the network: takes trains, gives trains. Every implementation passes the same conformance
// suite (test/link/conformance.ts), the one in memory and the native ones alike.

import type { LinkProperties } from '../sal/link-properties';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import type { TransmitBatch } from '../wire/transmit-batch';

export interface Link {
  readonly properties: LinkProperties;
  /** UDP port in use once started; 0 on a raw link. */
  readonly port: number;
  /** Opens the sockets. Rejects with a `ServalError` (EADDRINUSE, EPERM, EAFNOSUPPORT ...). */
  start(handler: LinkHandler): Promise<void>;
  /**
   * Sends every row of `batch`, in order, dropping what the network would drop. Returns false when the
   * socket is full: the rest has been copied (bounded; beyond the bound it is dropped and counted) and
   * `handler.writable` is called when it has gone. The caller may reset the batch at once.
   */
  transmit(batch: TransmitBatch): boolean;
  /** Whether a started link keeps the process alive. */
  ref(): void;
  unref(): void;
  /** Whether each `handler.received` is followed by `handler.settled`. */
  readonly settles?: boolean;
  /** Bytes that the kernel queues for it while the process computes, as the kernel counts; where it can tell. */
  readonly receiveBuffer?: number;
  /** Counters, by name: packets and bytes sent and received, system calls, drops by reason. */
  readonly statistics: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export interface LinkHandler {
  /** One burst. The batch and its slab are valid until return, except for what was taken. */
  received(batch: ReceivedBatch): void;
  /** From a link that `settles`: what the application put off to the end of the tick in which it received has run. */
  settled?(): void;
  writable(): void;
  /** The network said that nobody is at `address` (ICMP port or host unreachable). A hint, not a proof. */
  unreachable(address: NetworkAddress): void;
  /** A packet to `address` was larger than the path: the kernel's or ICMP's idea of its IP MTU, in bytes. */
  packetTooBig(address: NetworkAddress, mtu: number): void;
  /** The link is dead and has closed itself. */
  failed(error: Error): void;
}
