// What a choice among several rules depends on, besides the rules: the packet that wants to go on. One object
// serves packet after packet.

import type { NetworkAddress } from '../wire/network-address';
import { mixAddress, mixBits, unitFraction } from './mix-bits';
import type { ResolvedRule } from './resolved-rule';
import { NO_RULE, type RuleNumber } from './rule-records';

/** Rules that are passed over: where they lead, this connect has failed already. */
export interface AvoidedRules {
  avoids(rule: ResolvedRule): boolean;
  /** Of a rule that is avoided: whether it may do yet. Then rules of shorter prefixes have no turn before it. */
  mayDo(rule: ResolvedRule): boolean;
}

export class Choice {
  /** Tells connects apart: the SYN of one gets the same rule when it comes again. 0: chance alone decides. */
  flow = 0;
  /** Who asks; `undefined` for what this stack asks itself. */
  clientAddress: NetworkAddress | undefined;
  /** Tells this stack from others, where it is the client. */
  identity = 0;
  /** How often this connect has failed before: each attempt gets another rule of the set. */
  attempt = 0;
  /** What its last attempt got, where that is known: it gets something else while there is any. */
  previous: RuleNumber = NO_RULE;
  avoided: AvoidedRules | undefined;
  private seed = 0;

  /** Which way chance goes with this packet. */
  setSeed(seed: number): void {
    this.seed = seed;
  }

  /** The next packet, of which nothing is known yet. */
  clear(): void {
    this.flow = 0;
    this.clientAddress = undefined;
    this.attempt = 0;
    this.previous = NO_RULE;
    this.avoided = undefined;
  }

  /** Tells clients apart: who is to stay with an instance does so by this. */
  get client(): number {
    return this.clientAddress === undefined ? this.identity : mixAddress(this.clientAddress);
  }

  /**
   * The draw of that number: a whole number below `count`, the same each time. No fraction: V8 makes an object of each
   * that a call returns.
   */
  below(count: number, draw: number): number {
    const at = this.seed + Math.imul(2 * draw, GOLDEN_RATIO);
    return Math.floor(unitFraction(mixBits(at), mixBits(at + GOLDEN_RATIO)) * count);
  }
}

/** 2^32 divided by the golden ratio: steps that spread evenly. */
const GOLDEN_RATIO = 0x9e3779b9;
