// What a stream keeps for one flow (§4.4): what it has sent, its round trip, loss recovery, congestion control and
// packet size. Bytes, their numbers, and what the peer has room for, are the stream's: its flows share them.
// Long because an acknowledgment moves all of these at once, in an order that is easier to follow in one file.

import { PEER_ACKNOWLEDGMENT_DELAY, RETRANSMISSION_TIMEOUT_MAXIMUM, SILENT_TIMEOUTS } from '../../limits';
import { type Duration, type Instant, milliseconds, NEVER } from '../../time/instant';
import { TimerTable } from '../../time/timer-table';
import type { PathSize } from '../transport';
import { type Acknowledgment, isDuplicateBlock } from './acknowledgment';
import { type CongestionControl, emptySample } from './congestion/congestion-control';
import type { Copies } from './copies';
import { Delivery } from './delivery';
import { DUPLICATE_THRESHOLD, type LossDetector } from './loss-detector';
import type { PathKnowledge } from './path-knowledge';
import type { PathMtuDiscovery } from './path-mtu-discovery';
import type { RecordPool } from './record-pool';
import { Recovery } from './recovery';
import type { RttEstimator } from './rtt-estimator';
import { Scoreboard } from './scoreboard';
import type { SequenceSpace } from './sequence-space';
import type { StreamCounters } from './stream-counters';
import type { StreamNegotiation } from './stream-handshake';
import { TailLossProbe } from './tail-loss-probe';

const Timer = { retransmit: 0, tailProbe: 1, reordering: 2 } as const;
/** A timeout is doubled at most this often; the bound in milliseconds is reached before. */
const BACKOFF_MAXIMUM = 16;

/** Scratch of all flows: what one acknowledgment told, and what congestion control is told of it. */
const delivery = new Delivery();
const sample = emptySample();

export class Subflow {
  readonly scoreboard: Scoreboard;
  readonly path: PathKnowledge;
  readonly roundTrip: RttEstimator;
  readonly recovery = new Recovery();
  readonly pathMtu: PathMtuDiscovery;
  readonly tailProbe = new TailLossProbe();
  readonly timers = new TimerTable(Object.keys(Timer).length);
  /** Retransmission timeouts in a row without progress. */
  backoff = 0;
  /** Carries data only while no other flow does (§4.4). */
  isBackup = false;
  /** The stream has other flows, too. */
  isShared = false;
  /** A segment of no use is to ask whether the path is alive. */
  isProbeDue = false;
  /** One more of several timeouts in a row: nobody was told yet (§4.4). */
  hasFallenSilent = false;
  /** Between two paths (§4.4): it sends nothing, and no timer of it runs. */
  isFrozen = false;
  /** Only where every byte goes by every flow; and what of that is under way. */
  copies: Copies | undefined;
  copiedBytes = 0;
  private readonly counters: StreamCounters;
  private readonly detector: LossDetector;
  private readonly peerMaximumSegment: number;
  private readonly selective: boolean;
  /** Without SACK: bytes that duplicate acknowledgments say have left, and how many of these came. */
  private assumedBytes = 0;
  private duplicates = 0;
  /** What was sent before this position was sent while the congestion window was the limit. */
  private heldBackTo = 0;
  private lastSentAt: Instant;

  /** `sent`: positions of the stream that were acknowledged before. */
  constructor(
    { peerMaximumSegment, selective }: Pick<StreamNegotiation, 'peerMaximumSegment' | 'selective'>,
    readonly space: SequenceSpace,
    path: PathKnowledge,
    sent: number,
    records: RecordPool,
    counters: StreamCounters,
    now: Instant,
  ) {
    this.peerMaximumSegment = peerMaximumSegment;
    this.selective = selective;
    this.scoreboard = new Scoreboard(records, sent);
    this.path = path;
    this.roundTrip = path.roundTrip;
    this.pathMtu = path.pathMtu;
    this.detector = path.detector;
    this.counters = counters;
    this.lastSentAt = now;
  }

  get control(): CongestionControl {
    return this.path.control;
  }

  /** Nothing is under way, and no loss is being repaired. */
  get isIdle(): boolean {
    return this.scoreboard.isEmpty && this.recovery.state === 'open' && !this.tailProbe.isDue;
  }

  // ---- what may be sent ----

  /** Timeouts, and no sign of life since: others carry what they can (§4.4). */
  get isSuspect(): boolean {
    return this.backoff > 0;
  }

  get isAlive(): boolean {
    return !this.isSuspect && !this.isFrozen;
  }

  get segmentSize(): number {
    return this.pathMtu.segmentSize;
  }

  get inFlight(): number {
    return Math.max(this.scoreboard.inFlight - this.assumedBytes, 0);
  }

  get congestionWindow(): number {
    return this.recovery.state === 'recovery' ? this.recovery.window : this.control.window;
  }

  /** `undefined` before the first sample. */
  get roundTripTime(): Duration | undefined {
    return this.roundTrip.smoothed;
  }

  get retransmittedBytes(): number {
    return this.counters.retransmittedBytes;
  }

  /** Bytes that congestion control lets out now. */
  get room(): number {
    return this.congestionWindow - this.inFlight - this.copiedBytes;
  }

  get hasLosses(): boolean {
    return this.scoreboard.lostBytes > 0;
  }

  /** Whether new data may carry a path probe: not while losses are repaired. */
  get mayProbePath(): boolean {
    return this.recovery.state === 'open' && this.scoreboard.lostBytes === 0;
  }

  // ---- what was sent ----

  handleSent(length: number, start: number, segmentSize: number, flags: number, now: Instant): void {
    this.scoreboard.append(length, start, segmentSize, flags, now);
    this.recovery.handleSent(length, false);
    this.lastSentAt = now;
    this.armTimers(now, !this.timers.isArmed(Timer.retransmit));
  }

  /** The first `length` bytes of a record are sent again. Returns the record behind them. */
  handleResent(record: number, length: number, segmentSize: number, now: Instant): number {
    const following = this.scoreboard.resend(record, length, segmentSize, now);
    this.recovery.handleSent(length, true);
    this.counters.retransmittedBytes += length;
    this.lastSentAt = now;
    if (!this.timers.isArmed(Timer.retransmit)) this.armTimers(now, true);
    return following;
  }

  /** What another flow had sent was sent again here. */
  handleAdopted(length: number, start: number, segmentSize: number, now: Instant): void {
    this.scoreboard.adopt(length, start, segmentSize, now);
    this.recovery.handleSent(length, true);
    this.counters.retransmittedBytes += length;
    this.lastSentAt = now;
    this.armTimers(now, !this.timers.isArmed(Timer.retransmit));
  }

  /** Another process had sent this: nobody knows what of it has arrived. */
  takeOver(length: number, start: number, now: Instant): void {
    this.handleSent(length, start, this.segmentSize, 0, now);
    this.scoreboard.forgetTimes();
    this.giveUp();
  }

  /** There was more to send, and the congestion window did not let it out. */
  handleHeldBack(): void {
    this.heldBackTo = this.scoreboard.next;
  }

  /** Before new data leaves: after a long silence the window says nothing of the path (RFC 5681 4.1). */
  handleRestart(now: Instant): void {
    if (!this.scoreboard.isOutstanding && now - this.lastSentAt > this.roundTrip.timeout) this.control.handleIdle(now);
  }

  // ---- what the network and the clock did ----

  /** `isOurs`: it came by this flow. What others bring sooner measures the round trip all the same. */
  handleAcknowledgment(acknowledgment: Acknowledgment, isOurs: boolean, now: Instant): void {
    const { to, duplicate } = acknowledgment;
    const { scoreboard } = this;
    delivery.clear();
    const before = this.inFlight;
    const advanced = to > scoreboard.acknowledged;
    // Judged by what was sent before: this acknowledgment answers that.
    const limited = scoreboard.acknowledged < this.heldBackTo || this.isSlowStartLimited(before);
    if (advanced) this.takeCumulative(to);
    // Where others carry the same, what they hear of it says nothing of this path.
    const isKnown = isOurs || this.copies === undefined;
    if (!this.selective && duplicate && !scoreboard.isEmpty) this.takeDuplicate();
    if (this.selective && isKnown) this.takeSelections(acknowledgment, isOurs);
    if (delivery.bytes > 0 && isKnown) {
      this.backoff = 0;
      this.pathMtu.handleArrived();
    }
    if (isKnown) this.takeRoundTrip(now);
    this.detectLosses(now);
    if (delivery.probeSize > 0 && this.pathMtu.handleProbeArrived(delivery.probeSize, now)) this.resize();
    const { isShared } = acknowledgment;
    // Alone, it knows without looking.
    const deliveredTo = isShared ? scoreboard.deliveredTo : scoreboard.acknowledged;
    this.handleTailProbe(deliveredTo, duplicate, before, now);
    this.repair(before, advanced, now);
    if (isKnown) this.grow(limited, isShared ? delivery.bytes : delivery.acknowledgedBytes, deliveredTo, now);
    if (delivery.bytes > 0) this.armTimers(now, true);
  }

  handleDeadline(now: Instant): void {
    if (this.isFrozen) return;
    if (this.timers.expire(Timer.reordering, now)) {
      delivery.clear();
      const before = this.inFlight;
      this.detectLosses(now);
      this.repair(before, false, now);
    }
    const mayProbe = this.recovery.state === 'open' || this.isShared;
    if (this.timers.expire(Timer.tailProbe, now) && mayProbe && this.scoreboard.isOutstanding) {
      this.tailProbe.isDue = true;
      this.armRetransmit(now);
    }
    if (this.timers.expire(Timer.retransmit, now)) {
      if (this.scoreboard.isOutstanding) this.handleTimeout(now);
      else if (this.isSuspect) this.askForLife(now);
    }
  }

  /** Something came by this flow that answers what we sent by it: the path is alive. */
  handleAlive(now: Instant): void {
    if (!this.isSuspect) return;
    this.backoff = 0;
    this.isProbeDue = false;
    this.timers.disarm(Timer.retransmit);
    this.armTimers(now, true);
  }

  nextDeadline(): Instant {
    return this.isFrozen ? NEVER : this.timers.earliest;
  }

  /** §4.4: what is known of the old path ends; what was under way is sent again, and nothing is blamed for it. */
  pathChanged(size: PathSize, now: Instant): void {
    this.roundTrip.reset();
    this.detector.reset();
    this.recovery.reset();
    this.control.restart(now);
    this.pathMtu.restart(size, this.peerMaximumSegment, now);
    this.resize();
    delivery.clear();
    this.scoreboard.forgetTimes();
    this.scoreboard.markAll(delivery);
    this.assumedBytes = 0;
    this.duplicates = 0;
    this.backoff = 0;
    this.thaw(now);
  }

  /** §4.4: the path goes on after a while in which nothing was asked of it. */
  thaw(now: Instant): void {
    this.isFrozen = false;
    this.timers.clear();
    this.tailProbe.reset();
    if (this.scoreboard.isOutstanding) this.armRetransmit(now);
  }

  packetTooBig(size: number, now: Instant): void {
    if (!this.pathMtu.packetTooBig(size, now)) return;
    this.resize();
    // What left in larger packets is gone; that is no sign of congestion.
    delivery.clear();
    this.scoreboard.markLarger(this.segmentSize, delivery);
  }

  /** What it has under way is for others to send again. */
  giveUp(): void {
    delivery.clear();
    this.scoreboard.markAll(delivery);
  }

  release(): void {
    this.scoreboard.clear();
    this.copies?.clear(this);
    this.timers.clear();
  }

  // ---- steps of an acknowledgment ----

  private takeCumulative(to: number): void {
    const { scoreboard } = this;
    const from = scoreboard.acknowledged;
    scoreboard.acknowledge(to, delivery);
    this.duplicates = 0;
    if (this.assumedBytes === 0) return;
    // One segment filled the gap; the others had been counted when their duplicates came.
    const counted = Math.min(this.assumedBytes, Math.max(to - from - this.segmentSize, 0));
    this.assumedBytes = scoreboard.isEmpty ? 0 : this.assumedBytes - counted;
    delivery.bytes = Math.max(delivery.bytes - counted, 0);
  }

  private takeSelections({ to, sentTo, options }: Acknowledgment, isOurs: boolean): void {
    const { scoreboard, space } = this;
    const count = options?.sackCount ?? 0;
    let highest = 0;
    for (let block = 0; block < count; block++) {
      const start = space.positionOf(options!.sackEdges[block * 2]!, to);
      const end = space.positionOf(options!.sackEdges[block * 2 + 1]!, to);
      if (start >= end || end > sentTo) continue;
      if (block === 0 && isDuplicateBlock(options!, space, to)) {
        // Which flow sent it twice is not told; another one may have repeated what this one had lost.
        if (!isOurs || this.copies !== undefined) continue;
        delivery.duplicateBytes += Math.min(end - start, sentTo);
        // What others have sent again as well says nothing of reordering here.
        if (!this.tailProbe.handleDuplicate(end) && !this.isShared) this.detector.handleDuplicate(scoreboard);
      } else if (start >= scoreboard.acknowledged) {
        scoreboard.select(start, end, delivery);
        if (end > highest) highest = end;
      }
    }
    scoreboard.raiseForward(highest);
    if (!scoreboard.isReneged) return;
    // The peer acknowledged up to bytes it had reported and now lacks (RFC 2018 8).
    scoreboard.forgetSelections();
    scoreboard.markAll(delivery);
  }

  /** A peer without SACK repeats itself: one segment left the network, and the third time one is missing. */
  private takeDuplicate(): void {
    const { scoreboard, segmentSize } = this;
    this.duplicates++;
    const added = Math.min(segmentSize, Math.max(scoreboard.inFlight - this.assumedBytes - segmentSize, 0));
    this.assumedBytes += added;
    delivery.bytes += added;
    if (this.duplicates !== DUPLICATE_THRESHOLD || this.recovery.state !== 'open') return;
    if (scoreboard.acknowledged >= this.recovery.point || this.recovery.point === 0) {
      scoreboard.markFirst(segmentSize, delivery);
    }
  }

  private takeRoundTrip(now: Instant): void {
    sample.roundTrip = -1;
    if (delivery.sampleSentAt >= 0 && !delivery.anyRetransmitted) {
      sample.roundTrip = now - delivery.sampleSentAt;
      this.roundTrip.sample(sample.roundTrip, now);
    }
  }

  private detectLosses(now: Instant): void {
    if (!this.selective) return;
    const { detector, scoreboard } = this;
    // Nothing is left to judge, and what leaves from now on leaves behind all that has come: most answers to a request.
    if (scoreboard.isEmpty && !delivery.reordered) return this.timers.disarm(Timer.reordering);
    detector.handleDelivery(delivery, this.roundTrip.minimum, now);
    const wait = detector.detect(scoreboard, delivery, this, now);
    if (wait > 0) this.timers.arm(Timer.reordering, now + wait);
    else this.timers.disarm(Timer.reordering);
    if (delivery.probeLost) this.pathMtu.handleProbeLost(now);
  }

  /** RFC 8985 7.4.2: a tail loss probe that repaired a loss counts as one. */
  private handleTailProbe(to: number, duplicate: boolean, before: number, now: Instant): void {
    const repaired = this.tailProbe.handleAcknowledgment(to, duplicate, delivery.bytes);
    if (!repaired || this.recovery.state !== 'open' || delivery.lostBytes > 0) return;
    this.control.handleLoss(before, now);
    this.control.handleRecoveryEnd(now);
  }

  private repair(before: number, advanced: boolean, now: Instant): void {
    const { control, recovery, scoreboard } = this;
    if (recovery.undo(delivery, control, this.roundTrip.minimum, now)) {
      scoreboard.forgetLosses();
      delivery.lostBytes = 0;
      this.counters.undone++;
    }
    if (recovery.state !== 'open' && scoreboard.deliveredTo >= recovery.point) {
      recovery.end(control, now);
      this.detector.handleRecoveryEnd();
      this.assumedBytes = 0;
    }
    // Others may fill the gaps before these: what comes behind a gap is progress, too.
    const progress = this.isShared ? delivery.bytes : delivery.acknowledgedBytes;
    if (recovery.state === 'recovery') {
      // RFC 6582: a partial acknowledgment shows the next gap.
      if (!this.selective && advanced) scoreboard.markFirst(this.segmentSize, delivery);
      recovery.reduce(delivery, progress, control.slowStartThreshold, this.inFlight, this.segmentSize);
    } else if (recovery.state === 'open' && delivery.lostBytes > 0) {
      recovery.start(control, scoreboard.next, before, now);
      recovery.reduce(delivery, progress, control.slowStartThreshold, this.inFlight, this.segmentSize);
      this.tailProbe.reset();
    }
  }

  private grow(limited: boolean, earned: number, deliveredTo: number, now: Instant): void {
    // Not on duplicates (RFC 5681 3.2): what is reported behind a gap is growth deferred, not earned.
    if (this.recovery.state === 'recovery' || earned === 0) return;
    const { scoreboard } = this;
    sample.now = now;
    sample.delivered = delivery.bytes;
    sample.smoothedRoundTrip = this.roundTrip.smoothed ?? -1;
    sample.acknowledged = deliveredTo;
    sample.next = scoreboard.next;
    sample.limited = limited || this.recovery.state === 'loss';
    this.control.handleAcknowledgment(sample);
  }

  private isSlowStartLimited(inFlight: number): boolean {
    const { control } = this;
    return control.window < control.slowStartThreshold && control.window < 2 * inFlight;
  }

  // ---- what loss detection asks of a flow ----

  get minimumRoundTrip(): number {
    return this.roundTrip.minimum;
  }

  get smoothedRoundTrip(): number {
    return this.roundTrip.smoothed ?? 0;
  }

  get recovering(): boolean {
    return this.recovery.state !== 'open';
  }

  // ---- timers ----

  private handleTimeout(now: Instant): void {
    const { scoreboard } = this;
    delivery.clear();
    const before = this.inFlight;
    this.counters.timeouts++;
    this.noteSilence();
    if (this.pathMtu.handleTimeout(now)) this.resize();
    this.recovery.timeout(this.control, scoreboard.next, before, now);
    if (scoreboard.isReneged) scoreboard.forgetSelections();
    scoreboard.markAll(delivery);
    this.assumedBytes = 0;
    this.duplicates = 0;
    this.tailProbe.reset();
    this.timers.clear();
    this.armRetransmit(now);
  }

  /** Others have taken over what it carried: an empty segment finds out when it may carry again. */
  private askForLife(now: Instant): void {
    this.isProbeDue = true;
    this.noteSilence();
    this.armRetransmit(now);
  }

  private noteSilence(): void {
    this.backoff = Math.min(this.backoff + 1, BACKOFF_MAXIMUM);
    this.hasFallenSilent = this.backoff >= SILENT_TIMEOUTS;
  }

  private armTimers(now: Instant, restart: boolean): void {
    if (!this.scoreboard.isOutstanding) {
      if (!this.isSuspect) this.timers.disarm(Timer.retransmit);
      this.timers.disarm(Timer.tailProbe);
      return;
    }
    if (restart) this.armRetransmit(now);
    this.armTailProbe(now);
  }

  private armRetransmit(now: Instant): void {
    const timeout = this.roundTrip.timeout * (1 << this.backoff);
    this.timers.arm(Timer.retransmit, now + Math.min(timeout, RETRANSMISSION_TIMEOUT_MAXIMUM));
  }

  /** RFC 8985 7.2. */
  private armTailProbe(now: Instant): void {
    this.timers.disarm(Timer.tailProbe);
    // Where there are others, the gap below what was selected may be theirs, and all wait for what is lost at the end.
    const isOpen = this.recovery.state === 'open' && this.scoreboard.selectedBytes === 0;
    if (!this.selective || !(isOpen || this.isShared)) return;
    if (this.tailProbe.isOutstanding) return;
    const single = this.inFlight <= this.segmentSize;
    const wait = this.tailProbe.timeout(this.roundTrip.smoothed, single ? PEER_ACKNOWLEDGMENT_DELAY : milliseconds(0));
    if (now + wait < this.timers.deadline(Timer.retransmit)) this.timers.arm(Timer.tailProbe, now + wait);
  }

  private resize(): void {
    this.control.setSegmentSize(this.segmentSize);
  }
}
