// First packets that wait for a controller to install a rule (§4.3). Bounded for each service, each source
// and in all, and in time; beyond a bound the oldest goes, and every drop is counted.

import { DELAY_TIMEOUT, DELAYED_PER_SERVICE, DELAYED_PER_SOURCE, DELAYED_TOTAL } from '../limits';
import { after, type Instant, NEVER } from '../time/instant';
import type { ServiceID, ServicePrefix } from '../wire/service-id';

/** A first packet that waits: one of ours (its flow will send it anew) or a copy of a received one. */
export interface DelayedPacket<T> {
  readonly service: ServiceID;
  /** The sender, as text; our own packets share the empty one and count as one source each. */
  readonly source: string;
  readonly packet: T;
}

interface Waiting<T> extends DelayedPacket<T> {
  readonly until: Instant;
}

export class DelayQueue<T> {
  private waiting: Waiting<T>[] = [];
  dropped = 0;

  get length(): number {
    return this.waiting.length;
  }

  /** Queues a packet. True when its service had none waiting: the controller is to be told. */
  add(delayed: DelayedPacket<T>, now: Instant): boolean {
    const { waiting } = this;
    let sameService = 0;
    let sameSource = 0;
    let oldestOfService = 0;
    let oldestOfSource = 0;
    // Newest first, without a list of what is found: strangers have us come here with every packet.
    for (let index = waiting.length - 1; index >= 0; index--) {
      const each = waiting[index]!;
      if (each.service.equals(delayed.service)) {
        sameService++;
        oldestOfService = index;
      }
      if (delayed.source !== '' && each.source === delayed.source) {
        sameSource++;
        oldestOfSource = index;
      }
    }
    if (sameService >= DELAYED_PER_SERVICE) this.drop(oldestOfService);
    else if (sameSource >= DELAYED_PER_SOURCE) this.drop(oldestOfSource);
    else if (waiting.length >= DELAYED_TOTAL) this.drop(0);
    waiting.push({ ...delayed, until: after(now, DELAY_TIMEOUT) });
    return sameService === 0;
  }

  /** Takes out what `prefix` covers, oldest first: to be resolved anew, or to be forgotten. */
  take(prefix: ServicePrefix): DelayedPacket<T>[] {
    const taken = this.waiting.filter((each) => prefix.contains(each.service));
    if (taken.length > 0) this.waiting = this.waiting.filter((each) => !prefix.contains(each.service));
    return taken;
  }

  nextDeadline(): Instant {
    return this.waiting[0]?.until ?? NEVER;
  }

  expire(now: Instant): void {
    const kept = this.waiting.filter((each) => each.until > now);
    this.dropped += this.waiting.length - kept.length;
    this.waiting = kept;
  }

  private drop(index: number): void {
    this.waiting.splice(index, 1);
    this.dropped++;
  }
}
