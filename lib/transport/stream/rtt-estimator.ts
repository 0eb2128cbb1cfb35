// The retransmission timeout from round-trip samples (RFC 6298). Retransmitted bytes give no sample (Karn):
// the caller sees to that, for there are no timestamps. Also the path's least round trip, for RACK and HyStart.

import {
  RETRANSMISSION_TIMEOUT_INITIAL,
  RETRANSMISSION_TIMEOUT_MAXIMUM,
  RETRANSMISSION_TIMEOUT_MINIMUM,
} from '../../limits';
import { type Duration, type Instant, NEVER } from '../../time/instant';

/** A minimum older than this gives way to a newer one: paths change without telling. */
const MINIMUM_LIFETIME = 30_000;

export class RttEstimator {
  private smoothedOrNone = -1;
  private variation = 0;
  private least = Number.POSITIVE_INFINITY;
  private leastExpires: Instant = NEVER;

  /** Takes a round trip measured at `now`. */
  sample(roundTrip: number, now: Instant): void {
    const measured = Math.max(roundTrip, 0);
    if (this.smoothedOrNone < 0) {
      this.smoothedOrNone = measured;
      this.variation = measured / 2;
    } else {
      this.variation += (Math.abs(this.smoothedOrNone - measured) - this.variation) / 4;
      this.smoothedOrNone += (measured - this.smoothedOrNone) / 8;
    }
    if (measured <= this.least || now >= this.leastExpires) {
      this.least = measured;
      this.leastExpires = (now + MINIMUM_LIFETIME) as Instant;
    }
  }

  /** Another path: nothing measured on the old one holds (§4.4). */
  reset(): void {
    this.smoothedOrNone = -1;
    this.variation = 0;
    this.least = Number.POSITIVE_INFINITY;
    this.leastExpires = NEVER;
  }

  /** `undefined` before the first sample. */
  get smoothed(): Duration | undefined {
    return this.smoothedOrNone < 0 ? undefined : (this.smoothedOrNone as Duration);
  }

  /** Infinite before the first sample. */
  get minimum(): number {
    return this.least;
  }

  /** RTO before backoff. The floor is added, not compared, so that it covers a peer's delayed acknowledgment. */
  get timeout(): Duration {
    if (this.smoothedOrNone < 0) return RETRANSMISSION_TIMEOUT_INITIAL;
    const timeout = this.smoothedOrNone + Math.max(4 * this.variation, RETRANSMISSION_TIMEOUT_MINIMUM);
    return Math.min(timeout, RETRANSMISSION_TIMEOUT_MAXIMUM) as Duration;
  }
}
