// Copies of small parts of a link's slab, for receivers to keep. They stand side by side in chunks, and messages that
// stand side by side in the slab are copied together: an allocation and a view for each would cost more than the copy.

/** A chunk is pinned by any copy in it, so the smallest pins 128 times its size, as in Node's own pool of 8 KB. */
const CHUNK_BYTES = 65_536;
/** Smaller ones go to that pool. */
const POOLED_BYTES_MINIMUM = 512;
/** Most that is copied because it may be asked for next. */
const BLOCK_BYTES_MAXIMUM = 16_384;
/** Headers between two messages are shorter. */
const GAP_MAXIMUM = 256;

export class CopyPool {
  private chunk: ArrayBuffer = new ArrayBuffer(0);
  private filled: Uint8Array = new Uint8Array(0);
  private filledEnd = 0;
  private slab: Buffer | undefined;
  /** The part of the slab that was copied last, and where its copy stands in the chunk. */
  private blockStart = 0;
  private blockEnd = 0;
  private blockCopy = 0;

  /** `burstEnd`: where the bytes end that are in the slab now. */
  copy(slab: Buffer, offset: number, length: number, burstEnd: number): Buffer {
    if (length < POOLED_BYTES_MINIMUM) return Buffer.from(slab.subarray(offset, offset + length));
    if (slab !== this.slab || offset < this.blockStart || offset + length > this.blockEnd) {
      this.copyBlock(slab, offset, length, burstEnd);
    }
    return Buffer.from(this.chunk, this.blockCopy + offset - this.blockStart, length);
  }

  /** The slab's bytes are others from now on. */
  endBurst(): void {
    this.blockEnd = 0;
  }

  /** While one message follows the other, each block is twice as long: no more is copied in vain than was asked for. */
  private copyBlock(slab: Buffer, offset: number, length: number, burstEnd: number): void {
    const follows = slab === this.slab && offset >= this.blockStart && offset - this.blockEnd < GAP_MAXIMUM;
    const wanted =
      follows && this.blockEnd > 0 ? Math.min((this.blockEnd - this.blockStart) * 2, BLOCK_BYTES_MAXIMUM) : 0;
    const blockLength = Math.max(length, Math.min(wanted, burstEnd - offset));
    if (this.filledEnd + blockLength > this.filled.length) this.startChunk();
    this.filled.set(slab.subarray(offset, offset + blockLength), this.filledEnd);
    this.slab = slab;
    this.blockStart = offset;
    this.blockEnd = offset + blockLength;
    this.blockCopy = this.filledEnd;
    this.filledEnd += blockLength;
  }

  private startChunk(): void {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.filled = chunk;
    this.chunk = chunk.buffer as ArrayBuffer;
    this.filledEnd = 0;
  }
}
