// Coupled congestion control for the flows of one stream (RFC 6356, "Linked Increases"): together they take from a
// bottleneck that they share about as much as one flow would, and they prefer the path that is less congested. Each
// flow decreases as NewReno does; how fast it grows depends on all of them.

import type { Instant } from '../../../time/instant';
import { type AcknowledgmentSample, boundedWindow, type CongestionControl } from './congestion-control';
import { HyStart } from './hystart';
import { NewReno } from './new-reno';

/** The flows that grow together. */
export class LinkedFlows {
  readonly members: LinkedIncreases[] = [];

  get windowBytes(): number {
    let sum = 0;
    for (const { window } of this.members) sum += window;
    return sum;
  }

  /**
   * RFC 6356 3: how aggressive all flows together may be, so that they get what the best of them would get alone.
   * 1 while no round trip is known.
   */
  get aggressiveness(): number {
    let best = 0;
    let sum = 0;
    for (const { window, roundTrip } of this.members) {
      if (roundTrip <= 0) continue;
      best = Math.max(best, window / roundTrip ** 2);
      sum += window / roundTrip;
    }
    return sum === 0 ? 1 : (this.windowBytes * best) / sum ** 2;
  }
}

export class LinkedIncreases implements CongestionControl {
  readonly name = 'linked';
  /** Milliseconds, smoothed; -1 before the first sample. */
  roundTrip = -1;
  private readonly reno: NewReno;
  private readonly hystart = new HyStart();

  constructor(
    private segmentSize: number,
    private readonly flows: LinkedFlows,
  ) {
    this.reno = new NewReno(segmentSize);
    flows.members.push(this);
  }

  get window(): number {
    return this.reno.window;
  }

  get slowStartThreshold(): number {
    return this.reno.slowStartThreshold;
  }

  /** Goes on where another algorithm was on the same path. */
  adopt({ window, slowStartThreshold }: CongestionControl): void {
    this.reno.window = window;
    this.reno.slowStartThreshold = slowStartThreshold;
  }

  /** The flow has ended. */
  leave(): void {
    const index = this.flows.members.indexOf(this);
    if (index >= 0) this.flows.members.splice(index, 1);
  }

  handleAcknowledgment(sample: AcknowledgmentSample): void {
    if (sample.smoothedRoundTrip >= 0) this.roundTrip = sample.smoothedRoundTrip;
    if (!sample.limited) return;
    if (this.window < this.slowStartThreshold) return this.growInSlowStart(sample);
    const linked = (this.flows.aggressiveness * sample.delivered * this.segmentSize) / this.flows.windowBytes;
    const alone = (sample.delivered * this.segmentSize) / this.window;
    this.reno.window = boundedWindow(this.window + Math.min(linked, alone), this.segmentSize);
  }

  /** HyStart++ as long as no loss has set the threshold: the first flow's queue may be the others' as well. */
  private growInSlowStart(sample: AcknowledgmentSample): void {
    const part = Number.isFinite(this.slowStartThreshold) ? 1 : this.hystart.handleAcknowledgment(sample);
    if (part === 0) this.reno.slowStartThreshold = this.window;
    else this.reno.window = boundedWindow(this.window + sample.delivered * part, this.segmentSize);
  }

  /** Half of the window, not of what is under way: the others may have kept the peer's window shut meanwhile. */
  handleLoss(_inFlight: number, now: Instant): void {
    this.reno.handleLoss(this.window, now);
  }

  handleRecoveryEnd(now: Instant): void {
    this.reno.handleRecoveryEnd(now);
  }

  handleTimeout(inFlight: number, first: boolean, now: Instant): void {
    this.reno.handleTimeout(Math.max(inFlight, this.window), first, now);
    this.hystart.restart();
  }

  undo(now: Instant): void {
    this.reno.undo(now);
  }

  handleIdle(now: Instant): void {
    this.reno.handleIdle(now);
  }

  restart(now: Instant): void {
    this.roundTrip = -1;
    this.hystart.restart();
    this.reno.restart(now);
  }

  setSegmentSize(size: number): void {
    this.segmentSize = size;
    this.reno.setSegmentSize(size);
  }
}
