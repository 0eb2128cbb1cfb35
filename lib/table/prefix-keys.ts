// The stored prefixes themselves, each at a slot: 256 bits, the length, and one word that their owner may use.
// One Int32Array instead of an object for each, so that a million of them cost the garbage collector nothing.

import { ServiceID, ServicePrefix } from '../wire/service-id';

const KEY_WORDS = 8;
const BITS = 8;
const TAG = 9;
const RECORD_WORDS = 10;
const CAPACITY_INITIAL = 16;
const NO_SLOT = -1;

export class PrefixKeys {
  private records = new Int32Array(CAPACITY_INITIAL * RECORD_WORDS);
  /** Slots from here on were never used. */
  private used = 0;
  /** Head of the list of free slots; a free slot's tag is the next one. */
  private free = NO_SLOT;

  bits(slot: number): number {
    return this.records[slot * RECORD_WORDS + BITS]!;
  }

  /** A number that the owner keeps with the prefix, beside the key in memory. 0 at first. */
  tag(slot: number): number {
    return this.records[slot * RECORD_WORDS + TAG]!;
  }

  setTag(slot: number, tag: number): void {
    this.records[slot * RECORD_WORDS + TAG] = tag;
  }

  /** Four bits of the key, `index` counted in fours from the most significant. */
  nibble(slot: number, index: number): number {
    return (this.records[slot * RECORD_WORDS + (index >> 3)]! >>> (28 - ((index & 7) << 2))) & 15;
  }

  /** How many leading bits of `words` and the prefix are the same, at most the prefix's length. */
  commonBits(slot: number, words: Uint32Array): number {
    const records = this.records;
    const at = slot * RECORD_WORDS;
    const bits = records[at + BITS]!;
    for (let index = 0; index * 32 < bits; index++) {
      const difference = records[at + index]! ^ words[index]!;
      if (difference !== 0) return Math.min(bits, index * 32 + Math.clz32(difference));
    }
    return bits;
  }

  /** Reads both ends of the record, for the caches only; what it gives has no meaning. */
  touch(slot: number): number {
    const at = slot * RECORD_WORDS;
    return this.records[at]! ^ this.records[at + TAG]!;
  }

  copyWords(slot: number, words: Uint32Array): void {
    const at = slot * RECORD_WORDS;
    for (let index = 0; index < KEY_WORDS; index++) words[index] = this.records[at + index]!;
  }

  prefix(slot: number): ServicePrefix {
    const at = slot * RECORD_WORDS;
    return ServicePrefix.of(ServiceID.fromWords(this.records.subarray(at, at + KEY_WORDS)), this.bits(slot));
  }

  add(prefix: ServicePrefix): number {
    const slot = this.takeSlot();
    const at = slot * RECORD_WORDS;
    this.records.set(prefix.base.words, at);
    this.records[at + BITS] = prefix.bits;
    this.records[at + TAG] = 0;
    return slot;
  }

  remove(slot: number): void {
    this.records[slot * RECORD_WORDS + TAG] = this.free;
    this.free = slot;
  }

  private takeSlot(): number {
    if (this.free !== NO_SLOT) {
      const slot = this.free;
      this.free = this.tag(slot);
      return slot;
    }
    if ((this.used + 1) * RECORD_WORDS > this.records.length) {
      const larger = new Int32Array(this.records.length * 2);
      larger.set(this.records);
      this.records = larger;
    }
    return this.used++;
  }
}
