// Draws of a story: integers, choices, durations - all from one seeded generator.

import { type Duration, milliseconds } from '../../lib/time/instant';
import type { RandomSource } from '../../lib/time/random-source';

export class Chance {
  constructor(readonly random: RandomSource) {}

  /** Whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.random.fraction() * (most - least + 1));
  }

  /** From `least` to `most` so that each order of magnitude is as likely as another. */
  magnitude(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.random.fraction());
  }

  fraction(least: number, most: number): number {
    return least + this.random.fraction() * (most - least);
  }

  happens(probability: number): boolean {
    return this.random.fraction() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }

  duration(least: number, most: number): Duration {
    return milliseconds(this.fraction(least, most));
  }
}
