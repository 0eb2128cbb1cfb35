// Which rule of a set a packet gets (§4.2): weighted sampling. Another way to choose - rendezvous hashing, least
// loaded - is another TargetPicker in a file of its own.

import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { ServiceID } from '../wire/service-id';
import type { RuleNumber } from './rule-records';

/** The usable rules of one prefix and priority, two at least. Used again for other packets: do not keep it. */
export interface TargetSet {
  readonly size: number;
  readonly totalWeight: number;
  weight(index: number): number;
  rule(index: number): RuleNumber;
  /** Lays the rules side by side, each as wide as its weight: the one that is `point` (below the total) from the start. */
  indexAt(point: number): number;
}

/** Gives the index of one rule of the set. */
export type TargetPicker = (targets: TargetSet, id: ServiceID, now: Instant, random: RandomSource) => number;

/** Each rule with probability weight / sum of weights. */
export const selectTargets: TargetPicker = (targets, _id, _now, random) => {
  return targets.indexAt(random.fraction() * targets.totalWeight);
};

/** A set that is gathered rule by rule. */
export class GatheredTargets implements TargetSet {
  private readonly rules: RuleNumber[] = [];
  /** By index: the weights of the rules up to that one, itself included. Sums of 32-bit weights are exact. */
  private readonly ends: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  get totalWeight(): number {
    return this.count === 0 ? 0 : this.ends[this.count - 1]!;
  }

  weight(index: number): number {
    return index === 0 ? this.ends[0]! : this.ends[index]! - this.ends[index - 1]!;
  }

  rule(index: number): RuleNumber {
    return this.rules[index]!;
  }

  indexAt(point: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (point < this.ends[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  clear(): void {
    this.count = 0;
  }

  add(rule: RuleNumber, weight: number): void {
    const start = this.totalWeight;
    this.rules[this.count] = rule;
    this.ends[this.count] = start + weight;
    this.count++;
  }
}
