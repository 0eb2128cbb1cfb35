// HyStart++ (RFC 9406): leaves slow start when the round trip grows, before the queue overflows. It tells
// how fast the window may grow now; the algorithm that uses it does the growing.

import type { AcknowledgmentSample } from './congestion-control';

const THRESHOLD_MINIMUM = 4;
const THRESHOLD_MAXIMUM = 16;
const THRESHOLD_DIVISOR = 8;
const SAMPLES_IN_ROUND = 8;
const CONSERVATIVE_DIVISOR = 4;
const CONSERVATIVE_ROUNDS = 5;

export class HyStart {
  private lastRoundMinimum = Number.POSITIVE_INFINITY;
  private roundMinimum = Number.POSITIVE_INFINITY;
  private samples = 0;
  private roundEnd = 0;
  /** Least round trip when conservative slow start began; infinite outside of it. */
  private baseline = Number.POSITIVE_INFINITY;
  private roundsLeft = 0;

  /** By what part of the bytes acknowledged the window may grow; 0 when slow start is over. */
  handleAcknowledgment(sample: AcknowledgmentSample): number {
    if (sample.acknowledged >= this.roundEnd && this.startRound(sample.next)) return 0;
    if (sample.roundTrip >= 0) {
      this.roundMinimum = Math.min(this.roundMinimum, sample.roundTrip);
      this.samples++;
    }
    if (this.roundsLeft === 0) {
      if (this.hasGrown) this.startConservative();
    } else if (this.samples >= SAMPLES_IN_ROUND && this.roundMinimum < this.baseline) {
      // The round trip fell again: the growth was noise.
      this.roundsLeft = 0;
      this.baseline = Number.POSITIVE_INFINITY;
    }
    return this.roundsLeft === 0 ? 1 : 1 / CONSERVATIVE_DIVISOR;
  }

  restart(): void {
    this.lastRoundMinimum = Number.POSITIVE_INFINITY;
    this.roundMinimum = Number.POSITIVE_INFINITY;
    this.samples = 0;
    this.roundEnd = 0;
    this.baseline = Number.POSITIVE_INFINITY;
    this.roundsLeft = 0;
  }

  private get hasGrown(): boolean {
    if (this.samples < SAMPLES_IN_ROUND) return false;
    if (!Number.isFinite(this.roundMinimum) || !Number.isFinite(this.lastRoundMinimum)) return false;
    const part = this.lastRoundMinimum / THRESHOLD_DIVISOR;
    const threshold = Math.max(THRESHOLD_MINIMUM, Math.min(part, THRESHOLD_MAXIMUM));
    return this.roundMinimum >= this.lastRoundMinimum + threshold;
  }

  private startConservative(): void {
    this.baseline = this.roundMinimum;
    this.roundsLeft = CONSERVATIVE_ROUNDS;
  }

  /** True when the last conservative round has ended. */
  private startRound(next: number): boolean {
    this.lastRoundMinimum = this.roundMinimum;
    this.roundMinimum = Number.POSITIVE_INFINITY;
    this.samples = 0;
    this.roundEnd = next;
    return this.roundsLeft > 0 && --this.roundsLeft === 0;
  }
}
