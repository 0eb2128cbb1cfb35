// A stream while nothing is under way. Most connections of a server are in this state most of the time, so it is
// what their memory costs: the windows, what is known of the path, and numbers. The rest is made anew by traffic.

import type { Instant } from '../../time/instant';
import type { PathKnowledge } from './path-knowledge';
import { ReceiveWindow } from './receive-window';
import { SendWindow } from './send-window';
import { StreamCounters } from './stream-counters';
import type { StreamNegotiation } from './stream-handshake';

export interface RestingStream {
  /** Bytes sent, and bytes received: all of them acknowledged and read. */
  readonly sent: number;
  readonly received: number;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  /** Payload of the largest segment the peer has sent. */
  readonly peerSegment: number;
  readonly path: PathKnowledge;
  readonly counters: StreamCounters;
}

/** RFC 9293 3.7.1: what every peer may send before a segment of it came. */
const PEER_SEGMENT_INITIAL = 536;

/** One that has carried nothing yet. */
export function freshStream(
  negotiation: StreamNegotiation,
  receiveBuffer: number | undefined,
  path: PathKnowledge,
  now: Instant,
): RestingStream {
  const sendWindow = new SendWindow();
  sendWindow.establish(negotiation.peerWindow);
  const receiveWindow = new ReceiveWindow(receiveBuffer);
  receiveWindow.establish(negotiation.localWindowShift, negotiation.localWindow, now);
  return {
    sent: 0,
    received: 0,
    sendWindow,
    receiveWindow,
    peerSegment: PEER_SEGMENT_INITIAL,
    path,
    counters: new StreamCounters(),
  };
}
