// How fast a peer's lists of addresses make us open flows (§4.4): whoever has the nonce might list other people's
// addresses, again and again, and each would get our SYN.

import { JOIN_TIMEOUT, JOINS_PER_TIMEOUT } from '../limits';
import { type Instant, NEVER } from '../time/instant';
import { Quota } from '../time/quota';

export class JoinPace {
  private readonly quota = new Quota(JOINS_PER_TIMEOUT, JOIN_TIMEOUT);
  private isHeldUp = false;

  /** Whether one more may begin now; if so it counts. */
  take(now: Instant): boolean {
    this.isHeldUp = !this.quota.take(now);
    return !this.isHeldUp;
  }

  /** When one that was held up may begin. */
  get deadline(): Instant {
    return this.isHeldUp ? this.quota.renewsAt : NEVER;
  }

  handleDeadline(now: Instant): void {
    if (now >= this.quota.renewsAt) this.isHeldUp = false;
  }
}
