// What a host or a router announces to the router above it: for each service the sum of its instances' weights, and
// what most of them wish of how one is chosen. What
// lies under a configured aggregate is announced as that prefix, while there is at least one instance of it; the
// longest prefix decides along the way (§4.2), so nothing below it need be known further up.

import type { TransportProtocol } from '../../stack/control-interface';
import { type PickerName, pickerNumber } from '../../table/pickers/picker-names';
import { PickerWishes } from '../../table/pickers/picker-wishes';
import type { ServicePrefix } from '../../wire/service-id';
import { COUNT_MAXIMUM, keyOf } from '../session/message-fields';
import type { RegisteredTerms } from '../session/session-message';

export interface AnnouncementObserver {
  /** From now on, or with other terms. */
  offer(prefix: ServicePrefix, protocol: TransportProtocol, terms: RegisteredTerms): void;
  withdraw(prefix: ServicePrefix, protocol: TransportProtocol): void;
}

interface Sum {
  instances: number;
  weight: number;
  /** Only where somebody wishes something. */
  wishes: PickerWishes | undefined;
}

interface Share {
  readonly prefix: ServicePrefix;
  readonly protocol: TransportProtocol;
  readonly terms: RegisteredTerms;
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

  /** `source` offers it from now on, or with other terms than before. */
  set(source: string, prefix: ServicePrefix, protocol: TransportProtocol, terms: RegisteredTerms): void {
    const shares = this.sources.get(source) ?? new Map<string, Share>();
    this.sources.set(source, shares);
    const key = keyOf(prefix, protocol);
    const former = shares.get(key);
    const share = { prefix, protocol, terms };
    shares.set(key, share);
    this.change(share, former?.terms, terms);
  }

  delete(source: string, prefix: ServicePrefix, protocol: TransportProtocol): void {
    const shares = this.sources.get(source);
    const key = keyOf(prefix, protocol);
    const share = shares?.get(key);
    if (shares === undefined || share === undefined) return;
    shares.delete(key);
    if (shares.size === 0) this.sources.delete(source);
    this.change(share, share.terms, undefined);
  }

  /** `source` is gone with all it offered. */
  deleteAll(source: string): void {
    const shares = this.sources.get(source);
    this.sources.delete(source);
    for (const share of shares?.values() ?? []) this.change(share, share.terms, undefined);
  }

  /** What `prefix` is announced as: itself, or the aggregate it lies under. */
  announcedAs(prefix: ServicePrefix): ServicePrefix {
    return this.aggregates.find((aggregate) => aggregate.containsPrefix(prefix)) ?? prefix;
  }

  private change(
    { prefix, protocol }: Share,
    former: RegisteredTerms | undefined,
    now: RegisteredTerms | undefined,
  ): void {
    const announced = this.announcedAs(prefix);
    const key = keyOf(announced, protocol);
    const sum = this.sums.get(key) ?? { instances: 0, weight: 0, wishes: undefined };
    sum.instances += (now === undefined ? 0 : 1) - (former === undefined ? 0 : 1);
    sum.weight += (now?.weight ?? 0) - (former?.weight ?? 0);
    // Of an aggregate, whose services may wish this and that, the router above has nothing to choose.
    if (announced.equals(prefix)) noteWishes(sum, former?.picker, now?.picker);
    if (sum.instances > 0) {
      this.sums.set(key, sum);
      const picker = sum.wishes?.decided;
      const weight = Math.min(sum.weight, COUNT_MAXIMUM);
      this.observer.offer(announced, protocol, picker === undefined ? { weight } : { weight, picker });
    } else {
      this.sums.delete(key);
      this.observer.withdraw(announced, protocol);
    }
  }
}

function noteWishes(sum: Sum, former: PickerName | undefined, now: PickerName | undefined): void {
  if (former === now) return;
  sum.wishes ??= new PickerWishes();
  if (former !== undefined) sum.wishes.add(pickerNumber(former), -1);
  if (now !== undefined) sum.wishes.add(pickerNumber(now));
}
