// A connection's transport as its owner sees it, from the handshake to the end. It is little more than its
// settings until there is traffic: `ActiveStream` then does the work, and `RestingStream` is what is left of that.
// Long because each member of that is here as well, in a line or a few.

import {
  FLOWS_PER_STREAM_MAXIMUM,
  KEEP_ALIVE_DELAY_DEFAULT,
  SEND_BUFFER_MAXIMUM,
  SEND_BUFFER_MINIMUM,
  USER_TIMEOUT_DEFAULT,
  USER_TIMEOUT_MAXIMUM,
  USER_TIMEOUT_MINIMUM,
} from '../../limits';
import { after, type Duration, type Instant, NEVER } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import type { ReceivedBatch } from '../../wire/received-batch';
import { type PathSize, type SegmentSink, TransportSignal } from '../transport';
import { ActiveStream } from './active-stream';
import type { CongestionControl, CongestionControlFactory } from './congestion/congestion-control';
import { Cubic } from './congestion/cubic';
import { unknownPath } from './path-knowledge';
import type { ReceiveBudget } from './receive-budget';
import { freshStream, type RestingStream } from './resting-stream';
import { StreamCounters, type StreamStatistics, statisticsOf } from './stream-counters';
import type { StreamNegotiation } from './stream-handshake';
import type { StreamState } from './stream-state';
import type { Subflow } from './subflow';

export interface StreamOptions {
  /** Bytes; without them the buffers begin at their defaults and grow with the path. Bounds in limits.ts. */
  readonly sendBuffer?: number | undefined;
  readonly receiveBuffer?: number | undefined;
  /** Makes the congestion control of each flow; CUBIC by default. */
  readonly congestion?: CongestionControlFactory | undefined;
  /** Chance for the congestion control. */
  readonly random?: RandomSource | undefined;
  /** Room that all streams of the host share; without it the stream has it for itself. */
  readonly receiveBudget?: ReceiveBudget | undefined;
}

/** The number of the flow that the stream begins on. Others follow it (§4.4); they move up when one leaves. */
export const FIRST_FLOW = 0;

/** A further flow of a stream. */
export interface JoiningFlow {
  readonly peerMaximumSegment: number;
  readonly size: PathSize;
  /** Of its handshake, where it is known. */
  readonly roundTrip?: Duration | undefined;
  /** It carries data only while no other flow does. */
  readonly isBackup?: boolean | undefined;
}

export class StreamTransport {
  private negotiation: StreamNegotiation | undefined;
  private size: PathSize | undefined;
  private handshakeRoundTrip: Duration | undefined;
  private active: ActiveStream | undefined;
  private resting: RestingStream | undefined;
  private isReleased = false;
  private signals = 0;
  /** Wanted before there is a flow: room to write, and the end. */
  private wantsWritable = false;
  private isEnding = false;
  private isRedundant = false;
  private noDelay = false;
  private keepAliveDelay: Duration | undefined;
  private userTimeout: Duration = USER_TIMEOUT_DEFAULT;
  /** While it rests: when the peer is to be asked for a sign of life. */
  private wakeAt: Instant | undefined;

  constructor(private readonly options: StreamOptions = {}) {}

  // ---- what can be asked ----

  get isEstablished(): boolean {
    return this.negotiation !== undefined;
  }

  /** Holds no memory for traffic. */
  get isResting(): boolean {
    return this.active === undefined;
  }

  get readableBytes(): number {
    return this.active?.readableBytes ?? 0;
  }

  /** Bytes written and not acknowledged. */
  get bufferedBytes(): number {
    return this.active?.bufferedBytes ?? 0;
  }

  get isShutdown(): boolean {
    return this.active?.isShutdown ?? false;
  }

  /** All the peer sent has been received; some of it may be unread. */
  get peerEnded(): boolean {
    return this.active?.peerEnded ?? false;
  }

  get finAcknowledged(): boolean {
    return this.active?.finAcknowledged ?? false;
  }

  get statistics(): StreamStatistics {
    if (this.active !== undefined) return this.active.statistics;
    const { counters = new StreamCounters(), received = 0, sent = 0 } = this.resting ?? {};
    return statisticsOf(counters, received, sent);
  }

  nextDeadline(): Instant {
    return this.active === undefined ? (this.wakeAt ?? NEVER) : this.active.nextDeadline();
  }

  // ---- what the network and the clock did ----

  /**
   * The first flow is established; returns its number. The round trip of its handshake, where it is known, spares the
   * first loss a timeout of a second.
   */
  establish(negotiation: StreamNegotiation, size: PathSize, now: Instant, handshakeRoundTrip?: Duration): number {
    if (this.isEstablished) throw new Error('a stream is established once: further flows join it');
    this.negotiation = negotiation;
    this.size = size;
    this.handshakeRoundTrip = handshakeRoundTrip;
    this.setWakeTime(now);
    if (this.wantsWritable) this.signals |= TransportSignal.writable;
    this.wantsWritable = false;
    if (this.isEnding) this.wake(now)?.shutdown(now);
    return FIRST_FLOW;
  }

  /** What another process needs to go on from here; `undefined` before `establish`, and once either end has ended. */
  handOver(now: Instant): StreamState | undefined {
    return this.isEnding ? undefined : this.wake(now)?.handOver();
  }

  /** Goes on where another process has stopped, instead of `establish`; its one flow has the number FIRST_FLOW. */
  resume(state: StreamState, size: PathSize, now: Instant): void {
    if (this.isEstablished) throw new Error('a stream that is established goes on by itself');
    this.negotiation = { ...state, peerWindow: 0, localWindow: 0 };
    this.size = size;
    const fresh = this.begin(this.negotiation, now);
    fresh.sendWindow.establish(state.sendEdge);
    fresh.sendWindow.largest = state.largestWindow;
    fresh.receiveWindow.establish(state.localWindowShift, state.receiveEdge, now);
    const { sent, received, peerSegment } = state;
    this.resting = { ...fresh, sent, received, peerSegment };
    this.setWakeTime(now);
    this.wake(now)!.takeOver(state.unacknowledged, state.sentTo, now);
  }

  /** A further flow carries the stream as well (§4.4). False when it cannot: there is none yet, or no room for more. */
  join(flow: JoiningFlow, now: Instant): boolean {
    const active = this.wake(now);
    if (active === undefined || !this.negotiation!.selective) return false;
    if (active.schedule.flows.length >= FLOWS_PER_STREAM_MAXIMUM) return false;
    const { congestion, random } = this.options;
    const control = (segmentSize: number): CongestionControl =>
      congestion?.(segmentSize, random) ?? active.schedule.linkedControl(segmentSize);
    const path = unknownPath(flow.size, flow.peerMaximumSegment, control, flow.roundTrip, now);
    active.join(flow.peerMaximumSegment, path, flow.isBackup ?? false, now);
    return true;
  }

  /** From now on every byte goes by every flow that works, not by one of them. */
  beRedundant(): void {
    this.isRedundant = true;
    this.active?.schedule.beRedundant();
  }

  /** Whether the flow carries data only while no other does. */
  setBackup(flow: number, isBackup: boolean, now: Instant): void {
    this.wake(now)?.schedule.setBackup(flow, isBackup);
  }

  /** The flow has ended; those behind it move up. What it had under way is carried by the others. */
  leave(flow: number): void {
    this.active?.leave(flow);
  }

  /** The flows in the order in which they are to be asked what they transmit. */
  transmitOrder(): readonly number[] {
    return this.active?.schedule.order() ?? FIRST_ALONE;
  }

  /** §4.4: the flow goes another way from now on. Timers start anew, and no loss is blamed on the old path. */
  pathChanged(flow: number, size: PathSize, now: Instant): void {
    this.wake(now)?.pathChanged(flow, size, now);
  }

  /** §4.4: an end of the flow is between two addresses; `thaw` or `pathChanged` follows. A stream at rest has no timers. */
  freeze(flow: number): void {
    this.active?.freeze(flow);
  }

  /** The flow goes on as before. */
  thaw(flow: number, now: Instant): void {
    this.active?.thaw(flow, now);
  }

  /** One row of the flow: a joined train, or an acknowledgment alone. */
  handleTrain(flow: number, batch: ReceivedBatch, row: number, now: Instant): void {
    this.wake(now)?.handleTrain(flow, batch, row, now);
  }

  /** The SAL's FIN: end of stream even when no TCP FIN came; the original's way (wire format §8). */
  endOfStream(now: Instant): void {
    this.wake(now)?.endOfStream();
  }

  handleDeadline(now: Instant): void {
    if (this.active === undefined && now < (this.wakeAt ?? NEVER)) return;
    const active = this.wake(now);
    active?.handleDeadline(now);
    const resting = active?.rest(now);
    if (resting === undefined) return;
    this.wakeAt = this.keepAliveDelay === undefined ? undefined : active!.keepAliveAt;
    this.resting = resting;
    this.active = undefined;
  }

  packetTooBig(flow: number, size: number, now: Instant): void {
    this.wake(now)?.packetTooBig(flow, size, now);
  }

  // ---- what the application wants ----

  /** Copies what the send buffer has room for and returns how many bytes; none before `establish` and after `shutdown`. */
  write(bytes: Uint8Array, offset: number, now: Instant): number {
    if (!this.isEstablished) this.wantsWritable = offset < bytes.length;
    return this.wake(now)?.write(bytes, offset, now) ?? 0;
  }

  /** The next bytes in order; the chunk belongs to the caller. */
  read(now: Instant): Buffer | undefined {
    return this.active?.read(now);
  }

  /** Sends FIN behind what was written. */
  shutdown(now: Instant): void {
    this.isEnding = true;
    this.wake(now)?.shutdown(now);
  }

  setNoDelay(noDelay: boolean): void {
    this.noDelay = noDelay;
    this.active?.setNoDelay(noDelay);
  }

  setKeepAlive(enabled: boolean, delay: Duration, now: Instant): void {
    this.keepAliveDelay = enabled ? (delay > 0 ? delay : KEEP_ALIVE_DELAY_DEFAULT) : undefined;
    this.setWakeTime(now);
    this.active?.setKeepAlive(this.keepAliveDelay, this.wakeAt ?? NEVER);
  }

  /** How long data may stay unacknowledged; 0 for the default (RFC 5482, the local half). */
  setUserTimeout(timeout: Duration): void {
    const bounded = Math.min(Math.max(timeout, USER_TIMEOUT_MINIMUM), USER_TIMEOUT_MAXIMUM) as Duration;
    this.userTimeout = timeout > 0 ? bounded : USER_TIMEOUT_DEFAULT;
    this.active?.setUserTimeout(this.userTimeout);
  }

  /** Gives back all memory. Everything after is without effect. */
  release(): void {
    this.isReleased = true;
    this.wakeAt = undefined;
    this.active?.release();
  }

  // ---- what must be done ----

  /** Emits one turn's segments of the flow. True when more could leave at once. */
  pollTransmit(flow: number, sink: SegmentSink, now: Instant): boolean {
    return this.active?.pollTransmit(flow, sink, now) ?? false;
  }

  /** Emits nothing but what has been received. A stream at rest has nothing under way in either direction. */
  acknowledgeElsewhere(sink: SegmentSink): void {
    this.active?.transmitter.acknowledgeElsewhere(sink);
  }

  /** Bits of `TransportSignal` gathered since asked last. */
  takeSignals(): number {
    const signals = this.signals | (this.active?.takeSignals() ?? 0);
    this.signals = 0;
    return signals;
  }

  /** What is kept for the flow, for whoever is curious; `undefined` before it is established and after the end. */
  subflow(flow: number, now: Instant): Subflow | undefined {
    return this.wake(now)?.schedule.flows[flow];
  }

  // ---- rest and traffic ----

  private wake(now: Instant): ActiveStream | undefined {
    if (this.active !== undefined) return this.active;
    const { negotiation } = this;
    if (negotiation === undefined || this.isReleased) return undefined;
    const resting = this.resting ?? this.begin(negotiation, now);
    const active = new ActiveStream(negotiation, resting, this.sendBuffer, this.options.receiveBudget, now);
    active.setNoDelay(this.noDelay);
    if (this.isRedundant) active.schedule.beRedundant();
    active.setUserTimeout(this.userTimeout);
    active.setKeepAlive(this.keepAliveDelay, this.wakeAt ?? NEVER);
    this.resting = undefined;
    this.active = active;
    return active;
  }

  private begin(negotiation: StreamNegotiation, now: Instant): RestingStream {
    const control = (segmentSize: number): CongestionControl => this.congestionControl(segmentSize);
    const { peerMaximumSegment } = negotiation;
    const path = unknownPath(this.size!, peerMaximumSegment, control, this.handshakeRoundTrip, now);
    return freshStream(negotiation, this.options.receiveBuffer, path, now);
  }

  private congestionControl(segmentSize: number): CongestionControl {
    const { congestion, random } = this.options;
    return congestion?.(segmentSize, random) ?? new Cubic(segmentSize);
  }

  private get sendBuffer(): number | undefined {
    const { sendBuffer } = this.options;
    if (sendBuffer === undefined) return undefined;
    return Math.min(Math.max(Math.floor(sendBuffer), SEND_BUFFER_MINIMUM), SEND_BUFFER_MAXIMUM);
  }

  private setWakeTime(now: Instant): void {
    const delay = this.isEstablished ? this.keepAliveDelay : undefined;
    this.wakeAt = delay === undefined ? undefined : after(now, delay);
  }
}

const FIRST_ALONE: readonly number[] = [FIRST_FLOW];
