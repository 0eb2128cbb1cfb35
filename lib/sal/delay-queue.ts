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
  /** Whose SYN it is: it waits once, however often it comes. An object is one of our flows, which sends it anew itself. */
  readonly owner?: object | string | undefined;
  readonly packet: T;
}

interface Waiting<T> extends DelayedPacket<T> {
  readonly until: Instant;
}

export class DelayQueue<T> {
  private waiting: Waiting<T>[] = [];
  private readonly owners = new Set<object | string>();
  dropped = 0;

  /** `abandoned`: no packet for the service waits any more, and no controller has had a part in it. */
  constructor(private readonly abandoned: (service: ServiceID) => void = () => {}) {}

  get length(): number {
    return this.waiting.length;
  }

  isWaiting(owner: object): boolean {
    return this.owners.has(owner);
  }

  /** Queues a packet. True when its service had none waiting: the controller is to be told. */
  add(delayed: DelayedPacket<T>, now: Instant): boolean {
    const wasWaiting = delayed.owner !== undefined && this.remove(delayed.owner) !== undefined;
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
    if (delayed.owner !== undefined) this.owners.add(delayed.owner);
    // A flow of ours says when it is over: its connect has a time limit of its own.
    const until = typeof delayed.owner === 'object' ? NEVER : after(now, DELAY_TIMEOUT);
    waiting.push({ ...delayed, until });
    if (sameService >= DELAYED_PER_SERVICE) this.drop(oldestOfService);
    else if (sameSource >= DELAYED_PER_SOURCE) this.drop(oldestOfSource);
    else if (waiting.length > DELAYED_TOTAL) this.drop(0);
    return sameService === 0 && !wasWaiting;
  }

  /** Takes out what `prefix` covers, oldest first: to be resolved anew, or to be forgotten. */
  take(prefix: ServicePrefix): DelayedPacket<T>[] {
    const taken = this.waiting.filter((each) => prefix.contains(each.service));
    if (taken.length > 0) this.waiting = this.waiting.filter((each) => !prefix.contains(each.service));
    for (const { owner } of taken) if (owner !== undefined) this.owners.delete(owner);
    return taken;
  }

  /** The owner has gone, or has found another way. */
  withdraw(owner: object): void {
    const removed = this.remove(owner);
    if (removed !== undefined) this.tellWhenLast(removed.service);
  }

  nextDeadline(): Instant {
    return this.waiting.find(({ until }) => until !== NEVER)?.until ?? NEVER;
  }

  expire(now: Instant): void {
    const expired = this.waiting.filter((each) => each.until <= now);
    if (expired.length === 0) return;
    this.waiting = this.waiting.filter((each) => each.until > now);
    this.dropped += expired.length;
    for (const { owner } of expired) if (owner !== undefined) this.owners.delete(owner);
    for (const { service } of uniqueByService(expired)) this.tellWhenLast(service);
  }

  private drop(index: number): void {
    const [dropped] = this.waiting.splice(index, 1);
    if (dropped!.owner !== undefined) this.owners.delete(dropped!.owner);
    this.dropped++;
    this.tellWhenLast(dropped!.service);
  }

  private remove(owner: object | string): Waiting<T> | undefined {
    if (!this.owners.delete(owner)) return undefined;
    return this.waiting.splice(
      this.waiting.findIndex((each) => each.owner === owner),
      1,
    )[0];
  }

  private tellWhenLast(service: ServiceID): void {
    if (!this.waiting.some((each) => each.service.equals(service))) this.abandoned(service);
  }
}

function uniqueByService<T>(packets: readonly Waiting<T>[]): Waiting<T>[] {
  return [...new Map(packets.map((each) => [each.service.toString(), each])).values()];
}
