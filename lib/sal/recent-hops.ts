// Where first packets went lately: what comes of them - ICMP, a client that asks again - tells of an instance, and
// this tells which and for what service. A memory that loses things, and no state of flows: what is not found here
// tells nothing.

import { RECENT_HOPS } from '../limits';
import type { ResolvedForward } from '../table/resolved-rule';
import type { NetworkAddress } from '../wire/network-address';
import { ServiceID } from '../wire/service-id';

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
    return this.byRule.find((rule) => rule.address.equals(address));
  }

  /** Where the last SYN of this flow went. */
  ofFlow(flow: number): RecentHop | undefined {
    return this.flows[flow & MASK] === flow ? this.byFlow.at(flow) : undefined;
  }
}

const MASK = RECENT_HOPS - 1;
const ID_WORDS = 8;

/** Arrays instead of objects: a place is written with each packet, whose serviceID may be another one with the next. */
class Places {
  private readonly rules: (ResolvedForward | undefined)[] = new Array(RECENT_HOPS).fill(undefined);
  private readonly services = new Uint32Array(RECENT_HOPS * ID_WORDS);

  set(key: number, rule: ResolvedForward, service: ServiceID): void {
    const place = key & MASK;
    this.rules[place] = rule;
    for (let word = 0; word < ID_WORDS; word++) this.services[place * ID_WORDS + word] = service.words[word]!;
  }

  at(key: number): RecentHop | undefined {
    const place = key & MASK;
    const rule = this.rules[place];
    if (rule === undefined) return undefined;
    return { rule, service: ServiceID.fromWords(this.services.subarray(place * ID_WORDS, (place + 1) * ID_WORDS)) };
  }

  find(isWanted: (rule: ResolvedForward) => boolean): RecentHop | undefined {
    const place = this.rules.findIndex((rule) => rule !== undefined && isWanted(rule));
    return place < 0 ? undefined : this.at(place);
  }
}
