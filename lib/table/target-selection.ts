// The rules of a set, and what a picker is that chooses one of them for a packet (§4.2). The pickers themselves are
// files of pickers/.

import type { ServiceID } from '../wire/service-id';
import type { Choice } from './choice';
import type { RuleNumber } from './rule-records';

/** The usable rules of one prefix and priority, one at least. Used again for other packets: do not keep it. */
export interface TargetSet {
  readonly size: number;
  readonly totalWeight: number;
  weight(index: number): number;
  rule(index: number): RuleNumber;
  /** Lays the rules side by side, each as wide as its weight: the one that is `point` (below the total) from the start. */
  indexAt(point: number): number;
  /** Where that row has the rule's beginning. */
  start(index: number): number;
  /** What tells the rule from others wherever there is one to the same address. For pickers that say so. */
  identity(index: number): number;
  /** How often the rule was picked since the set was gathered; the picker counts. */
  picked(index: number): number;
  countPick(index: number): void;
}

export interface TargetPicker {
  readonly name: string;
  /** Whether it asks for identities. */
  readonly usesIdentities?: boolean;
  /** Gives the index of one rule of the set. Nothing is allocated. */
  pick(targets: TargetSet, choice: Choice, id: ServiceID): number;
}

/** A set that is gathered rule by rule. */
export class GatheredTargets implements TargetSet {
  private readonly rules: RuleNumber[] = [];
  /** By index: the weights of the rules up to that one, itself included. Sums of 32-bit weights are exact. */
  private readonly ends: number[] = [];
  private readonly identities: number[] = [];
  private readonly picks: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  get totalWeight(): number {
    return this.count === 0 ? 0 : this.ends[this.count - 1]!;
  }

  weight(index: number): number {
    return this.ends[index]! - this.start(index);
  }

  rule(index: number): RuleNumber {
    return this.rules[index]!;
  }

  start(index: number): number {
    return index === 0 ? 0 : this.ends[index - 1]!;
  }

  identity(index: number): number {
    return this.identities[index]!;
  }

  picked(index: number): number {
    return this.picks[index]!;
  }

  countPick(index: number): void {
    this.picks[index]!++;
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

  add(rule: RuleNumber, weight: number, identity = 0): void {
    const start = this.totalWeight;
    this.rules[this.count] = rule;
    this.ends[this.count] = start + weight;
    this.identities[this.count] = identity;
    this.picks[this.count] = 0;
    this.count++;
  }
}
