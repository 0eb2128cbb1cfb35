// CUBIC (RFC 9438) with HyStart++: the window grows by the time since the last loss, not by the round trip,
// and is never below what NewReno would reach. Windows in bytes here, in segments in the formulas of the RFC.

import type { Instant } from '../../../time/instant';
import { type AcknowledgmentSample, boundedWindow, type CongestionControl, initialWindow } from './congestion-control';
import { HyStart } from './hystart';

/** C of the RFC, segments a second cubed. */
const AGGRESSIVENESS = 0.4;
const DECREASE = 0.7;
/** Reno-friendly increase while below the window before the loss; from there on 1 (RFC 9438 4.3). */
const FRIENDLY_INCREASE = (3 * (1 - DECREASE)) / (1 + DECREASE);
const NO_EPOCH = -1;

/** What a reduction replaced, to be put back when it proves a mistake. */
interface Reduction {
  window: number;
  threshold: number;
  maximum: number;
  reached: number;
  friendly: number;
  epoch: number;
  origin: number;
}

export class Cubic implements CongestionControl {
  readonly name = 'cubic';
  window: number;
  slowStartThreshold = Number.POSITIVE_INFINITY;
  private segmentSize: number;
  private readonly hystart = new HyStart();
  /** W_max: window before the last reduction, or less (fast convergence). */
  private maximum = 0;
  /** cwnd_prior: window before the last reduction. */
  private reached = 0;
  /** W_est: what NewReno would have. */
  private friendly = 0;
  /** Start of congestion avoidance, and the K of the RFC, milliseconds. */
  private epoch = NO_EPOCH;
  private origin = 0;
  /** When the window was last not the limit: that time does not count (RFC 9438 5.8). */
  private unlimitedSince = NO_EPOCH;
  private readonly prior: Reduction = {
    window: 0,
    threshold: 0,
    maximum: 0,
    reached: 0,
    friendly: 0,
    epoch: NO_EPOCH,
    origin: 0,
  };

  constructor(segmentSize: number) {
    this.segmentSize = segmentSize;
    this.window = initialWindow(segmentSize);
  }

  handleAcknowledgment(sample: AcknowledgmentSample): void {
    if (!sample.limited) {
      if (this.unlimitedSince === NO_EPOCH) this.unlimitedSince = sample.now;
      return;
    }
    if (this.unlimitedSince !== NO_EPOCH) {
      if (this.epoch !== NO_EPOCH) this.epoch += sample.now - Math.max(this.unlimitedSince, this.epoch);
      this.unlimitedSince = NO_EPOCH;
    }
    if (this.window < this.slowStartThreshold) this.growInSlowStart(sample);
    else this.growInAvoidance(sample);
  }

  handleLoss(inFlight: number, _now: Instant): void {
    this.remember();
    // Fast convergence: whoever loses before reaching its old maximum leaves room to others.
    this.reached = this.window;
    this.maximum = this.reached < this.maximum ? (this.reached * (1 + DECREASE)) / 2 : this.reached;
    const floor = 2 * this.segmentSize;
    this.slowStartThreshold = Math.max(Math.min(this.window, Math.max(inFlight, floor)) * DECREASE, floor);
    this.epoch = NO_EPOCH;
  }

  handleRecoveryEnd(_now: Instant): void {
    this.window = Math.min(this.window, this.slowStartThreshold);
  }

  handleTimeout(inFlight: number, first: boolean, now: Instant): void {
    if (first) this.handleLoss(inFlight, now);
    this.window = this.segmentSize;
    this.epoch = NO_EPOCH;
    this.hystart.restart();
  }

  undo(_now: Instant): void {
    const prior = this.prior;
    if (prior.window === 0) return;
    this.window = Math.max(this.window, prior.window);
    this.slowStartThreshold = Math.max(this.slowStartThreshold, prior.threshold);
    this.maximum = prior.maximum;
    this.reached = prior.reached;
    this.friendly = prior.friendly;
    this.epoch = prior.epoch;
    this.origin = prior.origin;
    prior.window = 0;
  }

  handleIdle(_now: Instant): void {
    this.slowStartThreshold = Math.max(this.slowStartThreshold, (3 * this.window) / 4);
    this.window = Math.min(this.window, initialWindow(this.segmentSize));
    this.epoch = NO_EPOCH;
  }

  restart(_now: Instant): void {
    this.window = initialWindow(this.segmentSize);
    this.slowStartThreshold = Number.POSITIVE_INFINITY;
    this.maximum = 0;
    this.reached = 0;
    this.epoch = NO_EPOCH;
    this.unlimitedSince = NO_EPOCH;
    this.prior.window = 0;
    this.hystart.restart();
  }

  setSegmentSize(size: number): void {
    if (this.window === initialWindow(this.segmentSize)) this.window = initialWindow(size);
    this.segmentSize = size;
    this.window = boundedWindow(this.window, size);
  }

  private growInSlowStart(sample: AcknowledgmentSample): void {
    // HyStart++ serves the first slow start only; later ones end at a threshold that was measured.
    const part = Number.isFinite(this.slowStartThreshold) ? 1 : this.hystart.handleAcknowledgment(sample);
    if (part === 0) {
      this.slowStartThreshold = this.window;
      this.growInAvoidance(sample);
      return;
    }
    const grown = this.window + sample.delivered * part;
    this.window = boundedWindow(Math.min(grown, Math.max(this.slowStartThreshold, this.window)), this.segmentSize);
  }

  private growInAvoidance(sample: AcknowledgmentSample): void {
    if (this.epoch === NO_EPOCH) this.startEpoch(sample.now);
    const segment = this.segmentSize;
    const roundTrip = Math.max(sample.smoothedRoundTrip, 0);
    const target = this.cubicWindow(sample.now - this.epoch + roundTrip);
    const increase = this.friendly < this.reached ? FRIENDLY_INCREASE : 1;
    this.friendly += increase * segment * (sample.delivered / this.window);
    const bounded = Math.min(Math.max(target, this.window), this.window * 1.5);
    const grown = this.window + ((bounded - this.window) * sample.delivered) / this.window;
    const next = this.cubicWindow(sample.now - this.epoch) < this.friendly ? Math.max(this.friendly, grown) : grown;
    this.window = boundedWindow(next, segment);
  }

  private startEpoch(now: Instant): void {
    this.epoch = now;
    this.friendly = this.window;
    if (this.window >= this.maximum) {
      this.maximum = this.window;
      this.reached = this.window;
      this.origin = 0;
    } else {
      this.origin = 1000 * Math.cbrt((this.maximum - this.window) / this.segmentSize / AGGRESSIVENESS);
    }
  }

  /** W_cubic(t), t in milliseconds. */
  private cubicWindow(time: number): number {
    const distance = (time - this.origin) / 1000;
    return AGGRESSIVENESS * distance * distance * distance * this.segmentSize + this.maximum;
  }

  private remember(): void {
    const prior = this.prior;
    prior.window = this.window;
    prior.threshold = this.slowStartThreshold;
    prior.maximum = this.maximum;
    prior.reached = this.reached;
    prior.friendly = this.friendly;
    prior.epoch = this.epoch;
    prior.origin = this.origin;
  }
}
