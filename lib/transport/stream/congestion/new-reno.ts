// NewReno (RFC 5681, RFC 6582), growing by bytes acknowledged (RFC 3465): the plain algorithm, and the one
// the original uses.

import type { Instant } from '../../../time/instant';
import { type AcknowledgmentSample, boundedWindow, type CongestionControl, initialWindow } from './congestion-control';

export class NewReno implements CongestionControl {
  readonly name = 'newreno';
  window: number;
  slowStartThreshold = Number.POSITIVE_INFINITY;
  private segmentSize: number;
  private acknowledgedBytes = 0;
  private priorWindow = 0;
  private priorThreshold = Number.POSITIVE_INFINITY;

  constructor(segmentSize: number) {
    this.segmentSize = segmentSize;
    this.window = initialWindow(segmentSize);
  }

  handleAcknowledgment(sample: AcknowledgmentSample): void {
    if (!sample.limited) return;
    if (this.window < this.slowStartThreshold) {
      // The whole of what was acknowledged counts: peers acknowledge trains, and a turn's burst is bounded.
      this.window = boundedWindow(this.window + sample.delivered, this.segmentSize);
      return;
    }
    this.acknowledgedBytes += sample.delivered;
    while (this.acknowledgedBytes >= this.window) {
      this.acknowledgedBytes -= this.window;
      this.window = boundedWindow(this.window + this.segmentSize, this.segmentSize);
    }
  }

  handleLoss(inFlight: number, _now: Instant): void {
    this.remember();
    this.slowStartThreshold = Math.max(Math.min(inFlight, this.window) / 2, 2 * this.segmentSize);
  }

  handleRecoveryEnd(_now: Instant): void {
    this.window = Math.min(this.window, this.slowStartThreshold);
    this.acknowledgedBytes = 0;
  }

  handleTimeout(inFlight: number, first: boolean, now: Instant): void {
    if (first) this.handleLoss(inFlight, now);
    this.window = this.segmentSize;
    this.acknowledgedBytes = 0;
  }

  undo(_now: Instant): void {
    this.window = Math.max(this.window, this.priorWindow);
    this.slowStartThreshold = Math.max(this.slowStartThreshold, this.priorThreshold);
  }

  handleIdle(_now: Instant): void {
    this.slowStartThreshold = Math.max(this.slowStartThreshold, (3 * this.window) / 4);
    this.window = Math.min(this.window, initialWindow(this.segmentSize));
  }

  restart(_now: Instant): void {
    this.window = initialWindow(this.segmentSize);
    this.slowStartThreshold = Number.POSITIVE_INFINITY;
    this.acknowledgedBytes = 0;
  }

  setSegmentSize(size: number): void {
    if (this.window === initialWindow(this.segmentSize)) this.window = initialWindow(size);
    this.segmentSize = size;
    this.window = boundedWindow(this.window, size);
  }

  private remember(): void {
    this.priorWindow = this.window;
    this.priorThreshold = this.slowStartThreshold;
  }
}
