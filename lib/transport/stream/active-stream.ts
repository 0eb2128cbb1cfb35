// The established half of TCP (RFC 9293) over one flow while there is traffic: joins the sending and the receiving
// half, the peer's segments, the timers of the connection, and what its owner is told. When nothing has been under
// way for a while it comes to rest, and `StreamTransport` keeps what is left of it.
// Long because it is the stream's whole behaviour: each member is a line or a few.

import {
  KEEP_ALIVE_INTERVAL,
  KEEP_ALIVE_PROBES,
  PERSIST_INTERVAL_MAXIMUM,
  SEND_BUFFER_DEFAULT,
  SEND_BUFFER_MAXIMUM,
  STREAM_REST_DELAY,
  USER_TIMEOUT_DEFAULT,
} from '../../limits';
import { type Duration, earlier, type Instant, NEVER } from '../../time/instant';
import { TimerTable } from '../../time/timer-table';
import { type ReceivedBatch, ReceivedField } from '../../wire/received-batch';
import { TcpFlag } from '../../wire/tcp-header';
import { TcpOptions } from '../../wire/tcp-options';
import { type PathSize, type SegmentSink, TransportSignal } from '../transport';
import { BlockPool } from './block-pool';
import { ReceiveBudget } from './receive-budget';
import { RecordPool } from './record-pool';
import type { RestingStream } from './resting-stream';
import { SendBuffer } from './send-buffer';
import type { SendWindow } from './send-window';
import { type StreamCounters, type StreamStatistics, statisticsOf } from './stream-counters';
import type { StreamNegotiation } from './stream-handshake';
import { StreamReceiver } from './stream-receiver';
import { StreamTransmitter } from './stream-transmitter';
import { Subflow } from './subflow';

const Timer = { persist: 0, keepAlive: 1, userTimeout: 2, rest: 3 } as const;
const TIMERS = 4;

/** Storage of all streams of this process: what one gives back another uses. */
const blocks = new BlockPool();
const records = new RecordPool();
const options = new TcpOptions();

export class ActiveStream {
  readonly subflow: Subflow;
  private readonly buffer: SendBuffer;
  private readonly window: SendWindow;
  private readonly receiver: StreamReceiver;
  private readonly transmitter: StreamTransmitter;
  private readonly counters: StreamCounters;
  private readonly timers = new TimerTable(TIMERS);
  private signals = 0;
  private wantsWritable = false;
  private isDead = false;
  /** Between two paths: no timer runs but that of acknowledgments. */
  private isFrozen = false;
  private keepAliveDelay: Duration | undefined;
  private keepAliveProbes = 0;
  private userTimeout: Duration = USER_TIMEOUT_DEFAULT;
  private persistCount = 0;
  /** When the peer was heard last, and when it last made progress; when anything was last under way. */
  private receivedAt: Instant = LONG_AGO;
  private progressAt: Instant;
  private activeAt: Instant;
  private finWasAcknowledged = false;
  /** The latest `now` that any call brought: reading brings none. */
  private lastNow: Instant;

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
    this.transmitter = new StreamTransmitter(this.buffer, this.window, this.receiver, this.counters);
    this.subflow = new Subflow(negotiation, resting.path, resting.sent, records, this.counters, now);
    this.progressAt = now;
    this.activeAt = now;
    this.lastNow = now;
    this.timers.arm(Timer.rest, now + STREAM_REST_DELAY);
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
    if (this.isFrozen) return this.receiver.schedule.deadline;
    const own = earlier(this.timers.earliest, this.receiver.schedule.deadline);
    return earlier(own, this.subflow.nextDeadline());
  }

  /** When the peer's silence has lasted long enough to ask for a sign of life. */
  get keepAliveAt(): Instant {
    if (this.keepAliveDelay === undefined) return NEVER;
    return Math.max(this.timers.deadline(Timer.keepAlive), this.receivedAt + this.keepAliveDelay) as Instant;
  }

  // ---- what the network and the clock did ----

  /** §4.4: one end of the flow is between two addresses. Timers stand still until it is heard of again. */
  freeze(): void {
    this.isFrozen = true;
  }

  /** It goes on as before: what is due is measured from now. */
  thaw(now: Instant): void {
    if (this.isDead || !this.isFrozen) return;
    this.isFrozen = false;
    this.lastNow = now;
    this.subflow.thaw(now);
    this.resumeTimers(now);
  }

  /** §4.4: the flow goes another way from now on. Timers start anew, and no loss is blamed on the old path. */
  pathChanged(size: PathSize, now: Instant): void {
    if (this.isDead) return;
    this.isFrozen = false;
    this.lastNow = now;
    this.subflow.pathChanged(size, now);
    this.persistCount = 0;
    this.resumeTimers(now);
  }

  private resumeTimers(now: Instant): void {
    this.progressAt = now;
    if (this.timers.isArmed(Timer.persist)) this.timers.arm(Timer.persist, now);
    if (this.timers.isArmed(Timer.keepAlive)) this.timers.arm(Timer.keepAlive, Math.max(this.keepAliveAt, now));
    this.armUserTimeout();
    this.checkTransmit();
  }

  /** One row of the flow: a joined train, or an acknowledgment alone. */
  handleTrain(batch: ReceivedBatch, row: number, now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    const { receiver, subflow } = this;
    const flags = batch.field(row, ReceivedField.tcpFlags);
    const length = batch.field(row, ReceivedField.length);
    const fin = (flags & TcpFlag.fin) !== 0;
    const start = subflow.peerPositionOf(batch.field(row, ReceivedField.sequence), receiver.acknowledgment);
    if ((flags & TcpFlag.rst) !== 0) return this.handleReset(start, now);
    if (!receiver.isAcceptable(start, length + (fin ? 1 : 0))) return this.handleUnacceptable(start, length, now);
    // RFC 5961 4.2: a SYN in an established stream is answered, never obeyed.
    if ((flags & TcpFlag.syn) !== 0) return this.handleUnacceptable(start, 0, now);
    if ((flags & TcpFlag.ack) === 0) return this.countUnacceptable();
    const acknowledgment = subflow.positionOf(batch.field(row, ReceivedField.acknowledgment));
    if (!this.isPossible(acknowledgment)) return this.handleUnacceptable(start, 0, now);
    this.receivedAt = now;
    this.keepAliveProbes = 0;
    this.handleAcknowledgment(batch, row, start, acknowledgment, now);
    if (length > 0 || fin) {
      this.activeAt = now;
      this.signals |= receiver.handleTrain(start, batch, row, fin, now);
    }
    this.checkTransmit();
  }

  /** The SAL's FIN: end of stream even when no TCP FIN came; the original's way (wire format §8). */
  endOfStream(now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    this.signals |= this.receiver.endOfStream();
  }

  handleDeadline(now: Instant): void {
    const { timers } = this;
    if (this.isDead) return;
    this.lastNow = now;
    this.receiver.schedule.handleDeadline(now);
    if (this.isFrozen) return this.checkTransmit();
    this.subflow.handleDeadline(now);
    if (timers.expire(Timer.userTimeout, now)) this.handleUserTimeout(now);
    if (timers.expire(Timer.persist, now)) this.handlePersist();
    if (timers.expire(Timer.keepAlive, now)) this.handleKeepAlive(now);
    this.checkTransmit();
  }

  packetTooBig(size: number, now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    this.subflow.packetTooBig(size, now);
    this.checkTransmit();
  }

  // ---- what the application wants ----

  /** Copies what the send buffer has room for and returns how many bytes; none after `shutdown`. */
  write(bytes: Uint8Array, offset: number, now: Instant): number {
    if (this.isDead || this.transmitter.hasEnded) return 0;
    this.lastNow = now;
    this.activeAt = now;
    const wanted = bytes.length - offset;
    const count = Math.min(wanted, Math.max(this.capacity - this.buffer.length, 0));
    if (count < wanted) this.wantsWritable = true;
    if (count === 0) return 0;
    if (this.buffer.length === 0) this.progressAt = now;
    this.buffer.append(bytes, offset, count);
    this.checkTransmit();
    return count;
  }

  /** The next bytes in order; the chunk belongs to the caller. */
  read(): Buffer | undefined {
    const chunk = this.receiver.read(this.subflow.path.roundTrip, this.lastNow);
    if (this.receiver.schedule.isDue) this.signals |= TransportSignal.transmit;
    return chunk;
  }

  /** Sends FIN behind what was written. */
  shutdown(now: Instant): void {
    if (this.isDead || this.transmitter.hasEnded) return;
    this.lastNow = now;
    if (this.buffer.length === 0) this.progressAt = now;
    this.transmitter.hasEnded = true;
    this.checkTransmit();
  }

  setNoDelay(noDelay: boolean): void {
    this.window.noDelay = noDelay;
    this.checkTransmit();
  }

  /** The first probe at `at`, and from then on after each `delay` of silence; `undefined` for none. */
  setKeepAlive(delay: Duration | undefined, at: Instant): void {
    this.keepAliveDelay = delay;
    this.keepAliveProbes = 0;
    this.timers.arm(Timer.keepAlive, delay === undefined ? NEVER : at);
  }

  setUserTimeout(timeout: Duration): void {
    this.userTimeout = timeout;
    this.armUserTimeout();
  }

  /** What is left of it when nothing is under way and nothing has been for a while; looks when its timer is due. */
  rest(now: Instant): RestingStream | undefined {
    if (this.isFrozen || !this.timers.expire(Timer.rest, now)) return undefined;
    const { receiver, subflow } = this;
    const restsAt = this.activeAt + Math.max(STREAM_REST_DELAY, subflow.path.roundTrip.timeout);
    if (now < restsAt || !this.isIdle) {
      if (!this.hasEnded) this.timers.arm(Timer.rest, now < restsAt ? restsAt : now + STREAM_REST_DELAY);
      return undefined;
    }
    subflow.rest(now);
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

  /** Gives back all memory. Everything after is without effect. */
  release(): void {
    this.isDead = true;
    this.buffer.clear();
    this.receiver.clear();
    this.subflow.release();
    this.timers.clear();
    this.signals = 0;
  }

  // ---- what must be done ----

  /** Emits one turn's segments of the flow. True when more could leave at once. */
  pollTransmit(sink: SegmentSink, now: Instant): boolean {
    if (this.isDead) return false;
    this.lastNow = now;
    const more = this.transmitter.poll(this.subflow, sink, this.negotiation.selective, now);
    this.armPersist(more, now);
    this.armUserTimeout();
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

  private countUnacceptable(): void {
    this.counters.unacceptable++;
  }

  /** RFC 5961 5.2: neither older than the largest window, nor of what was never sent. */
  private isPossible(acknowledgment: number): boolean {
    const { acknowledged, next } = this.subflow.scoreboard;
    return acknowledgment <= next && acknowledgment >= acknowledged - Math.max(this.window.largest, 0xffff);
  }

  private handleAcknowledgment(batch: ReceivedBatch, row: number, start: number, to: number, now: Instant): void {
    const { subflow } = this;
    const { scoreboard } = subflow;
    const before = scoreboard.acknowledged;
    const window = batch.field(row, ReceivedField.window) << this.negotiation.peerWindowShift;
    const edge = this.window.edge;
    if (to >= before) this.window.handleWindow(start, to, window);
    const empty = batch.field(row, ReceivedField.length) === 0;
    const duplicate = to === before && empty && this.window.edge === edge;
    const optionsLength = batch.field(row, ReceivedField.optionsLength);
    if (optionsLength > 0) options.parse(batch.slab, batch.field(row, ReceivedField.optionsOffset), optionsLength);
    subflow.handleAcknowledgment(Math.max(to, before), optionsLength > 0 ? options : undefined, duplicate, now);
    if (this.window.edge > edge || window > 0) this.stopPersist(scoreboard.next < this.window.edge);
    // A peer that answers with a closed window is alive (RFC 9293 3.8.6.1).
    if (to > before || this.window.edge <= scoreboard.next) this.progressAt = now;
    if (to > before) this.handleProgress(scoreboard.acknowledged, now);
  }

  private handleProgress(acknowledged: number, now: Instant): void {
    this.activeAt = now;
    this.buffer.release(acknowledged);
    if (this.transmitter.hasEnded && acknowledged > this.buffer.end && !this.finWasAcknowledged) {
      this.finWasAcknowledged = true;
      this.signals |= TransportSignal.finished;
    }
    const { capacity } = this;
    if (!this.wantsWritable || capacity - this.buffer.length < capacity / 4) return;
    this.wantsWritable = false;
    this.signals |= TransportSignal.writable;
  }

  /** What the send buffer may hold: as asked for, or enough for two congestion windows. */
  private get capacity(): number {
    if (this.sendBuffer !== undefined) return this.sendBuffer;
    const grown = 2 * Math.floor(this.subflow.congestionWindow);
    return Math.min(Math.max(grown, SEND_BUFFER_DEFAULT), SEND_BUFFER_MAXIMUM);
  }

  private checkTransmit(): void {
    const { subflow, transmitter } = this;
    if (this.isDead) return;
    const wanted =
      this.receiver.schedule.isDue ||
      subflow.hasLosses ||
      subflow.tailProbe.isDue ||
      transmitter.isProbeDue ||
      transmitter.unsent(subflow) > 0;
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
      this.keepAliveProbes === 0 &&
      this.buffer.length === 0 &&
      !this.wantsWritable &&
      !this.transmitter.isProbeDue &&
      this.receiver.isIdle &&
      this.subflow.isIdle
    );
  }

  private die(signal: number): void {
    this.isDead = true;
    this.signals |= signal;
    this.timers.clear();
  }

  // ---- timers ----

  /** Nothing is under way and something waits: only the peer's window can be the reason (RFC 9293 3.8.6.1). */
  private armPersist(more: boolean, now: Instant): void {
    const { subflow } = this;
    if (more || !subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) <= 0) return;
    if (this.timers.isArmed(Timer.persist)) return;
    const wait = subflow.roundTrip.timeout * 2 ** this.persistCount;
    this.timers.arm(Timer.persist, now + Math.min(wait, PERSIST_INTERVAL_MAXIMUM));
  }

  private stopPersist(isOpen: boolean): void {
    if (!isOpen) return;
    this.persistCount = 0;
    this.timers.disarm(Timer.persist);
  }

  private handlePersist(): void {
    const { subflow } = this;
    if (!subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) <= 0) return;
    this.persistCount = Math.min(this.persistCount + 1, PERSIST_BACKOFF_MAXIMUM);
    if (this.window.edge > subflow.scoreboard.next) this.transmitter.isOverridden = true;
    else this.transmitter.isProbeDue = true;
  }

  private handleKeepAlive(now: Instant): void {
    const { subflow } = this;
    // Both ends have said all: whoever is silent now has nothing left to say, and need not answer.
    if (this.keepAliveDelay === undefined || (this.finWasAcknowledged && this.receiver.hasEnded)) return;
    // Sums compare as they were armed; a difference may be rounded below the delay, and never reach it.
    const isEarly = now < this.receivedAt + this.keepAliveDelay;
    // With data under way the retransmission timer asks the same question.
    if (!subflow.scoreboard.isEmpty || isEarly) {
      const from = subflow.scoreboard.isEmpty ? this.receivedAt : now;
      this.timers.arm(Timer.keepAlive, from + this.keepAliveDelay);
    } else if (this.keepAliveProbes >= KEEP_ALIVE_PROBES) this.die(TransportSignal.timedOut);
    else {
      this.keepAliveProbes++;
      this.transmitter.isProbeDue = true;
      this.timers.arm(Timer.keepAlive, now + Math.min(KEEP_ALIVE_INTERVAL, this.keepAliveDelay));
    }
  }

  private armUserTimeout(): void {
    const { subflow } = this;
    if (this.isDead) return;
    const waiting = !subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) > 0;
    if (waiting) this.timers.arm(Timer.userTimeout, this.progressAt + this.userTimeout);
    else this.timers.disarm(Timer.userTimeout);
  }

  private handleUserTimeout(now: Instant): void {
    const { subflow } = this;
    const waiting = !subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) > 0;
    if (!waiting) return;
    if (now >= this.progressAt + this.userTimeout) this.die(TransportSignal.timedOut);
    else this.armUserTimeout();
  }
}

const PERSIST_BACKOFF_MAXIMUM = 16;
const LONG_AGO = Number.NEGATIVE_INFINITY as Instant;
