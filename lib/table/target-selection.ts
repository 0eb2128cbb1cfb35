// Which rule of a set a packet gets (§4.2): weighted sampling. Another way to choose - rendezvous hashing, least
// loaded - is another TargetPicker in a file of its own.

import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { ServiceID } from '../wire/service-id';
import type { RuleNumber } from './rule-records';

/** The usable rules of one prefix and priority, two at least. Used again for the next packet: do not keep it. */
export interface TargetSet {
  readonly size: number;
  readonly totalWeight: number;
  weight(index: number): number;
  rule(index: number): RuleNumber;
}

/** Gives the index of one rule of the set. */
export type TargetPicker = (targets: TargetSet, id: ServiceID, now: Instant, random: RandomSource) => number;

/** Each rule with probability weight / sum of weights. */
export const selectTargets: TargetPicker = (targets, _id, _now, random) => {
  let point = random.fraction() * targets.totalWeight;
  const last = targets.size - 1;
  for (let index = 0; index < last; index++) {
    point -= targets.weight(index);
    if (point < 0) return index;
  }
  return last;
};

/** A set that is gathered rule by rule. */
export class GatheredTargets implements TargetSet {
  private readonly rules: RuleNumber[] = [];
  private readonly weights: number[] = [];
  private count = 0;
  private sum = 0;

  get size(): number {
    return this.count;
  }

  get totalWeight(): number {
    return this.sum;
  }

  weight(index: number): number {
    return this.weights[index]!;
  }

  rule(index: number): RuleNumber {
    return this.rules[index]!;
  }

  clear(): void {
    this.count = 0;
    this.sum = 0;
  }

  add(rule: RuleNumber, weight: number): void {
    this.rules[this.count] = rule;
    this.weights[this.count] = weight;
    this.count++;
    this.sum += weight;
  }
}
