// Blocks of memory for send buffers, in three sizes, kept for reuse when they are given back. An idle
// connection holds none; one small message holds a small one.

import { POOLED_BLOCK_BYTES_MAXIMUM } from '../../limits';

export const BLOCK_SIZES = [2048, 16_384, 65_536] as const;

export class Block {
  readonly bytes: Uint8Array;
  /** The same bytes, for copies of a few of them by words. */
  readonly view: DataView;

  constructor(readonly length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, length);
  }
}

export class BlockPool {
  private readonly free: Block[][] = BLOCK_SIZES.map(() => []);

  /** A block of the least size that holds `bytes`, or of the greatest. Its content is anything. */
  take(bytes: number): Block {
    const size = sizeFor(bytes);
    return this.free[size]!.pop() ?? new Block(BLOCK_SIZES[size]);
  }

  /** Gives back a block of `take`, which nobody reads any more. */
  give(block: Block): void {
    const free = this.free[sizeFor(block.length)]!;
    if ((free.length + 1) * block.length <= POOLED_BLOCK_BYTES_MAXIMUM) free.push(block);
  }

  /** Bytes that wait for reuse. */
  get pooledBytes(): number {
    let total = 0;
    for (const [size, blocks] of this.free.entries()) total += blocks.length * BLOCK_SIZES[size]!;
    return total;
  }
}

function sizeFor(bytes: number): 0 | 1 | 2 {
  if (bytes <= BLOCK_SIZES[0]) return 0;
  return bytes <= BLOCK_SIZES[1] ? 1 : 2;
}
