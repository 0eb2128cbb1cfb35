// The sending half of a stream: what leaves in one turn on one flow, in which order, and cut into which
// trains. What may leave is decided by `Subflow` (congestion) and `SendWindow` (the peer's room).

import { BURST_BYTES_MAXIMUM, TRAIN_BYTES_MAXIMUM, TRAIN_SEGMENTS_MAXIMUM } from '../../limits';
import type { Instant } from '../../time/instant';
import { TCP_HEADER_BYTES, TcpFlag, writeTcpHeader } from '../../wire/tcp-header';
import { SACK_BLOCKS_MAXIMUM, sackOptionBytes, writeSackOption } from '../../wire/tcp-options';
import { type TransmitBatch, TransmitFlag } from '../../wire/transmit-batch';
import type { SegmentSink } from '../transport';
import { NO_RECORD, RecordFlag } from './record-pool';
import type { SendBuffer } from './send-buffer';
import type { SendWindow } from './send-window';
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
  private budget = 0;
  private isRefused = false;

  constructor(buffer: SendBuffer, window: SendWindow, receiver: StreamReceiver, counters: StreamCounters) {
    this.buffer = buffer;
    this.window = window;
    this.receiver = receiver;
    this.counters = counters;
  }

  /** Emits one turn's segments. True when more could leave at once. */
  poll(subflow: Subflow, sink: SegmentSink, selective: boolean, now: Instant): boolean {
    this.budget = BURST_BYTES_MAXIMUM;
    this.isRefused = false;
    // SACK blocks ride on segments of their own, so that trains have no options and join at the receiver.
    if (this.receiver.schedule.isDue && selective && this.receiver.hasBlocks)
      this.emitAcknowledgment(subflow, sink, selective);
    if (subflow.hasLosses) this.resendLosses(subflow, sink, now);
    if (subflow.tailProbe.isDue) this.probeTail(subflow, sink, now);
    this.sendNew(subflow, sink, now);
    if (this.isProbeDue && !this.isRefused) this.emitProbe(subflow, sink);
    if (this.receiver.schedule.isDue) this.emitAcknowledgment(subflow, sink, selective);
    return this.isRefused || this.budget <= 0;
  }

  /** Bytes and FIN that were never sent, as positions. */
  unsent(subflow: Subflow): number {
    return this.end - subflow.scoreboard.next;
  }

  /** Position behind the last byte, FIN included. */
  get end(): number {
    return this.buffer.end + (this.hasEnded ? 1 : 0);
  }

  private resendLosses(subflow: Subflow, sink: SegmentSink, now: Instant): void {
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
    const offset = pool.offset[record]!;
    const wanted = Math.min(length, this.trainBytes(subflow.segmentSize), pool.end[record]! - position);
    const sent = this.emit(subflow, sink, position, offset, wanted, subflow.segmentSize, 0);
    return sent === 0 ? record : subflow.handleResent(record, sent, subflow.segmentSize, now);
  }

  /** RFC 8985 7.3: a new segment if there is one, else the last one again; congestion control has no say. */
  private probeTail(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard, segmentSize, tailProbe } = subflow;
    const room = Math.min(this.window.edge - scoreboard.next, this.buffer.end - scoreboard.next, segmentSize);
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

  private sendNew(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard } = subflow;
    if (this.unsent(subflow) <= 0) return;
    subflow.handleRestart(now);
    if (subflow.mayProbePath) this.probePath(subflow, sink, now);
    while (this.budget > 0 && !this.isRefused && this.unsent(subflow) > 0 && scoreboard.hasRoom) {
      const allowed = this.allowed(subflow, this.usable(subflow));
      if (allowed < 0) return;
      if (this.sendTrain(subflow, sink, allowed, now) === 0) return;
    }
  }

  /** What Nagle and the peer's window let out; -1 for nothing at all, 0 for FIN alone. */
  private usable(subflow: Subflow): number {
    const { acknowledged, next } = subflow.scoreboard;
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
    const { scoreboard, segmentSize } = subflow;
    const position = scoreboard.next;
    let count = Math.min(length, this.trainBytes(segmentSize));
    if (count > 0) count = wholeSegments(this.buffer.reach(position, count), count, segmentSize);
    const withFin = this.hasEnded && position + count === this.buffer.end && this.window.edge > position + count;
    const sent = this.emit(subflow, sink, position, position, count + (withFin ? 1 : 0), segmentSize, 0);
    if (sent === 0) return 0;
    this.isOverridden = false;
    if (count % segmentSize !== 0) this.window.handlePartial(position + sent);
    subflow.handleSent(sent, position, segmentSize, 0, now);
    return sent;
  }

  /** RFC 8899 4.1: one segment of real data larger than the others, when there is enough of it and room. */
  private probePath(subflow: Subflow, sink: SegmentSink, now: Instant): void {
    const { scoreboard } = subflow;
    const position = scoreboard.next;
    const size = subflow.pathMtu.probeSegment(now);
    if (size === 0 || this.buffer.end - position < size || this.window.edge - position < size) return;
    if (subflow.room < size || this.buffer.reach(position, size) < size) return;
    const sent = this.emit(subflow, sink, position, position, size, size, TransmitFlag.probe);
    if (sent === 0) return;
    subflow.pathMtu.handleProbeSent();
    subflow.handleSent(sent, position, size, RecordFlag.probe, now);
  }

  /**
   * Emits one row with `length` positions (a FIN at the end of the buffer is one) and returns how many left:
   * fewer when the bytes lie scattered, none when the sink takes no more this turn.
   */
  private emit(
    subflow: Subflow,
    sink: SegmentSink,
    position: number,
    offset: number,
    length: number,
    segmentSize: number,
    rowFlags: number,
  ): number {
    const payload = Math.min(length, this.buffer.end - offset);
    const batch = length > 0 ? sink.begin() : undefined;
    if (batch === undefined) {
      if (length > 0) this.isRefused = true;
      return 0;
    }
    const reached = payload > 0 ? this.buffer.reach(offset, payload) : 0;
    const fin = length > payload && reached === payload;
    const push = reached > 0 && offset + reached === this.buffer.end;
    this.writeHeader(batch, subflow, position, (push ? TcpFlag.psh : 0) | (fin ? TcpFlag.fin : 0));
    const isShort = reached <= COPIED_SEGMENT_BYTES && reached <= segmentSize;
    if (reached > 0 && !(isShort && this.buffer.copyTo(batch, offset, reached))) {
      this.buffer.appendTo(batch, offset, reached);
    }
    batch.finish(segmentSize, TransmitFlag.train | rowFlags);
    this.budget -= reached;
    this.counters.segmentsSent += Math.max(1, Math.ceil(reached / segmentSize));
    this.receiver.handleSent();
    return reached + (fin ? 1 : 0);
  }

  private emitAcknowledgment(subflow: Subflow, sink: SegmentSink, selective: boolean): void {
    const batch = sink.begin();
    if (batch === undefined) {
      this.isRefused = true;
      return;
    }
    const count = selective ? this.receiver.takeBlocks(positions) : 0;
    for (let edge = 0; edge < count * 2; edge++) edges[edge] = subflow.peerSequenceOf(positions[edge]!);
    fields.optionsLength = sackOptionBytes(count);
    this.writeHeader(batch, subflow, subflow.scoreboard.next, 0);
    batch.headerEnd += writeSackOption(batch.headers, batch.headerEnd, edges, count);
    fields.optionsLength = 0;
    batch.finish(0, 0);
    this.counters.acknowledgmentsSent++;
    this.receiver.handleSent();
  }

  /** An empty segment below the window: unacceptable, so the peer answers with what it has and takes. */
  private emitProbe(subflow: Subflow, sink: SegmentSink): void {
    const batch = sink.begin();
    if (batch === undefined) {
      this.isRefused = true;
      return;
    }
    this.isProbeDue = false;
    this.writeHeader(batch, subflow, subflow.scoreboard.acknowledged - 1, 0);
    batch.finish(0, 0);
    this.receiver.handleSent();
  }

  private writeHeader(batch: TransmitBatch, subflow: Subflow, position: number, flags: number): void {
    const { receiver } = this;
    fields.sequence = subflow.sequenceOf(position);
    fields.acknowledgment = subflow.peerSequenceOf(receiver.acknowledgment);
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
