// What the application wrote and the peer has not acknowledged: bytes by stream offset, copied into pooled
// blocks. It knows nothing of segments; a retransmission reads the same bytes again, cut as it likes.

import type { TransmitBatch } from '../../wire/transmit-batch';
import { BLOCK_SIZES, type Block, type BlockPool } from './block-pool';

/** Pieces of one row; the batch keeps room for eight. */
const PIECES_MAXIMUM = 6;

export class SendBuffer {
  private readonly pool: BlockPool;
  /** Stream offset of the first byte held, and behind the last. */
  start: number;
  end: number;
  private readonly blocks: Block[] = [];
  /** Stream offset at which each block begins. */
  private readonly blockStarts: number[] = [];
  private hint = 0;

  /** Everything before stream offset `start` was acknowledged. */
  constructor(pool: BlockPool, start = 0) {
    this.pool = pool;
    this.start = start;
    this.end = start;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Copies `length` bytes from `offset` on behind what is held. */
  append(bytes: Uint8Array, offset: number, length: number): void {
    let from = offset;
    let left = length;
    while (left > 0) {
      const last = this.blocks.length - 1;
      const used = last < 0 ? 0 : this.end - this.blockStarts[last]!;
      const block = last < 0 || used === this.blocks[last]!.length ? this.addBlock(left) : this.blocks[last]!;
      const at = this.end - this.blockStarts[this.blocks.length - 1]!;
      const count = Math.min(left, block.length - at);
      block.bytes.set(from === 0 && count === bytes.length ? bytes : bytes.subarray(from, from + count), at);
      this.end += count;
      from += count;
      left -= count;
    }
  }

  /** All that is held, in one piece. */
  copy(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    for (const [index, block] of this.blocks.entries()) {
      const from = Math.max(this.start - this.blockStarts[index]!, 0);
      const to = this.blockEnd(index) - this.blockStarts[index]!;
      if (from < to) bytes.set(block.bytes.subarray(from, to), this.blockStarts[index]! + from - this.start);
    }
    return bytes;
  }

  /** Everything before stream offset `to` was acknowledged. */
  release(to: number): void {
    this.start = Math.min(Math.max(to, this.start), this.end);
    if (this.start === this.end) return this.giveAll();
    let gone = 0;
    // The last block stays: something is left to send from it.
    while (gone < this.blocks.length - 1 && this.blockEnd(gone) <= this.start) gone++;
    if (gone === 0) return;
    for (let index = 0; index < gone; index++) this.pool.give(this.blocks[index]!);
    this.blocks.splice(0, gone);
    this.blockStarts.splice(0, gone);
    this.hint = 0;
  }

  /**
   * Appends bytes from stream offset `from` on to the row begun in `batch`, and returns how many: less than
   * `length` when they lie in too many blocks.
   */
  appendTo(batch: TransmitBatch, from: number, length: number): number {
    let index = this.blockOf(from);
    let at = from;
    const end = from + length;
    for (let pieces = 0; at < end && pieces < PIECES_MAXIMUM; pieces++, index++) {
      const count = Math.min(end, this.blockEnd(index)) - at;
      batch.appendPiece(this.blocks[index]!.bytes, at - this.blockStarts[index]!, count);
      at += count;
    }
    return at - from;
  }

  /**
   * The same for a short segment, by copy: it costs less than a piece that crosses to native code. False, and nothing
   * is appended, when there is no room or the bytes lie in two blocks.
   */
  copyTo(batch: TransmitBatch, from: number, length: number): boolean {
    const index = this.blockOf(from);
    if (from + length > this.blockEnd(index) || !batch.hasCopyRoom(length)) return false;
    batch.appendCopyOf(this.blocks[index]!.view, from - this.blockStarts[index]!, length);
    return true;
  }

  /** How many of `length` bytes from `from` on one row can carry. */
  reach(from: number, length: number): number {
    const last = Math.min(this.blockOf(from) + PIECES_MAXIMUM, this.blocks.length) - 1;
    return Math.min(length, this.blockEnd(last) - from);
  }

  clear(): void {
    this.start = this.end;
    this.giveAll();
  }

  /** One by one, which leaves the arrays the room they have: most messages are acknowledged before the next. */
  private giveAll(): void {
    for (let block = this.blocks.pop(); block !== undefined; block = this.blocks.pop()) {
      this.pool.give(block);
      this.blockStarts.pop();
    }
    this.hint = 0;
  }

  private addBlock(bytes: number): Block {
    // The more is held the larger the next block: a stream of small writes ends up in large blocks too.
    const block = this.pool.take(Math.max(bytes, this.length > BLOCK_SIZES[0] / 2 ? this.length * 4 : 0));
    this.blocks.push(block);
    this.blockStarts.push(this.end);
    return block;
  }

  private blockEnd(index: number): number {
    return index + 1 < this.blocks.length ? this.blockStarts[index + 1]! : this.end;
  }

  private blockOf(offset: number): number {
    let index = this.hint < this.blocks.length && this.blockStarts[this.hint]! <= offset ? this.hint : 0;
    while (this.blockEnd(index) <= offset && index + 1 < this.blocks.length) index++;
    this.hint = index;
    return index;
  }
}
