// What arrived above a gap: runs of bytes, each a list of chunks, sorted by stream offset. It gives the SACK
// blocks in the order RFC 2018 asks for. Bounded in runs and chunks; what would exceed them is not taken.

import { REASSEMBLY_RUNS_MAXIMUM } from '../../limits';
import { SACK_BLOCKS_MAXIMUM } from '../../wire/tcp-options';

/** Consecutive bytes above a gap. */
interface Run {
  start: number;
  end: number;
  chunks: Buffer[];
  /** Grows with every segment: the run touched last is reported first. */
  touched: number;
}

/** Takes `length` bytes from `skip` on out of the segment being inserted. */
export type TakeBytes = (skip: number, length: number) => Buffer;

export class Reassembly {
  private readonly runs: Run[] = [];
  private touches = 0;
  /** Bytes and chunks held. */
  bytes = 0;
  chunks = 0;

  get isEmpty(): boolean {
    return this.runs.length === 0;
  }

  /** Offset behind the highest byte held; 0 when empty. */
  get end(): number {
    return this.runs.length === 0 ? 0 : this.runs[this.runs.length - 1]!.end;
  }

  /** Keeps what is new of [start, end). False when some of it was dropped for want of room. */
  insert(start: number, end: number, chunksMaximum: number, take: TakeBytes): boolean {
    let complete = true;
    let at = start;
    while (at < end && complete) {
      const index = this.indexOf(at);
      const run = this.runs[index];
      if (run !== undefined && run.start <= at) {
        at = run.end;
        continue;
      }
      const gapEnd = run === undefined ? end : Math.min(end, run.start);
      complete = this.hasRoom(index, at, gapEnd, chunksMaximum);
      if (complete) this.place(index, at, gapEnd, take(at - start, gapEnd - at));
      at = gapEnd;
    }
    this.touch(start);
    return complete;
  }

  /** Whether every byte of [start, end) is held already. */
  holds(start: number, end: number): boolean {
    const run = this.runs[this.indexOf(start)];
    return run !== undefined && run.start <= start && run.end >= end;
  }

  /** The chunks that follow `next` without a gap, cut where they overlap with what was delivered. */
  takeFrom(next: number, deliver: (chunk: Buffer) => void): number {
    let at = next;
    while (this.runs.length > 0 && this.runs[0]!.start <= at) {
      const run = this.runs.shift()!;
      this.chunks -= run.chunks.length;
      this.bytes -= run.end - run.start;
      let start = run.start;
      for (const chunk of run.chunks) {
        const end = start + chunk.length;
        if (end > at) {
          deliver(start < at ? chunk.subarray(at - start) : chunk);
          at = end;
        }
        start = end;
      }
    }
    return at;
  }

  /** Writes start and end of up to four runs into `edges`, the one touched last first, and returns how many. */
  selectBlocks(edges: Float64Array, first: number): number {
    let below = Number.POSITIVE_INFINITY;
    let count = first;
    while (count < SACK_BLOCKS_MAXIMUM) {
      let newest: Run | undefined;
      for (const run of this.runs) {
        if (run.touched < below && (newest === undefined || run.touched > newest.touched)) newest = run;
      }
      if (newest === undefined) break;
      edges[count * 2] = newest.start;
      edges[count * 2 + 1] = newest.end;
      below = newest.touched;
      count++;
    }
    return count;
  }

  clear(): void {
    this.runs.length = 0;
    this.bytes = 0;
    this.chunks = 0;
  }

  /** Whether [start, end) may be kept before run `index`. */
  private hasRoom(index: number, start: number, end: number, chunksMaximum: number): boolean {
    if (this.chunks >= chunksMaximum) return false;
    if (this.runs.length < REASSEMBLY_RUNS_MAXIMUM) return true;
    return this.runs[index - 1]?.end === start || this.runs[index]?.start === end;
  }

  /** Puts a chunk before run `index`, joined to the runs it touches. */
  private place(index: number, start: number, end: number, chunk: Buffer): void {
    const before = this.runs[index - 1];
    const following = this.runs[index];
    this.bytes += end - start;
    this.chunks++;
    if (before !== undefined && before.end === start) {
      before.chunks.push(chunk);
      before.end = end;
      if (following === undefined || following.start !== end) return;
      for (const later of following.chunks) before.chunks.push(later);
      before.end = following.end;
      this.runs.splice(index, 1);
    } else if (following !== undefined && following.start === end) {
      following.chunks.unshift(chunk);
      following.start = start;
    } else {
      this.runs.splice(index, 0, { start, end, chunks: [chunk], touched: ++this.touches });
    }
  }

  private touch(offset: number): void {
    const run = this.runs[this.indexOf(offset)];
    if (run !== undefined && run.start <= offset) run.touched = ++this.touches;
  }

  /** Index of the run that holds `offset`, or of the first after it. */
  private indexOf(offset: number): number {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.runs[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
