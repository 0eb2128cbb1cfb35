// Tail loss probe (RFC 8985 7): when acknowledgments stop, one more segment asks for one, so that the loss
// of the last segments is repaired without a retransmission timeout. It decides; `StreamTransmitter` sends.

import { type Duration, milliseconds } from '../../time/instant';

/** Before the first round-trip sample; and never sooner than an event loop's hiccup. */
const TIMEOUT_INITIAL = milliseconds(1000);
const TIMEOUT_MINIMUM = milliseconds(10);

export class TailLossProbe {
  /** The timer fired: a probe is to be sent with the next turn. */
  isDue = false;
  /** End of what was sent when the probe left; -1 when none is outstanding. */
  private end = -1;
  private retransmitted = false;
  private answered = false;

  get isOutstanding(): boolean {
    return this.end >= 0 || this.isDue;
  }

  timeout(smoothed: Duration | undefined, acknowledgmentDelay: Duration): Duration {
    if (smoothed === undefined) return TIMEOUT_INITIAL;
    return Math.max(2 * smoothed + acknowledgmentDelay, TIMEOUT_MINIMUM) as Duration;
  }

  /** A probe left; `retransmitted` when it repeated the last segment for want of a new one. */
  handleSent(next: number, retransmitted: boolean): void {
    this.isDue = false;
    this.end = next;
    this.retransmitted = retransmitted;
    this.answered = false;
  }

  /** The peer had the probe's bytes already. True when the duplicate is the probe's doing. */
  handleDuplicate(end: number): boolean {
    if (this.end < 0 || !this.retransmitted || end !== this.end) return false;
    this.answered = true;
    return true;
  }

  /** True when the acknowledgment shows that the probe repaired a loss. */
  handleAcknowledgment(to: number, duplicate: boolean, delivered: number): boolean {
    if (this.end < 0 || to < this.end) return false;
    if (!this.retransmitted || this.answered || (to === this.end && duplicate && delivered === 0)) {
      this.reset();
      return false;
    }
    if (to === this.end) return false;
    this.reset();
    return true;
  }

  reset(): void {
    this.isDue = false;
    this.end = -1;
    this.answered = false;
  }
}
