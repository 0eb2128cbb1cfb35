// What may be sent while losses are repaired: proportional rate reduction (RFC 6937, with the rule of safe
// acknowledgments), slow start after a timeout, and the undoing of both when nothing had been lost
// (DSACK, RFC 3708; the first transmission arriving after a timeout, in the spirit of RFC 5682).

import type { Instant } from '../../time/instant';
import type { CongestionControl } from './congestion/congestion-control';
import type { Delivery } from './delivery';

export type RecoveryState = 'open' | 'recovery' | 'loss';

export class Recovery {
  state: RecoveryState = 'open';
  /** What was sent before the episode began ends here; its acknowledgment ends the episode. */
  point = 0;
  /** Congestion window of `recovery`, bytes. */
  window = 0;
  private deliveredBytes = 0;
  private sentBytes = 0;
  private flightAtStart = 0;
  private isFirst = false;
  /** Retransmitted bytes of this episode that no DSACK named; when all were, it was a mistake. */
  private undoBytes = 0;
  private canUndo = false;
  private timeoutAt = 0;

  /** A loss was detected outside of an episode, with `before` bytes in flight, the lost ones among them. */
  start(control: CongestionControl, next: number, before: number, now: Instant): void {
    control.handleLoss(before, now);
    this.state = 'recovery';
    this.point = next;
    this.deliveredBytes = 0;
    this.sentBytes = 0;
    this.flightAtStart = Math.max(before, 1);
    this.isFirst = true;
    this.beginUndo();
  }

  /** One acknowledgment within `recovery`: sets what may be in flight. `progress`: bytes of this acknowledgment that show that the repair gets on. */
  reduce(delivery: Delivery, progress: number, threshold: number, inFlight: number, segmentSize: number): void {
    this.deliveredBytes += delivery.bytes;
    let count: number;
    if (inFlight > threshold) {
      count = Math.ceil((this.deliveredBytes * threshold) / this.flightAtStart) - this.sentBytes;
    } else {
      const safe = progress > 0 && delivery.lostBytes === 0;
      const limit = Math.max(this.deliveredBytes - this.sentBytes, delivery.bytes) + (safe ? segmentSize : 0);
      count = Math.min(threshold - inFlight, limit);
    }
    // The first retransmission leaves at once; and with nothing left in flight recovery would wait for the timer.
    if (this.isFirst || inFlight === 0) count = Math.max(count, segmentSize);
    this.isFirst = false;
    this.window = inFlight + Math.max(count, 0);
  }

  end(control: CongestionControl, now: Instant): void {
    if (this.state === 'recovery') control.handleRecoveryEnd(now);
    this.state = 'open';
  }

  /** The retransmission timer fired with `before` bytes in flight. */
  timeout(control: CongestionControl, next: number, before: number, now: Instant): void {
    // One reduction an episode: a timeout within `recovery` finds the threshold lowered.
    const first = this.state === 'open';
    control.handleTimeout(before, first, now);
    this.state = 'loss';
    this.point = next;
    this.timeoutAt = now;
    if (first) this.beginUndo();
    else this.canUndo = false;
  }

  /** Another flow sends again what was lost here: whether that was a mistake cannot be told any more. */
  handleTakenOver(): void {
    this.canUndo = false;
  }

  handleSent(bytes: number, again: boolean): void {
    if (this.state === 'recovery') this.sentBytes += bytes;
    if (again && this.canUndo) this.undoBytes += bytes;
  }

  /**
   * Whether the acknowledgment proves the episode a mistake; then the window is restored. `minimumRoundTrip`
   * tells an answer to a retransmission from one that was under way before it.
   */
  undo(delivery: Delivery, control: CongestionControl, minimumRoundTrip: number, now: Instant): boolean {
    if (!this.canUndo) return false;
    this.undoBytes -= delivery.duplicateBytes;
    const duplicated = delivery.duplicateBytes > 0 && this.undoBytes <= 0;
    if (!duplicated && !this.isRevived(delivery, minimumRoundTrip, now)) return false;
    control.undo(now);
    this.state = 'open';
    this.canUndo = false;
    return true;
  }

  /** Another path: no loss of the old one is repaired by rate (§4.4). */
  reset(): void {
    this.state = 'open';
    this.canUndo = false;
  }

  private isRevived(delivery: Delivery, minimumRoundTrip: number, now: Instant): boolean {
    if (delivery.revivedBytes === 0 || this.state === 'open') return false;
    if (this.state === 'recovery') return this.undoBytes === 0;
    if (!delivery.anyRetransmitted) return true;
    return now - this.timeoutAt < minimumRoundTrip;
  }

  private beginUndo(): void {
    this.undoBytes = 0;
    this.canUndo = true;
  }
}
