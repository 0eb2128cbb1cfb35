// When to acknowledge (RFC 9293 3.8.6.3, RFC 5681 4.2): a train at once, single segments every second one or
// after a delay, anything out of order at once. And how often to answer unacceptable segments (RFC 5961 7).

import { ACKNOWLEDGMENT_DELAY, CHALLENGE_ACK_INTERVAL, CHALLENGE_ACKS_MAXIMUM } from '../../limits';
import { type Instant, NEVER } from '../../time/instant';

export class AcknowledgmentSchedule {
  /** An acknowledgment is due in this turn, with data or alone. */
  isDue = false;
  /** When a delayed one becomes due. */
  deadline: Instant = NEVER;
  private pendingBytes = 0;
  private challenges = 0;
  private challengeIntervalEnd = Number.NEGATIVE_INFINITY;

  /** Data arrived in order. `segmentSize` is what the peer's full segments carry. */
  handleData(bytes: number, segments: number, segmentSize: number, now: Instant): void {
    this.pendingBytes += bytes;
    if (segments >= 2 || this.pendingBytes >= 2 * segmentSize) this.isDue = true;
    else if (this.deadline === NEVER) this.deadline = (now + ACKNOWLEDGMENT_DELAY) as Instant;
  }

  /** Something happened that the peer waits to hear of: a gap, the filling of one, a FIN, a duplicate. */
  demand(): void {
    this.isDue = true;
  }

  /** An unacceptable segment wants an answer; so many in an interval get one. Returns whether this one does. */
  challenge(now: Instant): boolean {
    if (now >= this.challengeIntervalEnd) {
      this.challengeIntervalEnd = now + CHALLENGE_ACK_INTERVAL;
      this.challenges = 0;
    }
    if (this.challenges >= CHALLENGE_ACKS_MAXIMUM) return false;
    this.challenges++;
    this.isDue = true;
    return true;
  }

  handleDeadline(now: Instant): void {
    if (this.deadline <= now) this.isDue = true;
  }

  /** A segment left, and every segment acknowledges. */
  handleSent(): void {
    this.isDue = false;
    this.deadline = NEVER;
    this.pendingBytes = 0;
  }
}
