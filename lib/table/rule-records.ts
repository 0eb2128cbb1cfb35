// The rules of the service table as records in one buffer: a million rules are one object to the garbage
// collector, and what a match reads and counts lies together. It knows fields, not what they mean.

import type { Instant } from '../time/instant';

export type RuleNumber = number;
/** Numbers start at 1, so that a prefix without a rule can say 0. */
export const NO_RULE: RuleNumber = 0;

/** 32-bit fields of a record. A free record keeps the next free one in `next`. */
export const RuleField = {
  /** Next rule of the prefix, of the same or lower priority. */
  next: 0,
  /** Bits of RuleFlag; 0 in a free record. */
  flags: 1,
  priority: 2,
  /** Unsigned. */
  weight: 3,
  /** Slot of the prefix in the trie. */
  slot: 4,
  /** Number of its timeouts, or NO_TIMEOUTS. */
  timeouts: 5,
  /** Tells rules apart that had the record one after another. */
  generation: 6,
  /** Of a DEMUX rule: number of its socket. Of a FORWARD rule: link, and address below. */
  target: 7,
  port: 8,
  word0: 9,
  word1: 10,
  word2: 11,
  word3: 12,
} as const;
export type RuleField = (typeof RuleField)[keyof typeof RuleField];

export const RuleFlag = {
  forward: 1,
  demux: 2,
  delay: 4,
  drop: 8,
  stream: 16,
  broadcast: 32,
  hostScope: 64,
  selectAll: 128,
  version6: 256,
  refuses: 512,
  /** Passed over by resolution: the instance does not answer. */
  ejected: 1024,
} as const;

/** Behind the flags: the number of the picker that the instance wishes, 0 for none. */
export const WISH_SHIFT = 11;
export const WISH_MASK = 0xf << WISH_SHIFT;

/** 64-bit fields: what a rule has met. */
export const RuleCounter = {
  packetsResolved: 0,
  bytesResolved: 1,
  packetsDropped: 2,
  bytesDropped: 3,
  /** An Instant, or NO_MATCH. */
  lastMatch: 4,
} as const;
export type RuleCounter = (typeof RuleCounter)[keyof typeof RuleCounter];

export const NO_MATCH = Number.NEGATIVE_INFINITY as Instant;

const RECORD_BYTES = 96;
const RECORD_WORDS = RECORD_BYTES / 4;
const RECORD_DOUBLES = RECORD_BYTES / 8;
/** Counters stand behind the 13 fields. */
const COUNTERS_AT = 7;
const CAPACITY_INITIAL = 16;

export class RuleRecords {
  private words = new Int32Array(CAPACITY_INITIAL * RECORD_WORDS);
  private doubles = new Float64Array(this.words.buffer);
  /** Numbers from here on were never used. */
  private end = 1;
  private free = NO_RULE;
  private generations = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** One more than the highest number in use. */
  get limit(): number {
    return this.end;
  }

  isLive(rule: RuleNumber): boolean {
    return rule < this.end && this.field(rule, RuleField.flags) !== 0;
  }

  field(rule: RuleNumber, field: RuleField): number {
    return this.words[rule * RECORD_WORDS + field]!;
  }

  setField(rule: RuleNumber, field: RuleField, value: number): void {
    this.words[rule * RECORD_WORDS + field] = value;
  }

  weight(rule: RuleNumber): number {
    return this.field(rule, RuleField.weight) >>> 0;
  }

  /** Reads all parts of the record, for the caches only; what it gives has no meaning. */
  touch(rule: RuleNumber): number {
    const at = rule * RECORD_WORDS;
    return this.words[at]! ^ this.words[at + 12]! ^ this.words[at + RECORD_WORDS - 1]!;
  }

  counter(rule: RuleNumber, counter: RuleCounter): number {
    return this.doubles[rule * RECORD_DOUBLES + COUNTERS_AT + counter]!;
  }

  /** Counts a packet in `packets` and in the field behind it its bytes, and notes when it was. */
  note(rule: RuleNumber, packets: RuleCounter, bytes: number, now: Instant): void {
    const at = rule * RECORD_DOUBLES + COUNTERS_AT;
    this.doubles[at + packets]!++;
    this.doubles[at + packets + 1]! += bytes;
    this.doubles[at + RuleCounter.lastMatch] = now;
  }

  /** A record with all fields 0 but a generation of its own, and no match counted. */
  create(): RuleNumber {
    const rule = this.take();
    this.words.fill(0, rule * RECORD_WORDS, (rule + 1) * RECORD_WORDS);
    this.generations = (this.generations + 1) | 0;
    this.setField(rule, RuleField.generation, this.generations);
    this.doubles[rule * RECORD_DOUBLES + COUNTERS_AT + RuleCounter.lastMatch] = NO_MATCH;
    this.count++;
    return rule;
  }

  remove(rule: RuleNumber): void {
    this.setField(rule, RuleField.flags, 0);
    this.setField(rule, RuleField.next, this.free);
    this.free = rule;
    this.count--;
  }

  private take(): RuleNumber {
    if (this.free !== NO_RULE) {
      const rule = this.free;
      this.free = this.field(rule, RuleField.next);
      return rule;
    }
    if ((this.end + 1) * RECORD_WORDS > this.words.length) {
      const larger = new Int32Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
      this.doubles = new Float64Array(larger.buffer);
    }
    return this.end++;
  }
}
