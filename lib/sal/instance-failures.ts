// What is noticed of instances that a FORWARD rule leads to and that do not take connections (§4.3: monitoring is a
// controller's source). Told to the controllers, and so often only: who makes us notice many failures makes us do
// little more.

import { INSTANCE_FAILURES_INTERVAL, INSTANCE_FAILURES_MAXIMUM } from '../limits';
import type { ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import { Quota } from '../time/quota';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import type { RecentHops } from './recent-hops';

/**
 * `refused`: it answered our SYN with RST. `unanswered`: it did not answer our SYN. `unreachable`: ICMP says that
 * nobody is there. `retried`: we passed a SYN on to it, and its client asks again.
 */
export type FailureReason = 'refused' | 'unanswered' | 'unreachable' | 'retried';

export interface InstanceFailure {
  readonly kind: 'instanceFailed';
  /** The rule that led there. */
  readonly prefix: ServicePrefix;
  readonly address: NetworkAddress;
  readonly link: number;
  readonly serviceID: ServiceID;
  readonly why: FailureReason;
}

/** A client asks again for the service, of whom we do not know where its last SYN went. */
export interface ConnectRetried {
  readonly kind: 'connectRetried';
  readonly serviceID: ServiceID;
}

export class InstanceFailures {
  /** Each look for what happened counts: it costs as much. */
  private readonly looks = new Quota(INSTANCE_FAILURES_MAXIMUM, INSTANCE_FAILURES_INTERVAL);

  constructor(
    private readonly table: ServiceTable,
    private readonly tell: (event: InstanceFailure | ConnectRetried, now: Instant) => void,
  ) {}

  /** False when enough was told in this interval. */
  note(serviceID: ServiceID, at: NetworkAddress, why: FailureReason, now: Instant): boolean {
    if (!this.looks.take(now)) return false;
    this.tellOf(serviceID, at, why, now);
    return true;
  }

  private tellOf(serviceID: ServiceID, at: NetworkAddress, why: FailureReason, now: Instant): void {
    const rule = this.table.ruleTo(serviceID, at);
    if (rule === undefined || rule.broadcast) return;
    const { prefix, address, link } = rule;
    this.tell({ kind: 'instanceFailed', prefix, address, link, serviceID, why }, now);
  }

  /** ICMP says that nobody is at `address`; `recent` knows what for we asked there. False as for `note`. */
  noteUnreachable(address: NetworkAddress, recent: RecentHops, now: Instant): boolean {
    if (!this.looks.take(now)) return false;
    const hop = recent.to(address);
    if (hop !== undefined) this.tellOf(hop.service, address, 'unreachable', now);
    return true;
  }

  /** False as for `note`. */
  noteRetry(serviceID: ServiceID, now: Instant): boolean {
    if (!this.looks.take(now)) return false;
    this.tell({ kind: 'connectRetried', serviceID }, now);
    return true;
  }
}
