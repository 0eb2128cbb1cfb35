// The flows of a connection beside its first (§4.4): which paths there are between the two ends, by what each knows of
// itself and hears of the other; who opens flows there, and when one is tried again. Handshakes and lists stand in
// sal/signaling/join.ts, what the stream does with several flows in transport/stream/flow-schedule.ts.
// Long because what the two ends know of each other decides all of that together.

import {
  ADDRESSES_REPEAT,
  ADDRESSES_REPEATS_MAXIMUM,
  FLOWS_PER_STREAM_MAXIMUM,
  JOIN_PAUSE,
  JOIN_PAUSE_MAXIMUM,
  TOLD_ADDRESSES_MAXIMUM,
} from '../limits';
import { Flow, type FlowFailure, type FlowOwner, type SynListener } from '../sal/flow';
import { HalfOpenFlows } from '../sal/half-open-flows';
import type { LocalInterfaces, MigrationTarget } from '../sal/local-interfaces';
import type { Path } from '../sal/path';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { startJoin, tellAddresses } from '../sal/signaling/join';
import { after, type Duration, earlier, type Instant, NEVER } from '../time/instant';
import type { AddressExtension } from '../wire/address-extension';
import { controlSequence } from '../wire/control-extension';
import type { FlowNonce } from '../wire/flow-id';
import { FlowPriority } from '../wire/flow-priority';
import type { NetworkAddress } from '../wire/network-address';
import { ServicePrefix } from '../wire/service-id';
import { ClosedFlows } from './closed-flows';
import type { MigrationRefusal } from './control-interface';
import { FlowPriorities } from './flow-priorities';
import { JoinPace } from './join-pace';
import type { Multipath } from './multipath';
import { isSameWay, nameOf, sharedWords, type Way, waysBetween } from './way';

/** What it needs of the connection and the stack around it. */
export interface FurtherFlowsContext {
  readonly sal: ServiceAccessLayer;
  /** The flows that carry the connection now, the first one first. */
  readonly flows: readonly Flow[];
  /** The owner of the flows. */
  readonly owner: FlowOwner;
  /** The host's interfaces. */
  readonly interfaces: LocalInterfaces;
  createSegments(link: number): HandshakeSegments;
  /** The peer has the address that the flow goes to again, or no more. */
  peerAddressChanged(flow: Flow, isThere: boolean, now: Instant): void;
  /** The flow is for reserve from now on, or no more. */
  priorityChanged(flow: Flow, isReserve: boolean, now: Instant): void;
}

/** Where the application wants a further flow. */
export interface FlowTarget extends MigrationTarget {
  /** One of the peer's addresses; without it, one that no flow goes to, or else that of the first flow. */
  readonly remote?: NetworkAddress | undefined;
  /** Whether it is for reserve; what its interface says by default. */
  readonly backup?: boolean | undefined;
}

/** Why there is none. */
export type FlowRefusal = MigrationRefusal | 'inUse' | 'noRoom';

/** A flow that the application has asked for, and what has become of it. */
export interface FlowOpening {
  readonly flow: Flow;
  outcome: 'pending' | 'open' | FlowFailure;
}

/** A flow under way: to where, and who waits for it. */
interface Joining extends Way {
  readonly opening?: FlowOpening;
}

/** A way that led nowhere. */
interface Failure {
  /** `undefined` once the way may be tried again. */
  readonly until: Instant | undefined;
  readonly pause: Duration;
}

export class FurtherFlows implements SynListener {
  readonly prefix: ServicePrefix;
  readonly nonce: FlowNonce;
  readonly isFull = false;
  readonly halfOpen: HalfOpenFlows;
  /** Those whose SYN nobody has answered yet. */
  private readonly joining = new Map<Flow, Joining>();
  private readonly failures = new Map<string, Failure>();
  private readonly closed = new ClosedFlows();
  private readonly pace = new JoinPace();
  private readonly priorities: FlowPriorities;
  private told: readonly NetworkAddress[] = [];
  private toldNumber = 0;
  private heard: readonly NetworkAddress[] = [];
  private heardNumber = 0;
  private repeatAt: Instant = NEVER;
  private repeats = 0;
  /** The peer has the latest list. */
  private isListHeard = false;

  /** Whether flows are opened from here, for the application asked for them. The other end only accepts. */
  private readonly opens: boolean;

  constructor(
    first: Flow,
    multipath: Multipath,
    private readonly context: FurtherFlowsContext,
  ) {
    this.opens = multipath.mode === 'open';
    this.priorities = new FlowPriorities(multipath.backup, context.interfaces);
    this.priorities.begin(first, false, false);
    this.nonce = first.localNonce;
    this.prefix = first.service === undefined ? ServicePrefix.any : ServicePrefix.of(first.service);
    this.halfOpen = new HalfOpenFlows(context.sal.random);
  }

  // ---- what is accepted ----

  get hasRoom(): boolean {
    return this.context.flows.length + this.joining.size + this.halfOpen.size < FLOWS_PER_STREAM_MAXIMUM;
  }

  createSegments({ link }: Path): HandshakeSegments {
    return this.context.createSegments(link);
  }

  accept(flow: Flow): FlowOwner {
    this.priorities.begin(flow, false, (flow.request!.detail & FlowPriority.reserve) !== 0);
    return this.context.owner;
  }

  // ---- what happens ----

  /** The first flow is there, or our addresses have changed. */
  handleAddressesChanged(now: Instant): void {
    if (this.toldNumber === 0 && !this.opens) return;
    const addresses = this.localAddresses();
    if (this.toldNumber > 0 && isSameList(addresses, this.told)) return;
    this.told = addresses;
    this.toldNumber++;
    this.repeats = 0;
    this.isListHeard = false;
    this.failures.clear();
    for (const flow of this.context.flows) this.handleMoved(flow, now);
    this.tell(now);
    this.open(now);
  }

  /** The peer's list, which came from `from`. */
  handleList(
    flow: Flow,
    { controlSequence: number, controlAck, addresses, flags = 0 }: AddressExtension,
    from: NetworkAddress,
    now: Instant,
  ): void {
    const isNew = number > this.heardNumber;
    if (isNew) {
      const reachable = addresses
        .map((each) => (each.port === 0 ? each.withPort(from.port) : each))
        .filter(isReachable);
      if (!isSameList(reachable, this.heard)) this.failures.clear();
      this.heardNumber = number;
      this.followAddresses(flow, this.heard, reachable, now);
      this.heard = reachable;
    }
    const isNews = this.handleFlags(flow, number, flags, now);
    if (controlAck >= this.toldNumber) this.isListHeard = true;
    if (this.isListHeard && this.priorities.unheard().length === 0) this.repeatAt = NEVER;
    if (this.toldNumber === 0) {
      this.beginTelling();
      this.handleMoved(flow, now);
    }
    // A list is answered by a list, an acknowledgment of ours that brings nothing new is not.
    if (isNew || isNews || controlAck < this.toldNumber) this.tell(now, flow);
    if (isNew) for (const each of this.context.flows) each.peerAddresses = this.heard;
    this.open(now);
  }

  /** The flow carries the connection from now on. */
  handleJoined(flow: Flow, now: Instant): void {
    const way = this.joining.get(flow);
    if (way !== undefined) this.failures.delete(nameOf(way));
    if (way?.opening !== undefined) way.opening.outcome = 'open';
    this.joining.delete(flow);
    flow.peerAddresses = this.heard;
    // The SYN that it began with has said what the peer wants.
    if (way === undefined) this.handleMoved(flow, now);
  }

  /** By which of our interfaces it goes decides whether it is for reserve, unless the application has. */
  handleMoved(flow: Flow, now: Instant): void {
    if (this.priorities.handleMoved(flow) || this.priorities.unheard().includes(flow)) this.tellPriority(flow, now);
  }

  /** The application wants it for reserve, or no more. */
  setReserve(flow: Flow, isReserve: boolean, now: Instant): void {
    if (this.priorities.set(flow, isReserve, true)) this.tellPriority(flow, now);
  }

  isReserve(flow: Flow): boolean {
    return this.priorities.isReserve(flow);
  }

  /** What the SYN of the flow says of it. */
  priorityOf(flow: Flow): number {
    return this.priorities.flagsOf(flow);
  }

  /** The flow has ended, or came to nothing. */
  handleEnded(flow: Flow, failure: FlowFailure | undefined, now: Instant): void {
    this.priorities.end(flow);
    this.halfOpen.delete(flow);
    const way = this.joining.get(flow);
    if (way === undefined) {
      if (failure === 'reset') this.closed.add(flow);
      return;
    }
    this.joining.delete(flow);
    if (way.opening !== undefined) way.opening.outcome = failure ?? 'reset';
    const pause = Math.min(
      2 * (this.failures.get(nameOf(way))?.pause ?? JOIN_PAUSE / 2),
      JOIN_PAUSE_MAXIMUM,
    ) as Duration;
    this.failures.set(nameOf(way), { until: after(now, pause), pause });
  }

  /** The application wants it no more. */
  handleClosed(flow: Flow, now: Instant): void {
    this.closed.addOwn(flow, now);
  }

  nextDeadline(): Instant {
    let next = earlier(earlier(this.repeatAt, this.pace.deadline), this.closed.nextDeadline());
    if (this.opens) for (const { until } of this.failures.values()) next = earlier(next, until ?? NEVER);
    return next;
  }

  handleDeadline(now: Instant): void {
    if (this.repeatAt <= now) {
      this.repeats++;
      if (this.repeats < ADDRESSES_REPEATS_MAXIMUM) this.repeat(now);
      else this.repeatAt = NEVER;
    }
    this.closed.handleDeadline(now);
    this.pace.handleDeadline(now);
    for (const [name, failure] of this.failures) {
      // It stays, so that the next pause is longer.
      if ((failure.until ?? NEVER) <= now) this.failures.set(name, { ...failure, until: undefined });
    }
    this.open(now);
  }

  /** Opens a flow that the application asks for, whoever else opens any. */
  openTo(target: FlowTarget, now: Instant): FlowOpening | FlowRefusal {
    const way = this.wayTo(target);
    if (typeof way === 'string') return way;
    if (this.waysInUse().some((each) => isSameWay(each, way))) return 'inUse';
    if (!this.hasRoom) return 'noRoom';
    this.closed.forget(way);
    return this.join(way, now, target).opening!;
  }

  /** The connection ends: nobody waits for flows under way. */
  close(now: Instant): void {
    for (const flow of [...this.joining.keys(), ...this.halfOpen]) this.context.sal.close(flow, undefined, now);
  }

  // ---- what follows ----

  /** What goes to an address that the peer has no more is lost: others carry it, until the flow is heard of again. */
  private followAddresses(
    by: Flow,
    before: readonly NetworkAddress[],
    after: readonly NetworkAddress[],
    now: Instant,
  ): void {
    const isIn = (list: readonly NetworkAddress[], flow: Flow): boolean =>
      list.some((each) => each.sameIp(flow.path!.remote));
    for (const flow of this.context.flows) {
      if (flow === by || isIn(before, flow) === isIn(after, flow)) continue;
      this.context.peerAddressChanged(flow, isIn(after, flow), now);
    }
  }

  private handleFlags(flow: Flow, number: number, flags: number, now: Instant): boolean {
    const before = this.priorities.isReserve(flow);
    const isNews = this.priorities.handleFlags(flow, number, flags);
    const isReserve = this.priorities.isReserve(flow);
    if (isReserve !== before) this.context.priorityChanged(flow, isReserve, now);
    return isNews;
  }

  private tellPriority(flow: Flow, now: Instant): void {
    if (this.toldNumber === 0) this.beginTelling();
    else this.toldNumber++;
    this.priorities.handleTold(flow, this.toldNumber);
    this.repeats = 0;
    this.context.priorityChanged(flow, this.priorities.isReserve(flow), now);
    this.tell(now, flow);
  }

  private beginTelling(): void {
    this.told = this.localAddresses();
    this.toldNumber = 1;
  }

  /** On each flow that the peer has not heard of, or on any when it is the list that it lacks. */
  private repeat(now: Instant): void {
    const flows = this.priorities.unheard();
    if (!this.isListHeard) this.tell(now);
    for (const flow of flows) this.tell(now, flow);
  }

  private tell(now: Instant, flow = this.context.flows.find((each) => !each.isCut)): void {
    this.repeatAt = after(now, (ADDRESSES_REPEAT * 2 ** this.repeats) as Duration);
    if (flow === undefined || !flow.isEncapsulated) return;
    tellAddresses(flow, {
      controlSequence: controlSequence(this.toldNumber),
      controlAck: controlSequence(this.heardNumber),
      addresses: this.told,
      flags: this.priorities.flagsOf(flow),
    });
  }

  private open(now: Instant): void {
    if (!this.opens || this.heardNumber === 0) return;
    for (let way = this.nextWay(now); way !== undefined && this.hasRoom; way = this.nextWay(now)) {
      if (!this.pace.take(now)) return;
      this.join(way, now);
    }
  }

  private join(way: Way, now: Instant, target?: FlowTarget): Joining {
    const { sal } = this.context;
    const sibling = this.context.flows[0]!;
    const { link } = sibling.path!;
    const flow = new Flow(this.nonce, sal.random.uint32(), 6, this.context.createSegments(link));
    flow.owner = this.context.owner;
    const joining: Joining = target === undefined ? way : { ...way, opening: { flow, outcome: 'pending' } };
    const isReserve = target?.backup ?? this.priorities.isReserveAt(way.local);
    this.priorities.begin(flow, isReserve, false, target?.backup !== undefined);
    this.joining.set(flow, joining);
    const path = sal.pathOf(link, way.local, way.remote);
    if (!startJoin(sal, flow, sibling, path, sal.links.at(link), now)) this.handleEnded(flow, 'noRoom', now);
    return joining;
  }

  private wayTo(target: FlowTarget): Way | MigrationRefusal {
    const locals = this.context.interfaces.addressesOf(target);
    if (locals.length === 0) return target.address === undefined ? 'noInterface' : 'noAddress';
    const { remote: first } = this.context.flows[0]!.path!;
    const used = this.waysInUse();
    const unused = this.heard.filter((each) => !used.some(({ remote }) => remote.sameIp(each)));
    const { remote } = target;
    const wanted = remote === undefined ? undefined : remote.port === 0 ? remote.withPort(first.port) : remote;
    const remotes = wanted === undefined ? [...unused, first, ...this.heard] : [wanted];
    // The family of the first flow is known to lead there.
    const byFamily = [...locals].sort((one, other) => rank(one, first) - rank(other, first));
    return waysBetween(byFamily, remotes)[0] ?? 'noFamily';
  }

  /**
   * Each of our interfaces is to be used, and each address of the peer's: with one that is unused as well, if there is
   * one. Both families of an interface lead the same way: it is that of the first flow, where there is one of that.
   */
  private nextWay(now: Instant): Way | undefined {
    const used = [...this.waysInUse(), ...this.closed.ways];
    const first = used[0];
    if (first === undefined) return undefined;
    const { family } = first.remote;
    const isFree = (way: Way): boolean => (this.failures.get(nameOf(way))?.until ?? 0) <= now;
    const ours = this.context.interfaces.reachableBy(family);
    const locals = ours.filter((local) => !used.some((way) => this.isSameInterface(way.local, local)));
    const hasFamily = this.heard.some((remote) => remote.family === family);
    const remotes = this.heard.filter(
      (remote) => (remote.family === family || !hasFamily) && !used.some((way) => way.remote.sameIp(remote)),
    );
    const candidates = [
      ...waysBetween(locals, remotes),
      ...waysBetween(locals, [first.remote]),
      ...waysBetween([first.local], remotes),
      ...this.waysOfOthers(locals, used),
    ];
    return candidates.find(isFree);
  }

  /** From interfaces that have no address of the first flow's family: to the addresses that look nearest first. */
  private waysOfOthers(locals: readonly NetworkAddress[], used: readonly Way[]): Way[] {
    const unused = this.heard.filter((remote) => !used.some((way) => way.remote.sameIp(remote)));
    const ways = waysBetween(locals, unused);
    return ways.sort((one, other) => sharedWords(other) - sharedWords(one));
  }

  private isSameInterface(one: NetworkAddress, other: NetworkAddress): boolean {
    const { interfaces } = this.context;
    return (
      one.sameIp(other) || (interfaces.nameOf(one) !== undefined && interfaces.nameOf(one) === interfaces.nameOf(other))
    );
  }

  private waysInUse(): Way[] {
    const ways: Way[] = [];
    for (const { path } of this.context.flows) {
      if (path?.local !== undefined) ways.push({ local: path.local, remote: path.remote });
    }
    return [...ways, ...this.joining.values()];
  }

  private localAddresses(): readonly NetworkAddress[] {
    return this.context.interfaces.reachable().slice(0, TOLD_ADDRESSES_MAXIMUM);
  }
}

/** From another host. */
function isReachable({ isLoopback, isUnicast }: NetworkAddress): boolean {
  return isUnicast && !isLoopback;
}

function rank({ family }: NetworkAddress, first: NetworkAddress): number {
  return family === first.family ? 0 : 1;
}

function isSameList(one: readonly NetworkAddress[], other: readonly NetworkAddress[]): boolean {
  return one.length === other.length && one.every((each, index) => each.equals(other[index]!));
}
