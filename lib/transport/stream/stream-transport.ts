// The established half of TCP (RFC 9293) over one flow, cut so that it may be several (§4.4): this file joins
// the sending and the receiving half, the peer's segments, the timers of the connection, and what its owner
// is told. Ports, demultiplexing, connection set-up and teardown are the SAL's.
// Long because it is the stream's whole surface: each member is a line or a few.

import {
  KEEP_ALIVE_DELAY_DEFAULT,
  KEEP_ALIVE_INTERVAL,
  KEEP_ALIVE_PROBES,
  PERSIST_INTERVAL_MAXIMUM,
  SEND_BUFFER_DEFAULT,
  SEND_BUFFER_MAXIMUM,
  SEND_BUFFER_MINIMUM,
  USER_TIMEOUT_DEFAULT,
  USER_TIMEOUT_MAXIMUM,
  USER_TIMEOUT_MINIMUM,
} from '../../limits';
import { type Duration, earlier, type Instant, NEVER } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import { type ReceivedBatch, ReceivedField } from '../../wire/received-batch';
import { TcpFlag } from '../../wire/tcp-header';
import { TcpOptions } from '../../wire/tcp-options';
import { type PathSize, type SegmentSink, TransportSignal } from '../transport';
import { BlockPool } from './block-pool';
import type { CongestionControl, CongestionControlFactory } from './congestion/congestion-control';
import { Cubic } from './congestion/cubic';
import { RecordPool } from './record-pool';
import { SendBuffer } from './send-buffer';
import { SendWindow } from './send-window';
import type { StreamNegotiation } from './stream-handshake';
import { StreamReceiver } from './stream-receiver';
import { StreamTransmitter } from './stream-transmitter';
import { Subflow } from './subflow';
import { TimerTable } from './timer-table';

export interface StreamOptions {
  /** Bytes; without them the buffers begin at their defaults and grow with the path. Bounds in limits.ts. */
  readonly sendBuffer?: number | undefined;
  readonly receiveBuffer?: number | undefined;
  /** Makes the congestion control of each flow; CUBIC by default. */
  readonly congestion?: CongestionControlFactory | undefined;
  /** Chance for the congestion control. */
  readonly random?: RandomSource | undefined;
}

export interface StreamStatistics {
  readonly bytesReceived: number;
  readonly bytesAcknowledged: number;
  readonly segmentsSent: number;
  readonly acknowledgmentsSent: number;
  readonly retransmittedBytes: number;
  readonly timeouts: number;
  /** Recoveries and timeouts that proved mistaken. */
  readonly undone: number;
  readonly duplicateBytes: number;
  readonly droppedBytes: number;
  readonly outOfOrderSegments: number;
  /** Segments outside of the window, or with an impossible acknowledgment. */
  readonly unacceptable: number;
}

const Timer = { persist: 0, keepAlive: 1, userTimeout: 2 } as const;
const TIMERS = 3;

/** Storage of all streams of this process: what one gives back another uses. */
const blocks = new BlockPool();
const records = new RecordPool();
const options = new TcpOptions();

export class StreamTransport {
  private readonly buffer = new SendBuffer(blocks);
  private readonly window = new SendWindow();
  private readonly receiver: StreamReceiver;
  private readonly transmitter: StreamTransmitter;
  private readonly congestion: (segmentSize: number) => CongestionControl;
  private readonly timers = new TimerTable(TIMERS);
  private readonly sendBuffer: number | undefined;
  private subflow: Subflow | undefined;
  private negotiation: StreamNegotiation | undefined;
  private signals = 0;
  private wantsWritable = false;
  private isReleased = false;
  private isDead = false;
  private keepAliveDelay: Duration | undefined;
  private keepAliveProbes = 0;
  private userTimeout: Duration = USER_TIMEOUT_DEFAULT;
  private persistCount = 0;
  private receivedAt = 0 as Instant;
  private progressAt = 0 as Instant;
  private unacceptable = 0;
  private finWasAcknowledged = false;
  /** The latest `now` that any call brought: reading brings none. */
  private lastNow = 0 as Instant;

  constructor(streamOptions: StreamOptions = {}) {
    const { sendBuffer } = streamOptions;
    this.sendBuffer =
      sendBuffer === undefined
        ? undefined
        : Math.min(Math.max(Math.floor(sendBuffer), SEND_BUFFER_MINIMUM), SEND_BUFFER_MAXIMUM);
    this.receiver = new StreamReceiver(streamOptions.receiveBuffer);
    this.transmitter = new StreamTransmitter(this.buffer, this.window, this.receiver);
    const { congestion, random } = streamOptions;
    this.congestion = (segmentSize) => congestion?.(segmentSize, random) ?? new Cubic(segmentSize);
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
    const { receiver, transmitter, subflow } = this;
    return {
      bytesReceived: receiver.buffer.next,
      bytesAcknowledged: this.buffer.start,
      segmentsSent: transmitter.segmentsSent,
      acknowledgmentsSent: transmitter.acknowledgmentsSent,
      retransmittedBytes: subflow?.retransmittedBytes ?? 0,
      timeouts: subflow?.timeouts ?? 0,
      undone: subflow?.undone ?? 0,
      duplicateBytes: receiver.duplicateBytes,
      droppedBytes: receiver.droppedBytes,
      outOfOrderSegments: receiver.outOfOrderSegments,
      unacceptable: this.unacceptable,
    };
  }

  nextDeadline(): Instant {
    const { subflow } = this;
    if (subflow === undefined || this.isDead) return NEVER;
    const own = earlier(this.timers.earliest, this.receiver.schedule.deadline);
    return earlier(own, subflow.nextDeadline());
  }

  // ---- what the network and the clock did ----

  /**
   * A flow is established. The first one's positions are stream offsets; further ones are not yet taken. The
   * round trip of its handshake, where it is known, spares the first loss a timeout of a second.
   */
  establish(negotiation: StreamNegotiation, size: PathSize, now: Instant, handshakeRoundTrip?: Duration): Subflow {
    if (this.subflow !== undefined) throw new Error('a stream is established once: further flows come later');
    const subflow = new Subflow(negotiation, size, this.congestion, records, now, handshakeRoundTrip);
    this.subflow = subflow;
    this.negotiation = negotiation;
    this.window.establish(negotiation.peerWindow);
    this.receiver.window.establish(negotiation.localWindowShift, negotiation.localWindow, now);
    this.receivedAt = now;
    this.progressAt = now;
    this.lastNow = now;
    this.armKeepAlive(now);
    this.checkTransmit();
    return subflow;
  }

  /** §4.4: the flow goes another way from now on. Timers start anew, and no loss is blamed on the old path. */
  pathChanged(subflow: Subflow, size: PathSize, now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    subflow.pathChanged(size, now);
    this.progressAt = now;
    this.persistCount = 0;
    if (this.timers.isArmed(Timer.persist)) this.timers.arm(Timer.persist, now);
    this.armUserTimeout();
    this.checkTransmit();
  }

  /** One row of the flow: a joined train, or an acknowledgment alone. */
  handleTrain(subflow: Subflow, batch: ReceivedBatch, row: number, now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    const { receiver } = this;
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
    if (!this.isPossible(subflow, acknowledgment)) return this.handleUnacceptable(start, 0, now);
    this.receivedAt = now;
    this.keepAliveProbes = 0;
    this.handleAcknowledgment(subflow, batch, row, start, acknowledgment, now);
    if (length > 0 || fin) this.signals |= receiver.handleTrain(start, batch, row, fin, now);
    this.checkTransmit();
  }

  /** The SAL's FIN: end of stream even when no TCP FIN came; the original's way (wire format §8). */
  endOfStream(now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    this.signals |= this.receiver.endOfStream();
  }

  handleDeadline(now: Instant): void {
    const { subflow, timers } = this;
    if (subflow === undefined || this.isDead) return;
    this.lastNow = now;
    this.receiver.schedule.handleDeadline(now);
    subflow.handleDeadline(now);
    if (timers.expire(Timer.userTimeout, now)) this.handleUserTimeout(subflow, now);
    if (timers.expire(Timer.persist, now)) this.handlePersist(subflow);
    if (timers.expire(Timer.keepAlive, now)) this.handleKeepAlive(subflow, now);
    this.checkTransmit();
  }

  packetTooBig(subflow: Subflow, size: number, now: Instant): void {
    if (this.isDead) return;
    this.lastNow = now;
    subflow.packetTooBig(size, now);
    this.checkTransmit();
  }

  // ---- what the application wants ----

  /** Copies what the send buffer has room for and returns how many bytes; none after `shutdown`. */
  write(bytes: Uint8Array, offset: number, now: Instant): number {
    if (this.isDead || this.transmitter.hasEnded) return 0;
    this.lastNow = now;
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
    const roundTrip = this.subflow?.roundTripTime;
    const chunk = this.receiver.read(roundTrip, this.lastNow);
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

  setKeepAlive(enabled: boolean, delay: Duration, now: Instant): void {
    this.keepAliveDelay = enabled ? (delay > 0 ? delay : KEEP_ALIVE_DELAY_DEFAULT) : undefined;
    this.keepAliveProbes = 0;
    this.armKeepAlive(now);
  }

  /** How long data may stay unacknowledged; 0 for the default (RFC 5482, the local half). */
  setUserTimeout(timeout: Duration): void {
    const bounded = Math.min(Math.max(timeout, USER_TIMEOUT_MINIMUM), USER_TIMEOUT_MAXIMUM) as Duration;
    this.userTimeout = timeout > 0 ? bounded : USER_TIMEOUT_DEFAULT;
    this.armUserTimeout();
  }

  /** Gives back all memory. Everything after is without effect. */
  release(): void {
    this.isDead = true;
    if (this.isReleased) return;
    this.isReleased = true;
    this.buffer.clear();
    this.receiver.buffer.clear();
    this.subflow?.release();
    this.timers.clear();
    this.signals = 0;
  }

  // ---- what must be done ----

  /** Emits one turn's segments of the flow. True when more could leave at once. */
  pollTransmit(subflow: Subflow, sink: SegmentSink, now: Instant): boolean {
    if (this.isDead) return false;
    this.lastNow = now;
    const more = this.transmitter.poll(subflow, sink, this.negotiation!.selective, now);
    this.armPersist(subflow, more, now);
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
    this.unacceptable++;
    if (start === receiver.acknowledgment) return this.die(TransportSignal.reset);
    if (receiver.isAcceptable(start, 0) && receiver.schedule.challenge(now)) this.signals |= TransportSignal.transmit;
  }

  private handleUnacceptable(start: number, length: number, now: Instant): void {
    this.unacceptable++;
    // Data that came again must be acknowledged again; what carries none might make two ends answer for ever.
    if (length > 0) this.receiver.handleOld(start, start + length);
    else if (!this.receiver.schedule.challenge(now)) return;
    this.signals |= TransportSignal.transmit;
  }

  private countUnacceptable(): void {
    this.unacceptable++;
  }

  /** RFC 5961 5.2: neither older than the largest window, nor of what was never sent. */
  private isPossible(subflow: Subflow, acknowledgment: number): boolean {
    const { acknowledged, next } = subflow.scoreboard;
    return acknowledgment <= next && acknowledgment >= acknowledged - Math.max(this.window.largest, 0xffff);
  }

  private handleAcknowledgment(
    subflow: Subflow,
    batch: ReceivedBatch,
    row: number,
    start: number,
    to: number,
    now: Instant,
  ): void {
    const { scoreboard } = subflow;
    const before = scoreboard.acknowledged;
    const window = batch.field(row, ReceivedField.window) * 2 ** this.negotiation!.peerWindowShift;
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
    if (to > before) this.handleProgress(scoreboard.acknowledged);
  }

  private handleProgress(acknowledged: number): void {
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
    const grown = 2 * Math.floor(this.subflow?.congestionWindow ?? 0);
    return Math.min(Math.max(grown, SEND_BUFFER_DEFAULT), SEND_BUFFER_MAXIMUM);
  }

  private checkTransmit(): void {
    const { subflow, transmitter } = this;
    if (subflow === undefined || this.isDead) return;
    const wanted =
      this.receiver.schedule.isDue ||
      subflow.hasLosses ||
      subflow.tailProbe.isDue ||
      transmitter.isProbeDue ||
      transmitter.unsent(subflow) > 0;
    if (wanted) this.signals |= TransportSignal.transmit;
  }

  private die(signal: number): void {
    this.isDead = true;
    this.signals |= signal;
    this.timers.clear();
  }

  // ---- timers ----

  /** Nothing is under way and something waits: only the peer's window can be the reason (RFC 9293 3.8.6.1). */
  private armPersist(subflow: Subflow, more: boolean, now: Instant): void {
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

  private handlePersist(subflow: Subflow): void {
    if (!subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) <= 0) return;
    this.persistCount = Math.min(this.persistCount + 1, PERSIST_BACKOFF_MAXIMUM);
    if (this.window.edge > subflow.scoreboard.next) this.transmitter.isOverridden = true;
    else this.transmitter.isProbeDue = true;
  }

  private armKeepAlive(now: Instant): void {
    if (this.keepAliveDelay === undefined || this.subflow === undefined) this.timers.disarm(Timer.keepAlive);
    else this.timers.arm(Timer.keepAlive, now + this.keepAliveDelay);
  }

  private handleKeepAlive(subflow: Subflow, now: Instant): void {
    if (this.keepAliveDelay === undefined) return;
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
    if (subflow === undefined || this.isDead) return;
    const waiting = !subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) > 0;
    if (waiting) this.timers.arm(Timer.userTimeout, this.progressAt + this.userTimeout);
    else this.timers.disarm(Timer.userTimeout);
  }

  private handleUserTimeout(subflow: Subflow, now: Instant): void {
    const waiting = !subflow.scoreboard.isEmpty || this.transmitter.unsent(subflow) > 0;
    if (!waiting) return;
    if (now >= this.progressAt + this.userTimeout) this.die(TransportSignal.timedOut);
    else this.armUserTimeout();
  }
}

const PERSIST_BACKOFF_MAXIMUM = 16;
