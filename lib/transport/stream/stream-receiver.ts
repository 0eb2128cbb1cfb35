// The receiving half of a stream: which segments are acceptable (RFC 9293 3.10.7.4), what of them is new, the
// end of the stream, and what our segments say of all that: acknowledgment, window and SACK blocks.

import { RECEIVE_BULK_BYTES } from '../../limits';
import { type Instant, NEVER } from '../../time/instant';
import { type ReceivedBatch, ReceivedField } from '../../wire/received-batch';
import { TransportSignal } from '../transport';
import { AcknowledgmentSchedule } from './acknowledgment-schedule';
import type { ReceiveBudget } from './receive-budget';
import { ReceiveBuffer } from './receive-buffer';
import type { ReceiveWindow, RoundTrip } from './receive-window';
import type { RestingStream } from './resting-stream';
import type { StreamCounters } from './stream-counters';

const NOT_KNOWN = -1;

export class StreamReceiver {
  readonly buffer: ReceiveBuffer;
  readonly window: ReceiveWindow;
  readonly schedule = new AcknowledgmentSchedule();
  /** Everything the peer sent was received, or it will send nothing more. */
  hasEnded = false;
  /** Stream offset of the end, once a FIN told it. */
  private end = NOT_KNOWN;
  /** The end came as TCP's FIN, which takes a sequence number; the SAL's FIN takes none. */
  private isNumbered = false;
  /** Payload of the largest segment so far. */
  peerSegment: number;
  private readonly counters: StreamCounters;
  /** The highest position that we acknowledged so far. */
  private acknowledgedTo: number;
  /** Number of the flow that brought what comes now, or that is to leave by. */
  flow = 0;
  /** Bytes received twice, to be reported once (RFC 2883), by the flow that brought them. */
  private duplicateStart = NOT_KNOWN;
  private duplicateEnd = NOT_KNOWN;
  private duplicateFlow = 0;
  /** Those of further flows that came before that was reported. */
  private readonly laterDuplicates: { readonly flow: number; readonly start: number; readonly end: number }[] = [];

  /** Bytes received in a slice of the budget's time, and which. */
  private sliceBytes = 0;
  private slice = 0;
  /** What the budget counts of ours. */
  private heldBytes = 0;

  constructor(
    { received, receiveWindow, peerSegment, counters }: RestingStream,
    private readonly budget: ReceiveBudget,
  ) {
    this.buffer = new ReceiveBuffer(received);
    this.window = receiveWindow;
    this.peerSegment = peerSegment;
    this.counters = counters;
    this.acknowledgedTo = received;
  }

  /** Everything that came was read and acknowledged. */
  get isIdle(): boolean {
    const { buffer, schedule } = this;
    if (buffer.bytes > 0 || this.hasBlocks || this.acknowledgedTo !== this.acknowledgment) return false;
    return !schedule.isDue && schedule.deadline === NEVER;
  }

  /** Position to acknowledge: behind all that came in order, FIN included. */
  get acknowledgment(): number {
    return this.buffer.next + (this.hasEnded && this.isNumbered ? 1 : 0);
  }

  /** Whether a segment at `start` of `length` positions (FIN counts one) touches the window. */
  isAcceptable(start: number, length: number): boolean {
    const { next } = this.buffer;
    const end = start + length;
    // What repeats the last acknowledgment's position is no news, but no harm: acknowledgments are reordered too.
    if (length === 0) return end >= this.acknowledgedTo && start <= Math.max(this.window.edge, next);
    if (start === this.acknowledgment && length === 1) return true;
    return end > next && start < this.window.edge;
  }

  /** Takes the payload of an acceptable train. Returns the signals it gives rise to. */
  handleTrain(start: number, batch: ReceivedBatch, row: number, fin: boolean, now: Instant): number {
    const length = batch.field(row, ReceivedField.length);
    const segmentSize = batch.field(row, ReceivedField.segmentSize);
    if (segmentSize > this.peerSegment) this.peerSegment = segmentSize;
    const { buffer } = this;
    const before = buffer.next;
    const hadGaps = !buffer.reassembly.isEmpty;
    const end = Math.min(start + length, this.acceptedEnd);
    const cut = end < start + length;
    this.noteDuplicate(start, end);
    if (cut) this.counters.droppedBytes += start + length - Math.max(end, start);
    if (end > start && !this.hasEnded) {
      const offset = batch.field(row, ReceivedField.offset);
      const complete = this.hasRoom(start) && buffer.insert(start, batch, offset, end - start, this.window.buffer);
      if (!complete) this.counters.droppedBytes += end - start;
      this.noteBytes(length, now);
    }
    if (fin && !cut && this.end === NOT_KNOWN) {
      this.end = end;
      this.isNumbered = true;
    }
    const ended = this.checkEnd();
    if (buffer.next > before && !hadGaps && !ended && !cut && start <= before) {
      this.schedule.handleData(length, batch.field(row, ReceivedField.segments), this.peerSegment, now);
    } else {
      if (start > before) this.counters.outOfOrderSegments++;
      this.schedule.demand();
    }
    return (buffer.next > before ? TransportSignal.readable : 0) | (ended ? TransportSignal.ended : 0);
  }

  /** An unacceptable segment with data: tell the peer where we are, and that it came before. */
  handleOld(start: number, end: number): void {
    this.noteDuplicate(start, end);
    this.schedule.demand();
  }

  /** The SAL's FIN: the stream ends where it is, or behind the gap that is still to be filled. */
  endOfStream(): number {
    if (this.end === NOT_KNOWN) this.end = Math.max(this.buffer.next, this.buffer.reassembly.end);
    return this.checkEnd() ? TransportSignal.ended : 0;
  }

  read(roundTrip: RoundTrip, now: Instant): Buffer | undefined {
    const chunk = this.buffer.read();
    if (chunk === undefined) return undefined;
    const { next, unread } = this.buffer;
    this.window.handleRead(chunk.length, next, roundTrip, now);
    this.noteHeld();
    if (!this.hasEnded && this.window.wantsUpdate(next, unread, this.peerSegment, this.budget)) this.schedule.demand();
    return chunk;
  }

  /** The window field for the next segment; taking it moves the advertised edge. */
  takeWindow(): number {
    return this.window.advertise(this.buffer.next, this.buffer.unread, this.peerSegment, this.budget);
  }

  /** Gives back all memory. */
  clear(): void {
    this.buffer.clear();
    this.noteHeld();
  }

  get hasBlocks(): boolean {
    return this.duplicateStart !== NOT_KNOWN || !this.buffer.reassembly.isEmpty;
  }

  /** Writes the SACK blocks as pairs of positions and returns how many; a duplicate is reported once, first. */
  takeBlocks(edges: Float64Array): number {
    let first = 0;
    if (this.duplicateStart !== NOT_KNOWN) {
      if (this.duplicateFlow !== this.flow) this.bringForward();
      if (this.duplicateFlow === this.flow) {
        edges[0] = this.duplicateStart;
        edges[1] = this.duplicateEnd;
        this.takeLaterDuplicate();
        first = 1;
      }
    }
    return this.buffer.reassembly.selectBlocks(edges, first);
  }

  /** The flows have other numbers from now on. */
  forgetDuplicates(): void {
    this.laterDuplicates.length = 0;
    this.duplicateStart = NOT_KNOWN;
    this.flow = 0;
  }

  /** A segment left that acknowledged everything so far. */
  handleSent(): void {
    this.acknowledgedTo = this.acknowledgment;
    this.schedule.handleSent();
  }

  /** When memory is scarce, a stream gets what comes next in order, as long as its reader keeps up. */
  private hasRoom(start: number): boolean {
    return !this.budget.isScarce || (this.buffer.unread === 0 && start <= this.buffer.next);
  }

  private noteBytes(length: number, now: Instant): void {
    this.noteHeld();
    this.window.handleArrival(this.buffer.next, now);
    const slice = this.budget.sliceAt(now);
    if (slice !== this.slice) {
      this.slice = slice;
      this.sliceBytes = 0;
    }
    const before = this.sliceBytes;
    this.sliceBytes += length;
    if (before < RECEIVE_BULK_BYTES && this.sliceBytes >= RECEIVE_BULK_BYTES) this.budget.countBulk();
  }

  private noteHeld(): void {
    const { bytes } = this.buffer;
    this.budget.held += bytes - this.heldBytes;
    this.heldBytes = bytes;
  }

  private get acceptedEnd(): number {
    return this.end === NOT_KNOWN ? this.window.edge : Math.min(this.window.edge, this.end);
  }

  private checkEnd(): boolean {
    if (this.hasEnded || this.end === NOT_KNOWN || this.buffer.next < this.end) return false;
    this.hasEnded = true;
    return true;
  }

  private noteDuplicate(start: number, end: number): void {
    const { next, reassembly } = this.buffer;
    if (end <= start) return;
    const duplicateEnd = start < next ? Math.min(end, next) : reassembly.holds(start, end) ? end : start;
    if (duplicateEnd === start) return;
    this.counters.duplicateBytes += duplicateEnd - start;
    if (this.duplicateStart !== NOT_KNOWN && this.duplicateFlow !== this.flow) this.keepLater(start, duplicateEnd);
    else this.setDuplicate(this.flow, start, duplicateEnd);
  }

  private setDuplicate(flow: number, start: number, end: number): void {
    this.duplicateStart = start;
    this.duplicateEnd = end;
    this.duplicateFlow = flow;
  }

  /** The latest of each flow, as where there is one only. */
  private keepLater(start: number, end: number): void {
    const { flow, laterDuplicates } = this;
    const known = laterDuplicates.findIndex((each) => each.flow === flow);
    if (known >= 0) laterDuplicates.splice(known, 1);
    laterDuplicates.push({ flow, start, end });
  }

  /** That of the flow which leaves now, if there is one. */
  private bringForward(): void {
    const { duplicateEnd: end, duplicateFlow: flow, duplicateStart: start, laterDuplicates } = this;
    const index = laterDuplicates.findIndex((each) => each.flow === this.flow);
    const found = laterDuplicates[index];
    if (found === undefined) return;
    laterDuplicates[index] = { flow, start, end };
    this.setDuplicate(found.flow, found.start, found.end);
  }

  private takeLaterDuplicate(): void {
    const later = this.laterDuplicates.shift();
    if (later === undefined) this.duplicateStart = NOT_KNOWN;
    else this.setDuplicate(later.flow, later.start, later.end);
  }
}
