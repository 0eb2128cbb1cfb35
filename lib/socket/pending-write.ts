// A write on its way into the send buffer of a stream: what was accepted, and what waits for room.

import type { StreamHandle } from '../driver/handles';

export type WriteCallback = (error?: Error | null) => void;

export class PendingWrite {
  private index = 0;

  /** `offset`: bytes of the first chunk that were accepted already. */
  constructor(
    private readonly chunks: readonly Uint8Array[],
    readonly callback: WriteCallback,
    private offset = 0,
  ) {}

  /** Hands over as much as there is room for. True when that was all. */
  advance(handle: StreamHandle): boolean {
    while (this.index < this.chunks.length) {
      const chunk = this.chunks[this.index]!;
      this.offset += handle.write(chunk, this.offset);
      if (this.offset < chunk.length) return false;
      this.index++;
      this.offset = 0;
    }
    return true;
  }

  /** What was not accepted. */
  get rest(): readonly Uint8Array[] {
    const [first, ...others] = this.chunks.slice(this.index);
    return first === undefined ? [] : [first.subarray(this.offset), ...others];
  }

  /** Bytes of the whole write, accepted or not. */
  get length(): number {
    let sum = 0;
    for (const chunk of this.chunks) sum += chunk.length;
    return sum;
  }
}
