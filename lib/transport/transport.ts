// What a connection asks of its transport (§2.2): bytes or messages, over one flow or several. A transport
// sees no address and no flowID; a flow is a small number to it, and a sink to emit segments into.

import type { TransmitBatch } from '../wire/transmit-batch';

/** Where a transport emits the segments of one flow. */
export interface SegmentSink {
  /**
   * Starts a row: addresses and a bare 12-byte SAL header are written. The transport appends its header at
   * `batch.headerEnd`, its payload with `appendPiece`, and calls `batch.finish`. `undefined` when nothing
   * more fits this turn; the transport stops and is polled again.
   */
  begin(): TransmitBatch | undefined;
}

/** How large a transport's packets may be on a flow's path: bytes behind the 12-byte SAL header. */
export interface PathSize {
  /** Works on any path that carries Serval (from RFC 8899's BASE_PLPMTU). */
  readonly base: number;
  /** What the first hop's MTU allows; the search never goes past it. */
  readonly maximum: number;
}

/** Bits of `takeSignals()`: what the transport has to say to its owner, gathered since asked last. */
export const TransportSignal = {
  /** Bytes (or a datagram) can be read. */
  readable: 1,
  /** The send buffer has room again, after a `write` that was not accepted in full. */
  writable: 2,
  /** The peer's FIN was reached in order: end of stream. */
  ended: 4,
  /** Our FIN and all before it were acknowledged. */
  finished: 8,
  /** The peer did not answer for the user timeout, the retransmission limit or the keepalive limit. */
  timedOut: 16,
  /** The peer reset the stream inside its window (RFC 9293 3.10.7.4, TCP's own RST bit). */
  reset: 32,
  /** Something is to be transmitted: poll. */
  transmit: 64,
  /** Several timeouts in a row, and no acknowledgment: the path may be dead (§4.4). */
  silent: 128,
} as const;
