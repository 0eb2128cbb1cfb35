// So much of something in an interval, and no more: what others can have us do has a bound.

import { after, type Duration, type Instant } from './instant';

export class Quota {
  private used = 0;
  /** The interval begins with the first that is taken in it. */
  renewsAt = Number.NEGATIVE_INFINITY as Instant;

  constructor(
    private readonly maximum: number,
    private readonly interval: Duration,
  ) {}

  /** Whether there is one more now; if so it is used. */
  take(now: Instant): boolean {
    if (now >= this.renewsAt) {
      this.renewsAt = after(now, this.interval);
      this.used = 0;
    }
    if (this.used >= this.maximum) return false;
    this.used++;
    return true;
  }
}
