// A model of the original's TCP (wire format §9): Reno without SACK, window scale 1, timers of 210 ms and up,
// delayed acknowledgments of 40 ms. Simple, not fast: enough to converse with, under loss too.

import type { ScheduledEvent, SimulatedClock } from '../../lib/sim/clock';
import { milliseconds } from '../../lib/time/instant';
import { Tcp, type TcpView } from './packet-view';
import { type SegmentFields, tcpBytes } from './packet-writer';

export interface ModelStreamOptions {
  readonly clock: SimulatedClock;
  readonly initial: number;
  readonly peerInitial: number;
  /** 1448 at the client, 1408 on the accepted side (§9). */
  readonly segmentSize: number;
  /** Shift of our peer's windows, or `undefined` when none is scaled. */
  readonly peerShift: number | undefined;
  readonly peerWindow: number;
  readonly emit: (transport: Buffer) => void;
  /** Our FIN was acknowledged: the SAL's follows (§8). */
  readonly finAcknowledged: () => void;
}

export class ModelStream {
  /** What the application has been given: in order, and not yet with its end. */
  received = Buffer.alloc(0);
  peerEnded = false;
  private data = Buffer.alloc(0);
  private hasEnded = false;
  /** Positions behind our SYN: acknowledged, sent, and the greatest sent. */
  private acknowledged = 0;
  private next = 0;
  private sentMaximum = 0;
  private peerEdge: number;
  private congestionWindow: number;
  private threshold = Number.POSITIVE_INFINITY;
  private duplicates = 0;
  private recoverUntil = 0;
  private backoff = 0;
  private readonly outOfOrder = new Map<number, Buffer>();
  private peerEndsAt: number | undefined;
  private retransmission: ScheduledEvent | undefined;
  private delayedAck: ScheduledEvent | undefined;

  constructor(private readonly options: ModelStreamOptions) {
    this.peerEdge = options.peerWindow;
    this.congestionWindow = 3 * options.segmentSize;
  }

  write(bytes: Buffer): void {
    this.data = Buffer.concat([this.data, bytes]);
    this.transmit();
  }

  end(): void {
    this.hasEnded = true;
    this.transmit();
  }

  stop(): void {
    this.retransmission?.cancel();
    this.delayedAck?.cancel();
  }

  /** The third ACK, with the window that counts (§9). */
  handshakeAck(): Buffer {
    return this.segment({});
  }

  /** A TCP RST inside of the window ends the connection; true when there was one. */
  handle(tcp: TcpView): boolean {
    if ((tcp.flags & Tcp.rst) !== 0) return true;
    if ((tcp.flags & Tcp.ack) !== 0) this.handleAck(tcp);
    this.handleData(tcp);
    this.transmit();
    return false;
  }

  private handleAck(tcp: TcpView): void {
    const ack = (tcp.ack - this.options.initial - 1) | 0;
    if (ack < this.acknowledged || ack > this.sentMaximum) return;
    this.peerEdge = ack + tcp.window * 2 ** (this.options.peerShift ?? 0);
    if (ack > this.acknowledged) this.handleProgress(ack);
    else if (tcp.payload.length === 0 && this.sentMaximum > ack && ++this.duplicates === 3) this.recover();
  }

  private handleProgress(ack: number): void {
    const { segmentSize } = this.options;
    const wasFinished = this.isFinished;
    this.acknowledged = ack;
    this.next = Math.max(this.next, ack);
    this.duplicates = 0;
    this.backoff = 0;
    if (ack < this.recoverUntil) this.retransmitFirst();
    else if (this.congestionWindow < this.threshold) this.congestionWindow += segmentSize;
    else this.congestionWindow += (segmentSize * segmentSize) / this.congestionWindow;
    this.retransmission?.cancel();
    this.retransmission = undefined;
    if (!wasFinished && this.isFinished) this.options.finAcknowledged();
  }

  private recover(): void {
    this.threshold = Math.max(this.congestionWindow / 2, 2 * this.options.segmentSize);
    this.congestionWindow = this.threshold;
    this.recoverUntil = this.sentMaximum;
    this.retransmitFirst();
  }

  private handleData(tcp: TcpView): void {
    const start = (tcp.sequence - this.options.peerInitial - 1) | 0;
    const isEmpty = tcp.payload.length === 0 && (tcp.flags & Tcp.fin) === 0;
    if (isEmpty) return;
    const before = this.received.length;
    if (tcp.payload.length > 0) this.outOfOrder.set(start, tcp.payload);
    if ((tcp.flags & Tcp.fin) !== 0) this.peerEndsAt = start + tcp.payload.length;
    for (let found = this.takeNext(); found; found = this.takeNext());
    const endsNow = !this.peerEnded && this.peerEndsAt === this.received.length;
    if (endsNow) this.peerEnded = true;
    const isInOrder = this.received.length > before && this.outOfOrder.size === 0;
    if (isInOrder && !endsNow && this.delayedAck === undefined) {
      this.delayedAck = this.options.clock.scheduleAfter(milliseconds(40), () => this.acknowledge());
    } else {
      this.acknowledge();
    }
  }

  private takeNext(): boolean {
    for (const [start, payload] of this.outOfOrder) {
      if (start > this.received.length) continue;
      this.outOfOrder.delete(start);
      const fresh = payload.subarray(this.received.length - start);
      this.received = Buffer.concat([this.received, fresh]);
      return true;
    }
    return false;
  }

  private acknowledge(): void {
    this.delayedAck?.cancel();
    this.delayedAck = undefined;
    this.options.emit(this.segment({}));
  }

  private get isFinished(): boolean {
    return this.hasEnded && this.acknowledged > this.data.length;
  }

  private transmit(): void {
    const window = Math.min(this.peerEdge, this.acknowledged + this.congestionWindow);
    while (this.next < this.data.length && this.next < window) this.sendAt(this.next);
    if (this.hasEnded && this.next === this.data.length) this.sendAt(this.next);
    if (this.acknowledged < this.sentMaximum && this.retransmission === undefined) this.arm();
  }

  private arm(): void {
    const wait = milliseconds(Math.min(210 * 2 ** this.backoff, 120_000));
    this.retransmission = this.options.clock.scheduleAfter(wait, () => {
      this.retransmission = undefined;
      this.backoff++;
      this.threshold = Math.max(this.congestionWindow / 2, 2 * this.options.segmentSize);
      this.congestionWindow = this.options.segmentSize;
      // Go back to what was not acknowledged.
      this.next = this.acknowledged;
      this.recoverUntil = 0;
      this.transmit();
      if (this.retransmission === undefined && this.acknowledged < this.sentMaximum) this.arm();
    });
  }

  private retransmitFirst(): void {
    const { next } = this;
    this.sendAt(this.acknowledged);
    this.next = Math.max(next, this.next);
  }

  private sendAt(position: number): void {
    const { segmentSize, initial } = this.options;
    const room = Math.max(this.peerEdge - position, 1);
    const payload = this.data.subarray(position, position + Math.min(segmentSize, room));
    const isLast = this.hasEnded && position + payload.length === this.data.length;
    const flags = Tcp.ack | (payload.length > 0 ? Tcp.psh : 0) | (isLast ? Tcp.fin : 0);
    this.delayedAck?.cancel();
    this.delayedAck = undefined;
    this.options.emit(this.segment({ sequence: initial + 1 + position, flags, payload }));
    this.next = position + payload.length + (isLast ? 1 : 0);
    this.sentMaximum = Math.max(this.sentMaximum, this.next);
  }

  private segment(fields: Partial<SegmentFields>): Buffer {
    const { initial, peerInitial, peerShift } = this.options;
    const ended = this.peerEnded ? 1 : 0;
    // It begins with 5792 bytes and opens as data comes (a-tcp).
    const window = Math.min(5792 + 2 * this.received.length, 87_380);
    return tcpBytes({
      sequence: initial + 1 + this.next,
      ack: peerInitial + 1 + this.received.length + ended,
      flags: Tcp.ack,
      window: Math.min(peerShift === undefined ? window : window >>> 1, 0xffff),
      ...fields,
    });
  }
}
