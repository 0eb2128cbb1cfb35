// Which flow of a stream carries what, where it has several (§2.2, §4.4). New data goes to the flow of the lowest
// round trip that has room; a slower one gets it only if it is of use there: not when the faster one could have
// carried all that is left by the time a packet arrives, and not when the slower one's packet would keep the
// peer's window shut meanwhile. A flow of which nothing is heard carries nothing as long as another one lives.

import { earlier, type Instant } from '../../time/instant';
import type { Acknowledgment } from './acknowledgment';
import type { CongestionControl } from './congestion/congestion-control';
import { LinkedFlows, LinkedIncreases } from './congestion/linked-increases';
import { Copies } from './copies';
import type { Subflow } from './subflow';

export class FlowSchedule {
  readonly flows: Subflow[] = [];
  /** Almost every stream has this flow alone, and looks at no list. */
  first!: Subflow;
  isShared = false;
  private linked: LinkedFlows | undefined;
  private redundant = false;
  /** Only where it is redundant: what was acknowledged before. */
  private acknowledged = 0;

  add(flow: Subflow): void {
    this.flows.push(flow);
    if (this.redundant) flow.copies = new Copies(flow.scoreboard.acknowledged);
    this.count();
  }

  /** Takes the flow of this number out; those behind it move up. */
  remove(number: number): Subflow | undefined {
    const [gone] = this.flows.splice(number, 1);
    if (gone?.control instanceof LinkedIncreases) gone.control.leave();
    this.count();
    return gone;
  }

  /** Every byte goes by every flow that works, from now on. */
  get isRedundant(): boolean {
    return this.redundant;
  }

  beRedundant(): void {
    this.redundant = true;
    for (const flow of this.flows) flow.copies ??= new Copies(flow.scoreboard.acknowledged);
  }

  setBackup(number: number, isBackup: boolean): void {
    const flow = this.flows[number];
    if (flow !== undefined) flow.isBackup = isBackup;
  }

  get hasLosses(): boolean {
    return this.flows.some((flow) => flow.hasLosses);
  }

  get wantsTransmit(): boolean {
    if (this.isShared) return this.flows.some(wantsTransmit);
    return this.first.hasLosses || this.first.tailProbe.isDue;
  }

  /** Nothing is under way on any flow. */
  get isEmpty(): boolean {
    return this.isShared ? this.flows.every((flow) => flow.scoreboard.isEmpty) : this.first.scoreboard.isEmpty;
  }

  /** All flows are between two paths. */
  get isFrozen(): boolean {
    return this.isShared ? this.flows.every(({ isFrozen }) => isFrozen) : this.first.isFrozen;
  }

  /** A bit for each flow that is not between two paths: only these can say anything. */
  get speakingFlows(): number {
    let bits = 0;
    for (let number = 0; number < this.flows.length; number++) if (!this.flows[number]!.isFrozen) bits |= 1 << number;
    return bits;
  }

  nextDeadline(): Instant {
    let next = this.first.nextDeadline();
    if (this.isShared) for (const flow of this.flows) next = earlier(next, flow.nextDeadline());
    return next;
  }

  handleDeadline(now: Instant): void {
    if (!this.isShared) this.first.handleDeadline(now);
    else for (const flow of this.flows) handleDeadlineOf(flow, now);
  }

  handleAcknowledgment(acknowledgment: Acknowledgment, by: Subflow, now: Instant): void {
    if (!this.isShared) by.handleAcknowledgment(acknowledgment, true, now);
    else for (const flow of this.flows) flow.handleAcknowledgment(acknowledgment, flow === by, now);
    if (!this.redundant) return;
    by.copies!.handleAcknowledgment(acknowledgment, this.acknowledged, by, now);
    this.acknowledged = acknowledgment.to;
  }

  /** The one with the lowest round trip: what waiting is measured by. */
  get fastest(): Subflow {
    if (!this.isShared) return this.first;
    let best = this.first;
    for (const flow of this.flows) if (this.isFaster(flow, best)) best = flow;
    return best;
  }

  /** The one that what is to be kept in memory is measured by. */
  get slowest(): Subflow {
    if (!this.isShared) return this.first;
    let worst = this.first;
    for (const flow of this.flows) if (this.isFaster(worst, flow)) worst = flow;
    return worst;
  }

  /** What may be under way on all flows together, while the slowest takes one round trip. */
  get windowBytes(): number {
    if (!this.isShared) return this.first.congestionWindow;
    let longest = 0;
    for (const { roundTripTime } of this.flows) longest = Math.max(longest, roundTripTime ?? 0);
    let sum = 0;
    for (const { congestionWindow, roundTripTime } of this.flows) {
      sum += congestionWindow * Math.min(longest / Math.max(roundTripTime ?? longest, 1), ROUNDS_MAXIMUM);
    }
    return sum;
  }

  /** The numbers of the flows, the fastest first: what it has no room for is left to the others. */
  order(): readonly number[] {
    const numbers = this.flows.map((_flow, number) => number);
    const roundTrip = (number: number): number => this.flows[number]!.roundTripTime ?? 0;
    return numbers.sort((one, other) => roundTrip(one) - roundTrip(other));
  }

  /** Whether `flow` may take new data now: `unsent` bytes wait, and the peer has room for `room` of them. */
  mayCarry(flow: Subflow, unsent: number, room: number): boolean {
    if (!this.isPreferred(flow)) return false;
    if (this.redundant) return true;
    for (const other of this.flows) {
      if (other === flow || !this.isPreferred(other) || !this.isFaster(other, flow)) continue;
      if (other.room >= other.segmentSize) return false;
      const rounds = (flow.roundTripTime ?? 0) / Math.max(other.roundTripTime ?? 1, CLOCK_STEP);
      const meanwhile = other.congestionWindow * rounds;
      if (unsent <= meanwhile - other.congestionWindow || room < meanwhile - other.inFlight) return false;
    }
    return true;
  }

  /** Congestion control for one more flow, which grows together with those that are there (RFC 6356). */
  linkedControl(segmentSize: number): CongestionControl {
    if (this.linked === undefined) {
      this.linked = new LinkedFlows();
      for (const { path, segmentSize: size } of this.flows) {
        const control = new LinkedIncreases(size, this.linked);
        control.adopt(path.control);
        path.control = control;
      }
    }
    return new LinkedIncreases(segmentSize, this.linked);
  }

  /** Whether `flow` may send again what it or another one has lost. */
  mayRepair(flow: Subflow): boolean {
    return !this.isShared || this.isPreferred(flow);
  }

  private count(): void {
    const { flows } = this;
    // The last one to leave stays: a stream without flows is about to end.
    this.first = flows[0] ?? this.first;
    this.isShared = flows.length > 1;
    for (const flow of flows) flow.isShared = this.isShared;
  }

  /** Of the flows that live, those that are not for reserve; of none of these, all that live; of none, all. */
  private isPreferred(flow: Subflow): boolean {
    if (flow.isFrozen) return false;
    if (!flow.isAlive) return !this.flows.some((each) => each.isAlive);
    return !flow.isBackup || !this.flows.some((each) => each.isAlive && !each.isBackup);
  }

  /** One that was not measured yet is taken for as fast as any. */
  private isFaster(one: Subflow, other: Subflow): boolean {
    const [first, second] = [one.roundTripTime, other.roundTripTime];
    return first !== undefined && second !== undefined && first < second;
  }
}

/** What a flow had under way others send again: an empty segment asks at once whether it is alive. */
function handleDeadlineOf(flow: Subflow, now: Instant): void {
  const { backoff } = flow;
  flow.handleDeadline(now);
  if (flow.backoff > backoff) flow.isProbeDue = true;
}

function wantsTransmit({ hasLosses, tailProbe, isProbeDue }: Subflow): boolean {
  return hasLosses || tailProbe.isDue || isProbeDue;
}

/** Milliseconds: what a round trip is at least, to divide by it. */
const CLOCK_STEP = 0.1;
/** A window counts so often at most: paths differ more than buffers should. */
const ROUNDS_MAXIMUM = 16;
