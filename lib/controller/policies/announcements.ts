// What a host or a router announces to the router above it: for each service the sum of its instances' weights. What
// lies under a configured aggregate is announced as that prefix, while there is at least one instance of it; the
// longest prefix decides along the way (§4.2), so nothing below it need be known further up.

import type { TransportProtocol } from '../../stack/control-interface';
import type { ServicePrefix } from '../../wire/service-id';
import { COUNT_MAXIMUM, keyOf } from '../session/message-fields';

export interface AnnouncementObserver {
  /** From now on, or with another weight. */
  offer(prefix: ServicePrefix, protocol: TransportProtocol, weight: number): void;
  withdraw(prefix: ServicePrefix, protocol: TransportProtocol): void;
}

interface Sum {
  instances: number;
  weight: number;
}

interface Share {
  readonly prefix: ServicePrefix;
  readonly protocol: TransportProtocol;
  readonly weight: number;
}

export class Announcements {
  private readonly sums = new Map<string, Sum>();
  /** What each source offers: a process, or a host below. */
  private readonly sources = new Map<string, Map<string, Share>>();
  /** The longest first. */
  private readonly aggregates: readonly ServicePrefix[];

  constructor(
    private readonly observer: AnnouncementObserver,
    aggregates: readonly ServicePrefix[] = [],
  ) {
    this.aggregates = [...aggregates].sort((a, b) => b.bits - a.bits);
  }

  /** `source` offers it from now on, or with another weight than before. */
  set(source: string, prefix: ServicePrefix, protocol: TransportProtocol, weight: number): void {
    const shares = this.sources.get(source) ?? new Map<string, Share>();
    this.sources.set(source, shares);
    const key = keyOf(prefix, protocol);
    const former = shares.get(key);
    const share = { prefix, protocol, weight };
    shares.set(key, share);
    this.change(share, former === undefined ? 1 : 0, weight - (former?.weight ?? 0));
  }

  delete(source: string, prefix: ServicePrefix, protocol: TransportProtocol): void {
    const shares = this.sources.get(source);
    const key = keyOf(prefix, protocol);
    const share = shares?.get(key);
    if (shares === undefined || share === undefined) return;
    shares.delete(key);
    if (shares.size === 0) this.sources.delete(source);
    this.change(share, -1, -share.weight);
  }

  /** `source` is gone with all it offered. */
  deleteAll(source: string): void {
    const shares = this.sources.get(source);
    this.sources.delete(source);
    for (const share of shares?.values() ?? []) this.change(share, -1, -share.weight);
  }

  /** What `prefix` is announced as: itself, or the aggregate it lies under. */
  announcedAs(prefix: ServicePrefix): ServicePrefix {
    return this.aggregates.find((aggregate) => aggregate.containsPrefix(prefix)) ?? prefix;
  }

  private change({ prefix, protocol }: Share, instances: number, weight: number): void {
    const announced = this.announcedAs(prefix);
    const key = keyOf(announced, protocol);
    const sum = this.sums.get(key) ?? { instances: 0, weight: 0 };
    sum.instances += instances;
    sum.weight += weight;
    if (sum.instances > 0) {
      this.sums.set(key, sum);
      this.observer.offer(announced, protocol, Math.min(sum.weight, COUNT_MAXIMUM));
    } else {
      this.sums.delete(key);
      this.observer.withdraw(announced, protocol);
    }
  }
}
