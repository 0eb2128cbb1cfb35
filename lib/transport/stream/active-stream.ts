// The established half of TCP (RFC 9293) over one flow or several (§4.4) while there is traffic: joins the sending and the receiving
// half, the peer's segments, the timers of the connection, and what its owner is told. When nothing has been under
// way for a while it comes to rest, and `StreamTransport` keeps what is left of it.
// Long because it is the stream's whole behaviour: each member is a line or a few.

import { FLOWS_PER_STREAM_MAXIMUM, SEND_BUFFER_DEFAULT, SEND_BUFFER_MAXIMUM, STREAM_REST_DELAY } from '../../limits';
import { after, type Duration, earlier, type Instant, NEVER } from '../../time/instant';
import { type ReceivedBatch, ReceivedField } from '../../wire/received-batch';
import { TcpFlag } from '../../wire/tcp-header';
import { TcpOptions } from '../../wire/tcp-options';
import { type PathSize, type SegmentSink, TransportSignal } from '../transport';
import type { Acknowledgment } from './acknowledgment';
import { BlockPool } from './block-pool';
import { FlowSchedule } from './flow-schedule';
import type { PathKnowledge } from './path-knowledge';
import { Patience } from './patience';
import { ReceiveBudget } from './receive-budget';
import { RecordPool } from './record-pool';
import type { RestingStream } from './resting-stream';
import { SendBuffer } from './send-buffer';
import type { SendWindow } from './send-window';
import { SequenceSpace } from './sequence-space';
import { type StreamCounters, type StreamStatistics, statisticsOf } from './stream-counters';
import type { StreamNegotiation } from './stream-handshake';
import { StreamReceiver } from './stream-receiver';
import { type StreamState, streamStateOf } from './stream-state';
import { StreamTransmitter } from './stream-transmitter';
import { Subflow } from './subflow';

/** Storage of all streams of this process: what one gives back another uses. */
const blocks = new BlockPool();
const records = new RecordPool();
const options = new TcpOptions();
const acknowledgment: Acknowledgment = { to: 0, sentTo: 0, options: undefined, duplicate: false, isShared: false };

export class ActiveStream {
  readonly schedule = new FlowSchedule();
  private readonly space: SequenceSpace;
  private readonly buffer: SendBuffer;
  private readonly window: SendWindow;
  private readonly receiver: StreamReceiver;
  readonly transmitter: StreamTransmitter;
  private readonly counters: StreamCounters;
  private readonly patience: Patience;
  private signals = 0;
  private wantsWritable = false;
  private isDead = false;
  /** Flows, a bit each, by which something came that their acknowledgment is to answer. */
  private owed = 0;
  /** When anything was last under way, and when to see whether it may rest. */
  private activeAt: Instant;
  private restAt: Instant;
  private finWasAcknowledged = false;

  /** `sendBuffer`: bytes, when the application chose. */
  constructor(
    private readonly negotiation: StreamNegotiation,
    resting: RestingStream,
    private readonly sendBuffer: number | undefined,
    receiveBudget = new ReceiveBudget(),
    now: Instant,
  ) {
    this.counters = resting.counters;
    this.buffer = new SendBuffer(blocks, resting.sent);
    this.window = resting.sendWindow;
    this.receiver = new StreamReceiver(resting, receiveBudget);
    this.space = new SequenceSpace(negotiation);
    const { buffer, window, receiver, counters, space } = this;
    this.transmitter = new StreamTransmitter(space, this.schedule, buffer, window, receiver, counters);
    this.patience = new Patience(this.schedule, this.transmitter, window, now);
    this.addFlow(negotiation, resting.path, now);
    this.activeAt = now;
    this.restAt = after(now, STREAM_REST_DELAY);
  }

  // ---- what can be asked ----

  get readableBytes(): number {
    return this.receiver.buffer.unread;
  }

  /** Bytes written and not acknowledged. */
  get bufferedBytes(): number {
    return this.buffer.length;
  }

  get isShutdown(): boolean {
    return this.transmitter.hasEnded;
  }

  /** All the peer sent has been received; some of it may be unread. */
  get peerEnded(): boolean {
    return this.receiver.hasEnded;
  }

  get finAcknowledged(): boolean {
    return this.finWasAcknowledged;
  }

  get statistics(): StreamStatistics {
    return statisticsOf(this.counters, this.receiver.buffer.next, this.buffer.start);
  }

  nextDeadline(): Instant {
    if (this.isDead) return NEVER;
    const acknowledging = this.receiver.schedule.deadline;
    // Between two paths no timer runs but that of acknowledgments.
    if (this.schedule.isFrozen) return acknowledging;
    const own = earlier(earlier(this.patience.nextDeadline, this.restAt), acknowledging);
    return earlier(own, this.schedule.nextDeadline());
  }

  /** When the peer's silence has lasted long enough to ask for a sign of life. */
  get keepAliveAt(): Instant {
    return this.patience.keepAliveAt;
  }

  // ---- what the network and the clock did ----

  /** §4.4: one end of the flow is between two addresses. Its timers stand still until it is heard of again. */
  freeze(number: number): void {
    const flow = this.schedule.flows[number]!;
    flow.isFrozen = true;
    if (this.schedule.isShared) flow.giveUp();
    this.checkTransmit();
  }

  /** It goes on as before: what is due is measured from now. */
  thaw(number: number, now: Instant): void {
    const flow = this.schedule.flows[number];
    if (this.isDead || flow === undefined || !flow.isFrozen) return;
    flow.thaw(now);
    this.patience.pathChanged(now);
    this.checkTransmit();
  }

  /** A further flow carries the stream, too. Its number is its place among them. */
  join(peerMaximumSegment: number, path: PathKnowledge, isBackup: boolean, now: Instant): void {
    const { selective } = this.negotiation;
    this.addFlow({ peerMaximumSegment, selective }, path, now).isBackup = isBackup;
    this.checkTransmit();
  }

  /** The flow has ended, and what it had under way is carried by the others. */
  leave(number: number): void {
    const { flows } = this.schedule;
    const gone = this.schedule.remove(number);
    this.owed = ALL_FLOWS;
    this.receiver.forgetDuplicates();
    if (gone === undefined || this.isDead) return;
    gone.giveUp();
    if (flows.length > 0) gone.scoreboard.moveLost(flows[0]!.scoreboard);
    gone.release();
    this.checkTransmit();
  }

  /** §4.4: the flow goes another way from now on. Timers start anew, and no loss is blamed on the old path. */
  pathChanged(number: number, size: PathSize, now: Instant): void {
    if (this.isDead) return;
    this.schedule.flows[number]!.pathChanged(size, now);
    this.patience.pathChanged(now);
    this.checkTransmit();
  }

  /** One row of the flow: a joined train, or an acknowledgment alone. */
  handleTrain(number: number, batch: ReceivedBatch, row: number, now: Instant): void {
    if (this.isDead) return;
    const { receiver, space } = this;
    const flow = this.schedule.isShared ? this.flowThatBrought(number) : this.schedule.first;
    const flags = batch.field(row, ReceivedField.tcpFlags);
    const length = batch.field(row, ReceivedField.length);
    const fin = (flags & TcpFlag.fin) !== 0;
    const start = space.peerPositionOf(batch.field(row, ReceivedField.sequence), receiver.acknowledgment);
    if ((flags & TcpFlag.rst) !== 0) return this.handleReset(start, now);
    if (!this.isAcceptable(start, length + (fin ? 1 : 0))) return this.handleUnacceptable(start, length, now);
    // RFC 5961 4.2: a SYN in an established stream is answered, never obeyed.
    if ((flags & TcpFlag.syn) !== 0) return this.handleUnacceptable(start, 0, now);
    if ((flags & TcpFlag.ack) === 0) return void this.counters.unacceptable++;
    const acknowledgment = space.positionOf(
      batch.field(row, ReceivedField.acknowledgment),
      this.transmitter.acknowledged,
    );
    if (!this.isPossible(acknowledgment)) return this.handleUnacceptable(start, 0, now);
    this.patience.handleReceived(now);
    if (length === 0 && flow.isSuspect) flow.handleAlive(now);
    this.handleAcknowledgment(flow, batch, row, start, acknowledgment, now);
    if (length > 0 || fin) {
      this.activeAt = now;
      this.signals |= receiver.handleTrain(start, batch, row, fin, now);
    }
    this.checkTransmit();
  }

  /** The SAL's FIN: end of stream even when no TCP FIN came; the original's way (wire format §8). */
  endOfStream(): void {
    if (this.isDead) return;
    this.signals |= this.receiver.endOfStream();
  }

  handleDeadline(now: Instant): void {
    if (this.isDead) return;
    this.receiver.schedule.handleDeadline(now);
    if (this.schedule.isFrozen) return this.checkTransmit();
    this.schedule.handleDeadline(now);
    if (this.schedule.flows.some(({ hasFallenSilent }) => hasFallenSilent)) this.signals |= TransportSignal.silent;
    const isOver = this.finWasAcknowledged && this.receiver.hasEnded;
    if (!this.patience.handleDeadline(isOver, now)) this.die(TransportSignal.timedOut);
    this.checkTransmit();
  }

  packetTooBig(number: number, size: number, now: Instant): void {
    if (this.isDead) return;
    this.schedule.flows[number]!.packetTooBig(size, now);
    this.checkTransmit();
  }

  // ---- what the application wants ----

  /** Copies what the send buffer has room for and returns how many bytes; none after `shutdown`. */
  write(bytes: Uint8Array, offset: number, now: Instant): number {
    if (this.isDead || this.transmitter.hasEnded) return 0;
    this.activeAt = now;
    const wanted = bytes.length - offset;
    const count = Math.min(wanted, Math.max(this.capacity - this.buffer.length, 0));
    if (count < wanted) this.wantsWritable = true;
    if (count === 0) return 0;
    if (this.buffer.length === 0) this.patience.progressAt = now;
    this.buffer.append(bytes, offset, count);
    this.checkTransmit();
    return count;
  }

  /** The next bytes in order; the chunk belongs to the caller. */
  read(now: Instant): Buffer | undefined {
    const chunk = this.receiver.read(this.schedule.slowest.roundTrip, now);
    if (this.receiver.schedule.isDue) this.signals |= TransportSignal.transmit;
    return chunk;
  }

  /** Sends FIN behind what was written. */
  shutdown(now: Instant): void {
    if (this.isDead || this.transmitter.hasEnded) return;
    if (this.buffer.length === 0) this.patience.progressAt = now;
    this.transmitter.hasEnded = true;
    this.checkTransmit();
  }

  setNoDelay(noDelay: boolean): void {
    this.window.noDelay = noDelay;
    this.checkTransmit();
  }

  /** The first probe at `at`, and from then on after each `delay` of silence; `undefined` for none. */
  setKeepAlive(delay: Duration | undefined, at: Instant): void {
    this.patience.setKeepAlive(delay, at);
  }

  setUserTimeout(timeout: Duration): void {
    this.patience.setUserTimeout(timeout);
  }

  /** What is left of it when nothing is under way and nothing has been for a while; looks when its timer is due. */
  rest(now: Instant): RestingStream | undefined {
    if (this.schedule.isFrozen || this.restAt > now) return undefined;
    const { receiver } = this;
    const { first: subflow } = this.schedule;
    const delay = Math.max(STREAM_REST_DELAY, subflow.path.roundTrip.timeout) as Duration;
    const restsAt = after(this.activeAt, delay);
    if (now < restsAt || !this.isIdle) {
      this.restAt = this.hasEnded ? NEVER : now < restsAt ? restsAt : after(now, STREAM_REST_DELAY);
      return undefined;
    }
    subflow.control.handleIdle(now);
    return {
      sent: this.buffer.end,
      received: receiver.buffer.next,
      sendWindow: this.window,
      receiveWindow: receiver.window,
      peerSegment: receiver.peerSegment,
      path: subflow.path,
      counters: this.counters,
    };
  }

  /** What another process needs to go on from here; `undefined` once either end has ended. */
  handOver(): StreamState | undefined {
    if (this.hasEnded) return undefined;
    const { buffer, negotiation, receiver, transmitter, window } = this;
    return streamStateOf(negotiation, buffer, window, receiver, transmitter.next);
  }

  /** What another process had written: taken, however much it is. What it had sent, up to `sentTo`, is sent again. */
  takeOver(bytes: Uint8Array, sentTo: number, now: Instant): void {
    const { buffer, transmitter } = this;
    buffer.append(bytes, 0, bytes.length);
    transmitter.next = Math.min(Math.max(sentTo, buffer.start), buffer.end);
    const sent = transmitter.next - buffer.start;
    if (sent > 0) this.schedule.first.takeOver(sent, buffer.start, now);
    this.checkTransmit();
  }

  /** Gives back all memory. Everything after is without effect. */
  release(): void {
    this.isDead = true;
    this.buffer.clear();
    this.receiver.clear();
    for (const flow of this.schedule.flows) flow.release();
    this.patience.clear();
    this.restAt = NEVER;
    this.signals = 0;
  }

  // ---- what must be done ----

  /** Emits one turn's segments of the flow. True when more could leave at once. */
  pollTransmit(number: number, sink: SegmentSink, now: Instant): boolean {
    if (this.isDead) return false;
    const { selective } = this.negotiation;
    const { first, isShared } = this.schedule;
    const more = isShared
      ? this.pollShared(number, sink, now)
      : this.transmitter.poll(first, sink, selective, true, now);
    this.patience.handleTransmitted(more, now);
    return more;
  }

  /** An acknowledgment shows that the path it answers is alive: each flow that brought something gets its own, late or not. */
  private pollShared(number: number, sink: SegmentSink, now: Instant): boolean {
    const { schedule } = this.receiver;
    this.owed &= this.schedule.speakingFlows;
    const acknowledges = (this.owed & (1 << number)) !== 0 || this.owed === 0;
    const wasDue = schedule.isDue;
    this.receiver.flow = number;
    const flow = this.schedule.flows[number]!;
    const more = this.transmitter.poll(flow, sink, this.negotiation.selective, acknowledges, now);
    if (!wasDue || schedule.isDue) return more;
    this.owed &= ~(1 << number);
    if (this.owed !== 0) schedule.demand();
    return more;
  }

  /** Bits of `TransportSignal` gathered since asked last. */
  takeSignals(): number {
    const { signals } = this;
    this.signals = 0;
    return signals;
  }

  // ---- steps of a segment ----

  /** RFC 5961 3.2: only the very next sequence number resets; others within the window are asked about. */
  private handleReset(start: number, now: Instant): void {
    const { receiver } = this;
    this.counters.unacceptable++;
    if (start === receiver.acknowledgment) return this.die(TransportSignal.reset);
    if (receiver.isAcceptable(start, 0) && receiver.schedule.challenge(now)) this.signals |= TransportSignal.transmit;
  }

  private handleUnacceptable(start: number, length: number, now: Instant): void {
    this.counters.unacceptable++;
    // Data that came again must be acknowledged again; what carries none might make two ends answer for ever.
    if (length > 0) this.receiver.handleOld(start, start + length);
    else if (!this.receiver.schedule.challenge(now)) return;
    this.signals |= TransportSignal.transmit;
  }

  /** RFC 5961 5.2: neither older than the largest window, nor of what was never sent. */
  private isPossible(acknowledgment: number): boolean {
    const { acknowledged, next } = this.transmitter;
    return acknowledgment <= next && acknowledgment >= acknowledged - Math.max(this.window.largest, 0xffff);
  }

  /** Where flows overtake each other, an acknowledgment may be older than the window's worth that came since. */
  private isAcceptable(start: number, length: number): boolean {
    const { receiver } = this;
    if (receiver.isAcceptable(start, length)) return true;
    if (!this.schedule.isShared || length > 0) return false;
    return start < receiver.acknowledgment && start >= receiver.acknowledgment - receiver.window.buffer;
  }

  private handleAcknowledgment(
    by: Subflow,
    batch: ReceivedBatch,
    row: number,
    start: number,
    to: number,
    now: Instant,
  ): void {
    const { transmitter } = this;
    const before = transmitter.acknowledged;
    const window = batch.field(row, ReceivedField.window) << this.negotiation.peerWindowShift;
    const edge = this.window.edge;
    if (to >= before) this.window.handleWindow(start, to, window);
    const empty = batch.field(row, ReceivedField.length) === 0;
    const optionsLength = batch.field(row, ReceivedField.optionsLength);
    if (optionsLength > 0) options.parse(batch.slab, batch.field(row, ReceivedField.optionsOffset), optionsLength);
    acknowledgment.to = Math.max(to, before);
    acknowledgment.sentTo = transmitter.next;
    acknowledgment.options = optionsLength > 0 ? options : undefined;
    acknowledgment.duplicate = to === before && empty && this.window.edge === edge;
    acknowledgment.isShared = this.schedule.isShared;
    transmitter.acknowledged = acknowledgment.to;
    this.schedule.handleAcknowledgment(acknowledgment, by, now);
    if (this.window.edge > edge || window > 0) this.patience.handleRoom(transmitter.next < this.window.edge);
    // A peer that answers with a closed window is alive (RFC 9293 3.8.6.1).
    if (to > before || this.window.edge <= transmitter.next) this.patience.progressAt = now;
    if (to > before) this.handleProgress(transmitter.acknowledged, now);
  }

  private handleProgress(acknowledged: number, now: Instant): void {
    this.activeAt = now;
    this.buffer.release(acknowledged);
    if (this.transmitter.hasEnded && acknowledged > this.buffer.end && !this.finWasAcknowledged) {
      this.finWasAcknowledged = true;
      this.signals |= TransportSignal.finished;
    }
    if (!this.wantsWritable) return;
    const { capacity } = this;
    if (capacity - this.buffer.length < capacity / 4) return;
    this.wantsWritable = false;
    this.signals |= TransportSignal.writable;
  }

  /** What the send buffer may hold: as asked for, or enough for two congestion windows. */
  private get capacity(): number {
    if (this.sendBuffer !== undefined) return this.sendBuffer;
    const grown = 2 * Math.floor(this.schedule.windowBytes);
    return Math.min(Math.max(grown, SEND_BUFFER_DEFAULT), SEND_BUFFER_MAXIMUM);
  }

  private checkTransmit(): void {
    const { transmitter } = this;
    if (this.isDead) return;
    const wanted =
      this.receiver.schedule.isDue || this.schedule.wantsTransmit || transmitter.isProbeDue || transmitter.unsent > 0;
    if (wanted) this.signals |= TransportSignal.transmit;
  }

  private get hasEnded(): boolean {
    return this.isDead || this.transmitter.hasEnded || this.receiver.hasEnded;
  }

  /** Nothing is under way in either direction, and nobody waits for anything. */
  private get isIdle(): boolean {
    return (
      !this.hasEnded &&
      this.signals === 0 &&
      this.patience.isContent &&
      this.buffer.length === 0 &&
      !this.wantsWritable &&
      !this.transmitter.isProbeDue &&
      this.receiver.isIdle &&
      !this.schedule.isShared &&
      this.schedule.first.isIdle
    );
  }

  private flowThatBrought(number: number): Subflow {
    this.owed |= 1 << number;
    this.receiver.flow = number;
    return this.schedule.flows[number]!;
  }

  private addFlow(
    negotiation: Pick<StreamNegotiation, 'peerMaximumSegment' | 'selective'>,
    path: PathKnowledge,
    now: Instant,
  ): Subflow {
    const flow = new Subflow(negotiation, this.space, path, this.transmitter.acknowledged, records, this.counters, now);
    this.schedule.add(flow);
    return flow;
  }

  private die(signal: number): void {
    this.isDead = true;
    this.signals |= signal;
    this.patience.clear();
    this.restAt = NEVER;
  }
}

const ALL_FLOWS = 2 ** FLOWS_PER_STREAM_MAXIMUM - 1;
