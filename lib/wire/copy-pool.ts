// Copies of small parts of a link's slab, for receivers to keep. They stand side by side in chunks, and messages that
// stand side by side in the slab are copied together: an allocation and a view for each would cost more than the copy.

/** A chunk is pinned by any copy in it: the smallest pins 128 times its size, or as much as one of Node's own pool. */
const CHUNK_BYTES = { small: 8192, large: 65_536 } as const;
/** Smaller ones go to the small chunks. */
const LARGE_BYTES_MINIMUM = 512;
/** Of a chunk: the most that is copied because it may be asked for next. */
const BLOCK_PART = 1 / 4;
/** Headers between two messages are shorter. */
const GAP_MAXIMUM = 256;

export class CopyPool {
  private readonly small = new CopyChunks(CHUNK_BYTES.small);
  private readonly large = new CopyChunks(CHUNK_BYTES.large);

  /** `burstEnd`: where the bytes end that are in the slab now. */
  copy(slab: Buffer, offset: number, length: number, burstEnd: number): Buffer {
    const chunks = length < LARGE_BYTES_MINIMUM ? this.small : this.large;
    return chunks.copy(slab, offset, length, burstEnd);
  }

  /** The slab's bytes are others from now on. */
  endBurst(): void {
    this.small.endBurst();
    this.large.endBurst();
  }
}

class CopyChunks {
  private chunk: ArrayBuffer = new ArrayBuffer(0);
  private filled: Uint8Array = new Uint8Array(0);
  private filledEnd = 0;
  private slab: Buffer | undefined;
  /** The part of the slab that was copied last, and where its copy stands in the chunk. */
  private blockStart = 0;
  private blockEnd = 0;
  private blockCopy = 0;

  constructor(private readonly chunkBytes: number) {}

  copy(slab: Buffer, offset: number, length: number, burstEnd: number): Buffer {
    if (slab !== this.slab || offset < this.blockStart || offset + length > this.blockEnd) {
      this.copyBlock(slab, offset, length, burstEnd);
    }
    return Buffer.from(this.chunk, this.blockCopy + offset - this.blockStart, length);
  }

  endBurst(): void {
    this.blockEnd = 0;
  }

  /** While one message follows the other, each block is twice as long: no more is copied in vain than was asked for. */
  private copyBlock(slab: Buffer, offset: number, length: number, burstEnd: number): void {
    const follows = slab === this.slab && offset >= this.blockStart && offset - this.blockEnd < GAP_MAXIMUM;
    const doubled = follows && this.blockEnd > 0 ? (this.blockEnd - this.blockStart) * 2 : 0;
    const wanted = Math.min(doubled, this.chunkBytes * BLOCK_PART, burstEnd - offset);
    const blockLength = Math.max(length, wanted);
    if (this.filledEnd + blockLength > this.filled.length) this.startChunk();
    this.filled.set(slab.subarray(offset, offset + blockLength), this.filledEnd);
    this.slab = slab;
    this.blockStart = offset;
    this.blockEnd = offset + blockLength;
    this.blockCopy = this.filledEnd;
    this.filledEnd += blockLength;
  }

  private startChunk(): void {
    const chunk = Buffer.allocUnsafeSlow(this.chunkBytes);
    this.filled = chunk;
    this.chunk = chunk.buffer as ArrayBuffer;
    this.filledEnd = 0;
  }
}
