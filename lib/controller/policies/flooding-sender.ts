// What this host tells its segment of the services it offers: a change at once, and everything again each period, so
// that who has just come or has missed something knows it, too. What was withdrawn is said for a lease longer.

import type { TransportProtocol } from '../../stack/control-interface';
import { after, type Duration, earlier, type Instant, NEVER } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import { FLOOD_ENTRIES_MAXIMUM, type FloodEntry, writeFloodMessage } from '../../wire/flood-message';
import type { ServicePrefix } from '../../wire/service-id';
import { Announcements } from './announcements';
import {
  FLOOD_ENTRIES_PER_SOURCE_MAXIMUM,
  FLOOD_HOLD_OFF,
  FLOOD_LEASE,
  FLOOD_PERIOD,
  FLOOD_PREFIX_BITS_MINIMUM,
} from './discovery-limits';

/** As whom this host speaks. */
export interface FloodingIdentity {
  /** When it began to, milliseconds since 1970: what it said before that no longer holds. */
  readonly generation: number;
  /** UDP port of its first packets; 0 on a link without ports. */
  readonly port: number;
}

interface Offer {
  readonly prefix: ServicePrefix;
  /** Of each protocol; one rule serves both. */
  readonly weights: Map<TransportProtocol, number>;
  /** Nobody offers it any more; said until then. */
  withdrawnUntil: Instant | undefined;
}

export class FloodingSender {
  /** What is offered here and has not been told: there are too many. */
  untold = 0;
  private readonly sums = new Announcements({
    offer: (prefix, protocol, { weight }) => this.offer(prefix, protocol, weight),
    withdraw: (prefix, protocol) => this.withdraw(prefix, protocol),
  });
  private readonly offers = new Map<string, Offer>();
  private readonly changed = new Set<Offer>();
  private identity: FloodingIdentity | undefined;
  private messages: Uint8Array[] = [];
  private sequence = 0;
  private now = 0 as Instant;
  private lastAt = -FLOOD_HOLD_OFF as Instant;
  private changeAt: Instant = NEVER;
  private refreshAt: Instant = NEVER;

  constructor(private readonly random: RandomSource) {}

  /** `source`, a process of this host, offers it from now on, or with another weight. */
  handleOffered(
    source: string,
    prefix: ServicePrefix,
    protocol: TransportProtocol,
    weight: number,
    now: Instant,
  ): void {
    if (prefix.bits < FLOOD_PREFIX_BITS_MINIMUM) return;
    this.now = now;
    this.sums.set(source, prefix, protocol, { weight });
  }

  handleWithdrawn(source: string, prefix: ServicePrefix, protocol: TransportProtocol, now: Instant): void {
    this.now = now;
    this.sums.delete(source, prefix, protocol);
  }

  handleGone(source: string, now: Instant): void {
    this.now = now;
    this.sums.deleteAll(source);
  }

  /** This process speaks for its host from now on. */
  start(identity: FloodingIdentity, now: Instant): void {
    this.identity = identity;
    this.sequence = 0;
    for (const offer of this.offers.values()) if (offer.weights.size > 0) this.changed.add(offer);
    this.changeAt = this.changed.size > 0 ? now : NEVER;
    this.refreshAt = after(now, this.period());
  }

  /** It speaks no longer, and takes back what it said. */
  stop(): void {
    const live = [...this.offers.values()].filter(({ weights }) => weights.size > 0);
    if (this.identity !== undefined) this.say(live.map(({ prefix }) => ({ prefix, weight: 0 })));
    this.identity = undefined;
    this.changeAt = NEVER;
    this.refreshAt = NEVER;
  }

  /** Who has just come to a segment is told everything. */
  handleSegment(now: Instant): void {
    if (this.identity !== undefined) this.refreshAt = earlier(this.refreshAt, after(now, FLOOD_HOLD_OFF));
  }

  nextDeadline(): Instant {
    return earlier(this.changeAt, this.refreshAt);
  }

  handleDeadline(now: Instant): void {
    if (this.refreshAt <= now) this.refresh(now);
    else if (this.changeAt <= now) this.tellChanges(now);
  }

  pollMessage(): Uint8Array | undefined {
    return this.messages.shift();
  }

  private offer(prefix: ServicePrefix, protocol: TransportProtocol, weight: number): void {
    const key = prefix.toString();
    const offer = this.offers.get(key) ?? { prefix, weights: new Map(), withdrawnUntil: undefined };
    if (!this.offers.has(key) && this.offers.size >= FLOOD_ENTRIES_PER_SOURCE_MAXIMUM) {
      this.untold++;
      return;
    }
    const before = weightOf(offer);
    this.offers.set(key, offer);
    offer.weights.set(protocol, weight);
    offer.withdrawnUntil = undefined;
    if (weightOf(offer) !== before) this.note(offer);
  }

  private withdraw(prefix: ServicePrefix, protocol: TransportProtocol): void {
    const offer = this.offers.get(prefix.toString());
    if (offer?.weights.delete(protocol) !== true) return;
    if (offer.weights.size === 0) offer.withdrawnUntil = after(this.now, FLOOD_LEASE);
    this.note(offer);
  }

  /** At once, unless something was told just now: then with whatever else changes meanwhile. */
  private note(offer: Offer): void {
    if (this.identity === undefined) return;
    this.changed.add(offer);
    const soonest = Math.max(this.now, this.lastAt + FLOOD_HOLD_OFF) as Instant;
    this.changeAt = earlier(this.changeAt, soonest);
  }

  private tellChanges(now: Instant): void {
    const changed = [...this.changed];
    this.changed.clear();
    this.changeAt = NEVER;
    this.lastAt = now;
    this.say(changed.map(entryOf));
  }

  private refresh(now: Instant): void {
    for (const [key, { withdrawnUntil }] of this.offers) {
      if (withdrawnUntil !== undefined && withdrawnUntil <= now) this.offers.delete(key);
    }
    for (const offer of this.offers.values()) this.changed.add(offer);
    this.tellChanges(now);
    this.refreshAt = after(now, this.period());
  }

  private say(entries: readonly FloodEntry[]): void {
    for (let start = 0; start < entries.length; start += FLOOD_ENTRIES_MAXIMUM) {
      const some = entries.slice(start, start + FLOOD_ENTRIES_MAXIMUM);
      this.sequence++;
      const { sequence, identity } = this;
      this.messages.push(writeFloodMessage({ ...identity!, sequence, lease: FLOOD_LEASE, entries: some }));
    }
  }

  /** Up to a tenth shorter: hosts that began together do not speak together. */
  private period(): Duration {
    return (FLOOD_PERIOD * (1 - this.random.fraction() / 10)) as Duration;
  }
}

function entryOf(offer: Offer): FloodEntry {
  return { prefix: offer.prefix, weight: weightOf(offer) };
}

function weightOf({ weights }: Offer): number {
  return Math.max(0, ...weights.values());
}
