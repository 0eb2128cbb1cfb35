// All that another process has to know to carry an established stream on, between two segments: numbers and bytes.
// What the path is like is not among it: the other process has another one.

import type { SendBuffer } from './send-buffer';
import type { SendWindow } from './send-window';
import type { StreamNegotiation } from './stream-handshake';
import type { StreamReceiver } from './stream-receiver';

export interface StreamState {
  /** Initial sequence numbers of both ends. */
  readonly localSequence: number;
  readonly peerSequence: number;
  readonly localWindowShift: number;
  readonly peerWindowShift: number;
  readonly peerMaximumSegment: number;
  readonly selective: boolean;
  /** Positions: everything before was sent and acknowledged, received in order. */
  readonly sent: number;
  readonly received: number;
  /** Behind the last byte that was sent: the peer may acknowledge up to there. */
  readonly sentTo: number;
  /** Positions behind the last byte that the peer takes, and that it may send. */
  readonly sendEdge: number;
  readonly receiveEdge: number;
  /** The largest window the peer ever offered. */
  readonly largestWindow: number;
  /** Payload of the largest segment the peer has sent. */
  readonly peerSegment: number;
  /** From `sent` on: written here, and sent or not. */
  readonly unacknowledged: Uint8Array;
}

export function streamStateOf(
  negotiation: StreamNegotiation,
  buffer: SendBuffer,
  window: SendWindow,
  receiver: StreamReceiver,
  sentTo: number,
): StreamState {
  const { localSequence, peerSequence, localWindowShift, peerWindowShift, peerMaximumSegment, selective } = negotiation;
  return {
    localSequence,
    peerSequence,
    localWindowShift,
    peerWindowShift,
    peerMaximumSegment,
    selective,
    sentTo,
    sent: buffer.start,
    received: receiver.buffer.next,
    sendEdge: window.edge,
    receiveEdge: receiver.window.edge,
    largestWindow: window.largest,
    peerSegment: receiver.peerSegment,
    unacknowledged: buffer.copy(),
  };
}
