// The sending half of a stream: what leaves in one turn on one flow, in which order, and cut into which
// trains. What may leave is decided by `Subflow` (congestion), `SendWindow` (the peer's room) and, among several
// flows, by the schedule.
// Long because the ways in which bytes leave share one budget and one way to write a row.

import { BURST_BYTES_MAXIMUM, TRAIN_BYTES_MAXIMUM, TRAIN_SEGMENTS_MAXIMUM } from '../../limits';
import type { Instant } from '../../time/instant';
import { TCP_HEADER_BYTES, TcpFlag, writeTcpHeader } from '../../wire/tcp-header';
import { SACK_BLOCKS_MAXIMUM, sackOptionBytes, writeSackOption } from '../../wire/tcp-options';
import { type TransmitBatch, TransmitFlag } from '../../wire/transmit-batch';
import type { SegmentSink } from '../transport';
import type { Copies } from './copies';
import type { FlowSchedule } from './flow-schedule';
import { NO_RECORD, RecordFlag } from './record-pool';
import type { SendBuffer } from './send-buffer';
import type { SendWindow } from './send-window';
import type { SequenceSpace } from './sequence-space';
import type { StreamCounters } from './stream-counters';
import type { StreamReceiver } from './stream-receiver';
import type { Subflow } from './subflow';

/** SAL and TCP header of each packet of a train. */
const HEADERS_OF_PACKET = 12 + TCP_HEADER_BYTES;

/** Scratch of all streams: filled and used within one call. */
const fields = { sequence: 0, acknowledgment: 0, flags: 0, window: 0, optionsLength: 0 };
const positions = new Float64Array(SACK_BLOCKS_MAXIMUM * 2);
const edges = new Uint32Array(SACK_BLOCKS_MAXIMUM * 2);

export class StreamTransmitter {
  /** FIN follows the last byte of the send buffer. */
  hasEnded = false;
  /** A segment that asks for an acknowledgment: zero-window probe or keepalive. */
  isProbeDue = false;
  /** Send what fits once, silly or not: RFC 9293 3.8.6.2.1 (4). */
  isOverridden = false;
  private readonly buffer: SendBuffer;
  private readonly window: SendWindow;
  private readonly receiver: StreamReceiver;
  private readonly counters: StreamCounters;
  /** SND.UNA and SND.NXT as positions, whatever flow carried what. */
  acknowledged: number;
  next: number;
  private budget = 0;
  private isRefused = false;

  constructor(
    private readonly space: SequenceSpace,
    private readonly schedule: FlowSchedule,
    buffer: SendBuffer,
    window: SendWindow,
    receiver: StreamReceiver,
    counters: StreamCounters,
  ) {
    this.buffer = buffer;
    this.window = window;
    this.receiver = receiver;
    this.counters = counters;
    this.acknowledged = buffer.start;
    this.next = buffer.start;
  }

  /**
   * Emits one turn's segments. `acknowledges`: an acknowledgment that is due is to leave by this flow. True when more
   * could leave at once.
   */
  poll(subflow: Subflow, sink: SegmentSink, selective: boolean, acknowledges: boolean, now: Instant): boolean {
    const { receiver } = this;
    this.budget = BURST_BYTES_MAXIMUM;
    this.isRefused = false;
    // SACK blocks ride on segments of their own, so that trains have no options and join at the receiver.
    if (acknowledges && receiver.schedule.isDue && selective && receiver.hasBlocks)
      this.emitAcknowledgment(sink, selective);
    if (subflow.hasLosses || (this.schedule.isShared && this.schedule.hasLosses)) this.resendLosses(subflow, sink, now);
    if (subflow.tailProbe.isDue) this.probeTail(subflow, sink, now);
    if (subflow.copies !== undefined && this.schedule.isShared) this.sendCopies(subflow, subflow.copies, sink, now);
    this.sendNew(subflow, sink, now);
    if ((this.isProbeDue || subflow.isProbeDue) && !this.isRefused) this.emitProbe(subflow, sink);
    if (acknowledges && receiver.schedule.isDue) this.emitAcknowledgment(sink, selective);
    return this.isRefused || this.budget <= 0;
  }

  /** Bytes and FIN that were never sent, as positions. */
  get unsent(): number {
    return this.end - this.next;
  }

  /** Position behind the last byte, FIN included. */
  get end(): number {
    return this.buffer.end + (this.hasEnded ? 1 : 0);
  }

  /** Its own first; then those of the others, which may have no room, or no path left. */
  private resendLosses(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    if (!this.schedule.mayRepair(subflow)) return;
    if (subflow.hasLosses) this.resendOwn(subflow, sink, now);
    if (!this.schedule.isShared) return;
    for (const other of this.schedule.flows) {
      if (other !== subflow && other.hasLosses) this.takeOver(subflow, other, sink, now);
    }
  }

  /** What `other` has lost is sent by `subflow`, and is its own from then on. */
  private takeOver(subflow: Subflow, other: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard } = other;
    const { pool } = scoreboard;
    while (scoreboard.lostBytes > 0 && this.budget > 0 && !this.isRefused) {
      const record = scoreboard.findLost(NO_RECORD, this.trainBytes(subflow.segmentSize));
      if (record === NO_RECORD) return;
      const start = pool.start[record]!;
      const length = pool.end[record]! - start;
      // It was sent here as well, and is under way.
      const held = subflow.scoreboard.heldLength(start, length);
      const allowed = held > 0 ? held : this.allowed(subflow, subflow.scoreboard.freeLength(start, length));
      if (allowed <= 0 || !subflow.scoreboard.hasRoom) return;
      const wanted = Math.min(allowed, this.trainBytes(subflow.segmentSize));
      const sent = held > 0 ? held : this.emit(sink, start, wanted, subflow.segmentSize, 0);
      if (sent === 0) return;
      scoreboard.give(record, sent);
      other.recovery.handleTakenOver();
      if (held === 0) subflow.handleAdopted(sent, start, subflow.segmentSize, now);
    }
  }

  private resendOwn(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard } = subflow;
    const { pool } = scoreboard;
    let record: number = NO_RECORD;
    while (scoreboard.lostBytes > 0 && this.budget > 0 && !this.isRefused) {
      record = scoreboard.findLost(record, this.trainBytes(subflow.segmentSize));
      if (record === NO_RECORD) return;
      let allowed = this.allowed(subflow, pool.end[record]! - pool.start[record]!);
      // What is missing at the receiver goes out for any room at all, or a gap might wait for the timer.
      if (allowed <= 0 && subflow.room > 0) allowed = subflow.segmentSize;
      if (allowed <= 0) return;
      record = this.resend(subflow, sink, record, allowed, now);
    }
  }

  /** Sends the first `length` positions of a record again. Returns the record behind them. */
  private resend(subflow: Subflow, sink: SegmentSink, record: number, length: number, now: Instant): number {
    const { pool } = subflow.scoreboard;
    const position = pool.start[record]!;
    const wanted = Math.min(length, this.trainBytes(subflow.segmentSize), pool.end[record]! - position);
    const sent = this.emit(sink, position, wanted, subflow.segmentSize, 0);
    return sent === 0 ? record : subflow.handleResent(record, sent, subflow.segmentSize, now);
  }

  /** RFC 8985 7.3: a new segment if there is one, else the last one again; congestion control has no say. */
  private probeTail(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard, segmentSize, tailProbe } = subflow;
    const room = Math.min(this.window.edge - this.next, this.buffer.end - this.next, segmentSize);
    if (room > 0) {
      if (this.sendTrain(subflow, sink, room, now) > 0) tailProbe.handleSent(scoreboard.next, false);
      return;
    }
    const record = scoreboard.isolateLast(segmentSize);
    tailProbe.isDue = false;
    if (record === NO_RECORD) return;
    const flags = scoreboard.pool.flags[record]!;
    if ((flags & RecordFlag.selected) !== 0) return;
    if ((flags & RecordFlag.probe) !== 0) subflow.pathMtu.handleProbeLost(now);
    const before = this.isRefused;
    this.resend(subflow, sink, record, segmentSize + 1, now);
    if (before || !this.isRefused) tailProbe.handleSent(scoreboard.next, true);
  }

  /** What others have under way, and this flow has not sent. */
  private sendCopies(subflow: Subflow, copies: Copies, sink: SegmentSink, now: Instant): void {
    const { scoreboard, segmentSize } = subflow;
    if (!this.schedule.mayRepair(subflow)) return;
    copies.expire(subflow, now);
    copies.skipTo(this.acknowledged);
    // A FIN needs no copy.
    const end = Math.min(this.next, this.buffer.end);
    while (this.budget > 0 && !this.isRefused && copies.cursor < end && copies.hasRoom) {
      const wanted = end - copies.cursor;
      const held = scoreboard.heldLength(copies.cursor, wanted);
      if (held > 0) copies.skipTo(copies.cursor + held);
      else {
        if (subflow.copiedBytes > 0 && subflow.room < segmentSize) return;
        const allowed = this.allowed(subflow, scoreboard.freeLength(copies.cursor, wanted));
        if (allowed <= 0) return;
        const length = Math.min(allowed, this.trainBytes(segmentSize));
        const sent = this.emit(sink, copies.cursor, length, segmentSize, 0);
        if (sent === 0) return;
        copies.handleSent(sent, subflow, now);
      }
    }
  }

  private sendNew(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard } = subflow;
    const { unsent } = this;
    if (unsent <= 0) return;
    // Copies come first.
    if (subflow.copies !== undefined && this.schedule.isShared && subflow.copies.cursor < this.next) return;
    if (this.schedule.isShared && !this.schedule.mayCarry(subflow, unsent, this.window.edge - this.next)) return;
    subflow.handleRestart(now);
    if (subflow.mayProbePath) this.probePath(subflow, sink, now);
    while (this.budget > 0 && !this.isRefused && this.unsent > 0 && scoreboard.hasRoom) {
      const allowed = this.allowed(subflow, this.usable(subflow));
      if (allowed < 0) return;
      if (this.sendTrain(subflow, sink, allowed, now) === 0) return;
    }
  }

  /** What Nagle and the peer's window let out; -1 for nothing at all, 0 for FIN alone. */
  private usable(subflow: Subflow): number {
    const { acknowledged, next } = this;
    const available = this.buffer.end - next;
    const room = this.window.edge - next;
    if (available === 0) return room > 0 ? 0 : -1;
    // FIN takes the last segment along: nothing more will fill it.
    if ((this.hasEnded || this.isOverridden) && Math.min(available, room) > 0) {
      if (available <= room || this.isOverridden) return Math.min(available, room);
    }
    const usable = this.window.usable(next, acknowledged, available, room, subflow.segmentSize);
    return usable > 0 ? usable : -1;
  }

  /** How many of `wanted` bytes congestion control lets out, in whole segments. */
  private allowed(subflow: Subflow, wanted: number): number {
    if (wanted <= 0) return wanted;
    const { room, segmentSize } = subflow;
    if (room >= wanted) return wanted;
    const whole = Math.floor(room / segmentSize) * segmentSize;
    if (whole > 0) return whole;
    if (subflow.inFlight === 0) return Math.min(wanted, segmentSize);
    subflow.handleHeldBack();
    return -1;
  }

  /** Sends up to `length` new bytes, and FIN if it follows them. Returns the positions that left. */
  private sendTrain(subflow: Subflow, sink: SegmentSink, length: number, now: Instant): number {
    const { segmentSize } = subflow;
    const position = this.next;
    let count = Math.min(length, this.trainBytes(segmentSize));
    if (count > 0) count = wholeSegments(this.buffer.reach(position, count), count, segmentSize);
    const withFin = this.hasEnded && position + count === this.buffer.end && this.window.edge > position + count;
    const sent = this.emit(sink, position, count + (withFin ? 1 : 0), segmentSize, 0);
    if (sent === 0) return 0;
    this.isOverridden = false;
    if (count % segmentSize !== 0) this.window.handlePartial(position + sent);
    this.next = position + sent;
    subflow.handleSent(sent, position, segmentSize, 0, now);
    return sent;
  }

  /** RFC 8899 4.1: one segment of real data larger than the others, when there is enough of it and room. */
  private probePath(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const position = this.next;
    const size = subflow.pathMtu.probeSegment(now);
    if (size === 0 || this.buffer.end - position < size || this.window.edge - position < size) return;
    if (subflow.room < size || this.buffer.reach(position, size) < size) return;
    const sent = this.emit(sink, position, size, size, TransmitFlag.probe);
    if (sent === 0) return;
    this.next = position + sent;
    subflow.pathMtu.handleProbeSent();
    subflow.handleSent(sent, position, size, RecordFlag.probe, now);
  }

  /**
   * Emits one row with `length` positions (a FIN at the end of the buffer is one) and returns how many left:
   * fewer when the bytes lie scattered, none when the sink takes no more this turn.
   */
  private emit(sink: SegmentSink, position: number, length: number, segmentSize: number, rowFlags: number): number {
    const payload = Math.min(length, this.buffer.end - position);
    const batch = length > 0 ? sink.begin() : undefined;
    if (batch === undefined) {
      if (length > 0) this.isRefused = true;
      return 0;
    }
    const reached = payload > 0 ? this.buffer.reach(position, payload) : 0;
    const fin = length > payload && reached === payload;
    const push = reached > 0 && position + reached === this.buffer.end;
    this.writeHeader(batch, position, (push ? TcpFlag.psh : 0) | (fin ? TcpFlag.fin : 0));
    const isShort = reached <= COPIED_SEGMENT_BYTES && reached <= segmentSize;
    if (reached > 0 && !(isShort && this.buffer.copyTo(batch, position, reached))) {
      this.buffer.appendTo(batch, position, reached);
    }
    batch.finish(segmentSize, TransmitFlag.train | rowFlags);
    this.budget -= reached;
    this.counters.segmentsSent += Math.max(1, Math.ceil(reached / segmentSize));
    this.receiver.handleSent();
    return reached + (fin ? 1 : 0);
  }

  /** What has come so far, to where the peer may be by now (§4.4). Perhaps it is not: what is due stays due. */
  acknowledgeElsewhere(sink: SegmentSink): void {
    const { schedule } = this.receiver;
    const { isDue } = schedule;
    this.emitAcknowledgment(sink, false);
    if (isDue) schedule.demand();
  }

  private emitAcknowledgment(sink: SegmentSink, selective: boolean): void {
    const batch = sink.begin();
    if (batch === undefined) {
      this.isRefused = true;
      return;
    }
    const count = selective ? this.receiver.takeBlocks(positions) : 0;
    for (let edge = 0; edge < count * 2; edge++) edges[edge] = this.space.peerSequenceOf(positions[edge]!);
    fields.optionsLength = sackOptionBytes(count);
    this.writeHeader(batch, this.next, 0);
    batch.headerEnd += writeSackOption(batch.headers, batch.headerEnd, edges, count);
    fields.optionsLength = 0;
    batch.finish(0, 0);
    this.counters.acknowledgmentsSent++;
    this.receiver.handleSent();
  }

  /**
   * A segment below the window: unacceptable, so the peer answers with what it has and takes. Between several flows
   * acknowledgments overtake each other, and an empty one is nothing to answer: there it has a byte.
   */
  private emitProbe(subflow: Subflow, sink: SegmentSink): void {
    const batch = sink.begin();
    if (batch === undefined) {
      this.isRefused = true;
      return;
    }
    this.isProbeDue = false;
    subflow.isProbeDue = false;
    this.writeHeader(batch, this.acknowledged - 1, 0);
    if (this.schedule.isShared) batch.appendCopy(ANY_BYTE);
    batch.finish(0, 0);
    this.receiver.handleSent();
  }

  private writeHeader(batch: TransmitBatch, position: number, flags: number): void {
    const { receiver } = this;
    fields.sequence = this.space.sequenceOf(position);
    fields.acknowledgment = this.space.peerSequenceOf(receiver.acknowledgment);
    fields.flags = TcpFlag.ack | flags;
    fields.window = receiver.takeWindow();
    batch.headerEnd += writeTcpHeader(batch.headers, batch.headerEnd, fields);
  }

  /** Payload of the largest train of segments of this size. */
  private trainBytes(segmentSize: number): number {
    const fitting = Math.floor(TRAIN_BYTES_MAXIMUM / (segmentSize + HEADERS_OF_PACKET));
    return Math.min(Math.max(fitting, 1), TRAIN_SEGMENTS_MAXIMUM) * segmentSize;
  }
}

/** `reached` bytes of `wanted` lie together: no partial segment because of that, unless there is no other way. */
function wholeSegments(reached: number, wanted: number, segmentSize: number): number {
  if (reached >= wanted || reached < segmentSize) return reached;
  return reached - (reached % segmentSize);
}

/** A segment up to this long is copied behind its header. */
const COPIED_SEGMENT_BYTES = 128;
/** The peer has had the byte, and throws it away. */
const ANY_BYTE = new Uint8Array(1);
