// Where first packets went lately: what comes of them - ICMP, a client that asks again - tells of an instance, and
// this tells which and for what service. A memory that loses things, and no state of flows: what is not found here
// tells nothing.

import { RECENT_HOPS } from '../limits';
import type { ResolvedForward } from '../table/resolved-rule';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID } from '../wire/service-id';

export interface RecentHop {
  readonly rule: ResolvedForward;
  readonly service: ServiceID;
}

export class RecentHops {
  private readonly byRule = new Places();
  private readonly byFlow = new Places();
  private readonly flows = new Int32Array(RECENT_HOPS);

  /** A first packet goes where this rule says. `flow` tells connects apart; 0 for what is none. */
  note(rule: ResolvedForward, service: ServiceID, flow: number): void {
    this.byRule.set(rule.number, rule, service);
    if (flow === 0) return;
    this.byFlow.set(flow, rule, service);
    this.flows[flow & MASK] = flow;
  }

  /** What went to this address last, if it is remembered. */
  to(address: NetworkAddress): RecentHop | undefined {
    return this.byRule.find(({ rule }) => rule.address.equals(address));
  }

  /** Where the last SYN of this flow went. */
  ofFlow(flow: number): RecentHop | undefined {
    return this.flows[flow & MASK] === flow ? this.byFlow.at(flow) : undefined;
  }
}

const MASK = RECENT_HOPS - 1;

/** Two arrays instead of objects: a place is written with each packet. */
class Places {
  private readonly rules: (ResolvedForward | undefined)[] = new Array(RECENT_HOPS).fill(undefined);
  private readonly services: (ServiceID | undefined)[] = new Array(RECENT_HOPS).fill(undefined);

  set(key: number, rule: ResolvedForward, service: ServiceID): void {
    this.rules[key & MASK] = rule;
    this.services[key & MASK] = service;
  }

  at(key: number): RecentHop | undefined {
    const rule = this.rules[key & MASK];
    return rule === undefined ? undefined : { rule, service: this.services[key & MASK]! };
  }

  find(isWanted: (hop: RecentHop) => boolean): RecentHop | undefined {
    for (let place = 0; place < RECENT_HOPS; place++) {
      const hop = this.at(place);
      if (hop !== undefined && isWanted(hop)) return hop;
    }
    return undefined;
  }
}
