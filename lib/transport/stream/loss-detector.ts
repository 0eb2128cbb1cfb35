// Which trains are lost (RACK, RFC 8985 6.2): those that left before something that has arrived, and have
// had time for reordering. The reordering window widens when the peer reports duplicates. Without SACK the
// third duplicate acknowledgment decides (RFC 6582), which `Subflow` counts.

import type { Instant } from '../../time/instant';
import type { Delivery } from './delivery';
import type { Scoreboard } from './scoreboard';

export const DUPLICATE_THRESHOLD = 3;
/** RFC 8985: loss recoveries for which a widened reordering window is kept. */
const WIDENED_FOR_RECOVERIES = 16;

export class LossDetector {
  private newestSentAt = -1;
  private newestEnd = 0;
  private roundTrip = 0;
  private reorderingSeen = false;
  /** Reordering window in quarters of the least round trip. */
  private quarters = 1;
  private recoveriesLeft = 0;
  private widenedAt = 0;

  /** Takes what an acknowledgment delivered (steps 1 to 3). */
  handleDelivery(delivery: Delivery, minimumRoundTrip: number, now: Instant): void {
    if (delivery.reordered) this.reorderingSeen = true;
    if (delivery.newestSentAt < 0) return;
    const roundTrip = now - delivery.newestSentAt;
    // It may have been the first transmission that arrived.
    if (delivery.newestRetransmitted && roundTrip < minimumRoundTrip) return;
    this.roundTrip = roundTrip;
    const later = delivery.newestSentAt > this.newestSentAt;
    if (later || (delivery.newestSentAt === this.newestSentAt && delivery.newestEnd > this.newestEnd)) {
      this.newestSentAt = delivery.newestSentAt;
      this.newestEnd = delivery.newestEnd;
    }
  }

  /** The peer received something twice: widen the window, once a round trip (step 4). */
  handleDuplicate(scoreboard: Scoreboard): void {
    this.recoveriesLeft = WIDENED_FOR_RECOVERIES;
    this.reorderingSeen = true;
    if (scoreboard.acknowledged < this.widenedAt) return;
    this.quarters++;
    this.widenedAt = scoreboard.next;
  }

  handleRecoveryEnd(): void {
    if (this.recoveriesLeft > 0 && --this.recoveriesLeft === 0) this.quarters = 1;
  }

  /** Marks what is lost now; returns how long to wait for what may become so, 0 for nothing. */
  detect(
    scoreboard: Scoreboard,
    delivery: Delivery,
    context: { minimumRoundTrip: number; smoothedRoundTrip: number; recovering: boolean; segmentSize: number },
    now: Instant,
  ): number {
    if (this.newestSentAt < 0) return 0;
    const patience = this.roundTrip + this.reorderingWindow(scoreboard, context);
    return scoreboard.markOlder(this.newestSentAt, this.newestEnd, patience, now, delivery);
  }

  /** Another path: times measured on the old one say nothing (§4.4). */
  reset(): void {
    this.newestSentAt = -1;
    this.newestEnd = 0;
    this.roundTrip = 0;
    this.reorderingSeen = false;
    this.quarters = 1;
    this.recoveriesLeft = 0;
  }

  private reorderingWindow(
    scoreboard: Scoreboard,
    context: { minimumRoundTrip: number; smoothedRoundTrip: number; recovering: boolean; segmentSize: number },
  ): number {
    if (!this.reorderingSeen) {
      const enough = scoreboard.selectedBytes > (DUPLICATE_THRESHOLD - 1) * context.segmentSize;
      if (context.recovering || enough) return 0;
    }
    if (!Number.isFinite(context.minimumRoundTrip)) return 0;
    return Math.min((this.quarters * context.minimumRoundTrip) / 4, context.smoothedRoundTrip);
  }
}
