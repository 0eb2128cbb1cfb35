// How fast a peer's lists of addresses make us open flows (§4.4): whoever has the nonce might list other people's
// addresses, again and again, and each would get our SYN.

import { JOIN_TIMEOUT, JOINS_PER_TIMEOUT } from '../limits';
import { after, type Instant, NEVER } from '../time/instant';

export class JoinPace {
  private until: Instant = LONG_AGO;
  private count = 0;
  private isHeldUp = false;

  /** Whether one more may begin now; if so it counts. */
  take(now: Instant): boolean {
    if (now >= this.until) {
      this.until = after(now, JOIN_TIMEOUT);
      this.count = 0;
      this.isHeldUp = false;
    }
    if (this.count >= JOINS_PER_TIMEOUT) this.isHeldUp = true;
    else this.count++;
    return !this.isHeldUp;
  }

  /** When one that was held up may begin. */
  get deadline(): Instant {
    return this.isHeldUp ? this.until : NEVER;
  }

  handleDeadline(now: Instant): void {
    if (now >= this.until) this.isHeldUp = false;
  }
}

const LONG_AGO = Number.NEGATIVE_INFINITY as Instant;
