// What the sequence numbers of received datagrams tell: gaps, late ones, duplicates. Memory does not grow with
// what a peer sends.

import { PERF_SEQUENCE_WINDOW } from './perf-limits';

export class SequenceTracker {
  /** Without duplicates. */
  received = 0;
  duplicates = 0;
  outOfOrder = 0;
  private highest = -1;
  /** One bit for each of the last PERF_SEQUENCE_WINDOW numbers. */
  private readonly seen = new Uint32Array(PERF_SEQUENCE_WINDOW / 32);

  /** Numbers up to the highest that have not come. */
  get missing(): number {
    return Math.max(this.highest + 1 - this.received, 0);
  }

  /** False for a duplicate. One that is older than the window cannot be told from a late datagram, and counts as such. */
  handle(sequence: number): boolean {
    if (sequence > this.highest) this.advance(sequence);
    else if (sequence <= this.highest - PERF_SEQUENCE_WINDOW) this.outOfOrder++;
    else if (this.isSeen(sequence)) {
      this.duplicates++;
      return false;
    } else this.outOfOrder++;
    this.mark(sequence);
    this.received++;
    return true;
  }

  /** The numbers between were not seen, whatever stood in their places. */
  private advance(sequence: number): void {
    if (sequence - this.highest >= PERF_SEQUENCE_WINDOW) this.seen.fill(0);
    else for (let number = this.highest + 1; number < sequence; number++) this.clear(number);
    this.highest = sequence;
  }

  private isSeen(sequence: number): boolean {
    return (this.seen[wordOf(sequence)]! & bitOf(sequence)) !== 0;
  }

  private mark(sequence: number): void {
    if (sequence > this.highest - PERF_SEQUENCE_WINDOW) this.seen[wordOf(sequence)]! |= bitOf(sequence);
  }

  private clear(sequence: number): void {
    this.seen[wordOf(sequence)]! &= ~bitOf(sequence);
  }
}

const wordOf = (sequence: number): number => (sequence & (PERF_SEQUENCE_WINDOW - 1)) >>> 5;
const bitOf = (sequence: number): number => 1 << (sequence & 31);
