// The one timer of a host: armed for the stack's next deadline. It is moved only to fire
// earlier; one that fires too early is armed again, which is cheaper than moving it with every packet.

import { type Instant, NEVER } from '../time/instant';
import { monotonicNow } from './monotonic-clock';

export class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined;
  private firesAt: Instant = NEVER;
  private wantedAt: Instant = NEVER;

  constructor(private readonly fire: () => void) {}

  set(at: Instant): void {
    this.wantedAt = at;
    if (at < this.firesAt) this.arm();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.firesAt = NEVER;
    this.wantedAt = NEVER;
  }

  private arm(): void {
    clearTimeout(this.timer);
    const delay = Math.min(Math.max(Math.ceil(this.wantedAt - monotonicNow()), 1), GREATEST_DELAY);
    this.firesAt = (monotonicNow() + delay) as Instant;
    this.timer = setTimeout(() => this.handleTimeout(), delay);
    // What keeps the process alive is the sockets' matter, not a timer's.
    this.timer.unref();
  }

  private handleTimeout(): void {
    this.firesAt = NEVER;
    if (this.wantedAt > monotonicNow()) {
      if (this.wantedAt !== NEVER) this.arm();
      return;
    }
    this.fire();
  }
}

/** setTimeout takes 31 bits of milliseconds. */
const GREATEST_DELAY = 0x7fff_ffff;
