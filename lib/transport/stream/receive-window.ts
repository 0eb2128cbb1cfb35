// How much the peer may send: the window we advertise. Its right edge never moves back, moves only in steps
// worth a segment (RFC 9293 3.8.6.2.2), and the buffer behind it grows while the peer fills it each round trip.

import { RECEIVE_BUFFER_DEFAULT, RECEIVE_BUFFER_MAXIMUM, RECEIVE_BUFFER_MINIMUM } from '../../limits';
import type { Instant } from '../../time/instant';

/** Milliseconds: a burst that arrives in one turn measures the turn, not the path. */
const ROUND_MINIMUM = 1;
/** Assumed while nothing was sent that could measure it: generous, for it bounds memory only. */
const ROUND_TRIP_UNKNOWN = 200;

export class ReceiveWindow {
  /** Stream offset behind the last byte that may be received. */
  edge = 0;
  /** Bytes the connection may hold unread. */
  buffer: number;
  private readonly maximum: number;
  private shift = 0;
  /** Edge that was advertised when the measured round began, and when. */
  private roundEdge = 0;
  private roundStart = 0;
  private readInRound = 0;

  /** A `buffer` that the application chose is kept as it is; without one it grows with use. */
  constructor(buffer: number | undefined) {
    const wanted = Math.floor(buffer ?? RECEIVE_BUFFER_DEFAULT);
    this.buffer = Math.min(Math.max(wanted, RECEIVE_BUFFER_MINIMUM), RECEIVE_BUFFER_MAXIMUM);
    this.maximum = buffer === undefined ? RECEIVE_BUFFER_MAXIMUM : this.buffer;
  }

  /** `advertised` is what the handshake told the peer. */
  establish(shift: number, advertised: number, now: Instant): void {
    this.shift = shift;
    this.edge = advertised;
    this.roundEdge = advertised;
    this.roundStart = now;
  }

  /**
   * The window field of a segment that acknowledges everything before `next`, while `unread` bytes wait for
   * the application. Advertising it moves the edge.
   */
  advertise(next: number, unread: number, segmentSize: number): number {
    const candidate = next + Math.max(this.buffer - unread, 0);
    if (candidate - this.edge >= this.step(segmentSize)) this.edge = candidate;
    const room = Math.min(Math.max(this.edge - next, 0), 0xffff << this.shift);
    // Rounded down: rounding up would let a peer of tiny segments creep past the buffer (RFC 7323 2.4).
    return room >>> this.shift;
  }

  /** Whether reading has opened the window so far that the peer should be told without a segment of its own. */
  wantsUpdate(next: number, unread: number, segmentSize: number): boolean {
    const advance = next + Math.max(this.buffer - unread, 0) - this.edge;
    return advance >= this.step(segmentSize) && advance >= this.edge - next;
  }

  /** The application took `bytes`; everything before `next` has arrived. */
  handleRead(bytes: number, next: number, roundTrip: number | undefined, now: Instant): void {
    this.readInRound += bytes;
    if (next < this.roundEdge) return;
    const round = Math.max(now - this.roundStart, ROUND_MINIMUM);
    // A whole window in less than two round trips: the peer is held back by it, and the application keeps up.
    const fast = round < 2 * Math.max(roundTrip ?? ROUND_TRIP_UNKNOWN, ROUND_MINIMUM);
    if (fast && this.readInRound >= this.buffer / 2) this.buffer = Math.min(this.buffer * 2, this.maximum);
    this.roundEdge = Math.max(this.edge, next + 1);
    this.roundStart = now;
    this.readInRound = 0;
  }

  private step(segmentSize: number): number {
    return Math.min(this.buffer / 2, segmentSize);
  }
}
