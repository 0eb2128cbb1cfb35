// What a flow sends besides its own when every byte is to go by every flow (§4.4): copies of what the others have under
// way. Nothing depends on them: losses are repaired by the flow that a byte belongs to. They count against the flow's
// congestion window until an acknowledgment that comes by this very flow shows that they have arrived, in most cases
// as duplicates (RFC 2883): what the other flows hear says nothing of this path.

import { COPIES_MAXIMUM } from '../../limits';
import type { Instant } from '../../time/instant';
import { type Acknowledgment, isDuplicateBlock } from './acknowledgment';
import { emptySample } from './congestion/congestion-control';
import type { Subflow } from './subflow';

/** Scratch of all flows. */
const sample = emptySample();

export class Copies {
  /** Everything before this position was sent by this flow as well, or needs no copy any more. */
  cursor: number;
  /** A ring: what is under way, in the order in which it was sent, which is that of positions. */
  private readonly starts = new Float64Array(COPIES_MAXIMUM);
  private readonly ends = new Float64Array(COPIES_MAXIMUM);
  private readonly sentAt = new Float64Array(COPIES_MAXIMUM);
  private first = 0;
  private count = 0;
  private answeredAt = 0;

  constructor(cursor: number) {
    this.cursor = cursor;
  }

  get hasRoom(): boolean {
    return this.count < COPIES_MAXIMUM;
  }

  /** The flow may be new, or have been of no use for long: what is acknowledged needs no copy. */
  skipTo(position: number): void {
    if (position > this.cursor) this.cursor = position;
  }

  handleSent(length: number, flow: Subflow, now: Instant): void {
    const place = (this.first + this.count++) % COPIES_MAXIMUM;
    this.starts[place] = this.cursor;
    this.ends[place] = this.cursor + length;
    this.sentAt[place] = now;
    this.cursor += length;
    flow.copiedBytes += length;
  }

  /** An acknowledgment came by the flow. `before`: what was acknowledged when it came. */
  handleAcknowledgment({ to, options }: Acknowledgment, before: number, flow: Subflow, now: Instant): void {
    if (this.count === 0) return;
    const { space } = flow;
    if ((options?.sackCount ?? 0) > 0) {
      const start = space.positionOf(options!.sackEdges[0]!, to);
      const end = space.positionOf(options!.sackEdges[1]!, to);
      this.release(isDuplicateBlock(options!, space, to) ? end : start + 1, flow, now);
    }
    // A copy came before the original.
    if (to > before) this.release(to, flow, now);
  }

  /** What was not answered in time has come to nothing; what is sent next is sent with more care. */
  expire(flow: Subflow, now: Instant): void {
    const before = flow.copiedBytes;
    const oldest = now - flow.roundTrip.timeout;
    while (this.count > 0 && this.sentAt[this.first]! < oldest) this.drop(flow);
    if (flow.copiedBytes === before) return;
    if (this.answeredAt < oldest) flow.control.handleTimeout(before, true, now);
    else {
      flow.control.handleLoss(before, now);
      flow.control.handleRecoveryEnd(now);
    }
  }

  clear(flow: Subflow): void {
    while (this.count > 0) this.drop(flow);
  }

  /** The last copy that begins before `end` has arrived, and with it what was sent before. */
  private release(end: number, flow: Subflow, now: Instant): void {
    const before = flow.copiedBytes;
    let sentAt = 0;
    while (this.count > 0 && this.starts[this.first]! < end) {
      sentAt = this.sentAt[this.first]!;
      this.drop(flow);
    }
    if (flow.copiedBytes === before) return;
    this.answeredAt = now;
    flow.roundTrip.sample(now - sentAt, now);
    this.grow(before - flow.copiedBytes, before, flow, now);
  }

  private grow(delivered: number, before: number, flow: Subflow, now: Instant): void {
    sample.now = now;
    sample.delivered = delivered;
    sample.smoothedRoundTrip = flow.roundTripTime ?? -1;
    sample.acknowledged = flow.scoreboard.acknowledged;
    sample.next = this.cursor;
    sample.limited = 2 * (before + flow.inFlight) > flow.congestionWindow;
    flow.control.handleAcknowledgment(sample);
  }

  private drop(flow: Subflow): void {
    flow.copiedBytes -= this.ends[this.first]! - this.starts[this.first]!;
    this.first = (this.first + 1) % COPIES_MAXIMUM;
    this.count--;
  }
}
