// The half-open requests of one listening socket (§4.4): whose SYN was answered and whose third ACK is still to come.
// Found by what a SYN says of its client. The places of a hash table hold flows that are chained through the flows
// themselves: a `Map` grows anew after every few removals, and its dead tables kept thousands of flows alive.

import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { FlowID, FlowNonce } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { Flow } from './flow';
import { MemberList } from './member-list';

export class HalfOpenFlows {
  private places: (Flow | undefined)[] = new Array<Flow | undefined>(PLACES_INITIAL).fill(undefined);
  private readonly flows = new MemberList<Flow>();
  /** Odd, and nobody else's knowledge: a client cannot choose what falls into one place. */
  private readonly factors: readonly [number, number, number];

  constructor(random: RandomSource) {
    this.factors = [random.uint32() | 1, random.uint32() | 1, random.uint32() | 1];
  }

  get size(): number {
    return this.flows.size;
  }

  /** The request that has waited longest. */
  get oldest(): Flow | undefined {
    return this.flows.oldest;
  }

  /** Who repeats a SYN from elsewhere has shown neither address to be its own: that is another request. */
  find(remoteFlowID: FlowID, remoteNonce: FlowNonce, client: NetworkAddress): Flow | undefined {
    let flow = this.places[this.placeOf(remoteFlowID, remoteNonce, client)];
    while (flow !== undefined && !isOf(flow, remoteFlowID, remoteNonce, client)) flow = flow.nextHalfOpen;
    return flow;
  }

  /** Of a flow that has its peer's names and its path. */
  add(flow: Flow): void {
    if (this.flows.size === this.places.length) this.grow();
    this.flows.add(flow);
    this.chain(flow);
  }

  /** Its client has just shown that it is there: others give way before it. */
  renew(flow: Flow, now: Instant): void {
    flow.request!.since = now;
    this.flows.delete(flow);
    this.flows.add(flow);
  }

  /** False when it was not here. */
  delete(flow: Flow): boolean {
    if (!this.flows.delete(flow)) return false;
    const place = this.placeOfFlow(flow);
    let before: Flow | undefined;
    let at = this.places[place];
    while (at !== flow) {
      before = at;
      at = at!.nextHalfOpen;
    }
    if (before === undefined) this.places[place] = flow.nextHalfOpen;
    else before.nextHalfOpen = flow.nextHalfOpen;
    flow.nextHalfOpen = undefined;
    return true;
  }

  /** Copy it (`[...flows]`) to remove flows while going through. */
  [Symbol.iterator](): Iterator<Flow> {
    return this.flows[Symbol.iterator]();
  }

  private chain(flow: Flow): void {
    const place = this.placeOfFlow(flow);
    flow.nextHalfOpen = this.places[place];
    this.places[place] = flow;
  }

  private grow(): void {
    this.places = new Array<Flow | undefined>(this.places.length * 2).fill(undefined);
    for (const flow of this.flows) this.chain(flow);
  }

  private placeOfFlow({ remoteFlowID, remoteNonce, path }: Flow): number {
    return this.placeOf(remoteFlowID, remoteNonce, path!.remote);
  }

  private placeOf(remoteFlowID: number, { high, low }: FlowNonce, client: NetworkAddress): number {
    const [first, second, third] = this.factors;
    const sum =
      Math.imul(remoteFlowID, first) + Math.imul(high ^ client.word0, second) + Math.imul(low ^ client.word3, third);
    return ((sum ^ (sum >>> 15)) >>> 8) & (this.places.length - 1);
  }
}

function isOf(flow: Flow, remoteFlowID: FlowID, remoteNonce: FlowNonce, client: NetworkAddress): boolean {
  return flow.remoteFlowID === remoteFlowID && flow.remoteNonce.equals(remoteNonce) && flow.path!.remote.equals(client);
}

/** A power of two. */
const PLACES_INITIAL = 16;
