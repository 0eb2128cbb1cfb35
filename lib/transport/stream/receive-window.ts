// How much the peer may send: the window we advertise. Its right edge never moves back, moves only in steps
// worth a segment (RFC 9293 3.8.6.2.2), and the buffer behind it grows while the peer fills it each round trip.

import {
  RECEIVE_BUFFER_DEFAULT,
  RECEIVE_BUFFER_MAXIMUM,
  RECEIVE_BUFFER_MINIMUM,
  RECEIVE_SHARE_MINIMUM,
} from '../../limits';
import type { Instant } from '../../time/instant';
import type { ReceiveBudget } from './receive-budget';

/** Milliseconds: a burst that arrives in one turn measures the turn, not the path. */
const ROUND_MINIMUM = 1;
/** Assumed while nothing was sent that could measure it: generous, for it bounds memory only. */
const ROUND_TRIP_UNKNOWN = 200;
const NOT_MOVED = -1;
/** Offered from the start: what the window of a SYN can say. */
const WINDOW_INITIAL = 0xffff;

/** What is known of the path's round trip, milliseconds; infinite and undefined while nothing measured it. */
export interface RoundTrip {
  readonly minimum: number;
  readonly smoothed: number | undefined;
}

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
  /** When the edge was moved from where: what lies behind it comes a round trip later at the earliest. */
  private movedAt = 0;
  private movedFrom = NOT_MOVED;
  private arrivedAt = 0;
  /** The shortest time that this took so far: the path's round trip, or more. */
  private shortestTrip = Number.POSITIVE_INFINITY;
  /** Bytes that the path itself holds at the rate of the last round, twice. */
  private pathBytes = 0;

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
  advertise(next: number, unread: number, segmentSize: number, budget: ReceiveBudget): number {
    const advance = this.advance(next, unread, segmentSize, budget);
    if (advance >= this.step(segmentSize)) this.moveEdge(advance);
    const room = Math.min(Math.max(this.edge - next, 0), 0xffff << this.shift);
    // Rounded down: rounding up would let a peer of tiny segments creep past the buffer (RFC 7323 2.4).
    return room >>> this.shift;
  }

  /** Whether reading has opened the window so far that the peer should be told without a segment of its own. */
  wantsUpdate(next: number, unread: number, segmentSize: number, budget: ReceiveBudget): boolean {
    const advance = this.advance(next, unread, segmentSize, budget);
    return advance >= this.step(segmentSize) && advance >= this.edge - next;
  }

  /** Everything before `next` has arrived. */
  handleArrival(next: number, now: Instant): void {
    this.arrivedAt = now;
    if (this.movedFrom === NOT_MOVED || next <= this.movedFrom) return;
    this.shortestTrip = Math.min(this.shortestTrip, now - this.movedAt);
    this.movedFrom = NOT_MOVED;
  }

  /** The application took `bytes`; everything before `next` has arrived. */
  handleRead(bytes: number, next: number, roundTrip: RoundTrip, now: Instant): void {
    this.readInRound += bytes;
    if (next < this.roundEdge) return;
    const round = Math.max(now - this.roundStart, ROUND_MINIMUM);
    this.pathBytes = (2 * this.readInRound * Math.min(roundTrip.minimum, this.shortestTrip)) / round;
    // A whole window in less than two round trips: the peer is held back by it, and the application keeps up.
    const fast = round < 2 * Math.max(roundTrip.smoothed ?? ROUND_TRIP_UNKNOWN, ROUND_MINIMUM);
    if (fast && this.readInRound >= this.buffer / 2) this.buffer = Math.min(this.buffer * 2, this.maximum);
    this.roundEdge = Math.max(this.edge, next + 1);
    this.roundStart = now;
    this.readInRound = 0;
  }

  private moveEdge(advance: number): void {
    if (this.movedFrom === NOT_MOVED) {
      this.movedFrom = this.edge;
      this.movedAt = this.arrivedAt;
    }
    this.edge += advance;
  }

  /** How far the edge may move; negative when it stands too far out, for it never moves back. */
  private advance(next: number, unread: number, segmentSize: number, budget: ReceiveBudget): number {
    if (budget.isScarce) return 0;
    return next + Math.max(this.room(next, segmentSize, budget) - unread, 0) - this.edge;
  }

  /**
   * Bytes that may be unread or under way. One that grows with use opens no faster than its sender can; and beyond
   * what the path holds it is a part of what the host's queue holds.
   */
  private room(next: number, segmentSize: number, budget: ReceiveBudget): number {
    const opened = this.maximum === this.buffer ? this.buffer : Math.max(WINDOW_INITIAL, 4 * next);
    const share = Math.max(budget.share, RECEIVE_SHARE_MINIMUM, 2 * segmentSize);
    return Math.min(this.buffer, opened, Math.max(this.pathBytes, share));
  }

  private step(segmentSize: number): number {
    return Math.min(this.buffer / 2, segmentSize);
  }
}
