// What the peer sent and the application has not read: chunks in order, and above a gap what `Reassembly`
// holds. Large payloads stay where the link put them; small ones are gathered, for a chunk has a price too.

import { BUFFER_BYTES_PER_CHUNK } from '../../limits';
import { COPY_OUT_BYTES, type ReceivedBatch } from '../../wire/received-batch';
import { Reassembly } from './reassembly';

/** Small payloads that wait for a slow reader are joined in buffers of this size. */
const GATHER_BYTES = 16_384;
/** Chunks that any connection may hold, however small its buffer. */
const CHUNKS_MINIMUM = 64;

export class ReceiveBuffer {
  /** Stream offset of the next byte expected (RCV.NXT). */
  next: number;
  /** Bytes that can be read. */
  unread = 0;
  readonly reassembly = new Reassembly();
  private chunks: Buffer[] = [];
  private first = 0;
  /** Free rest of the buffer in which small payloads are gathered, behind the last chunk. */
  private gather: Buffer | undefined;
  private gatherEnd = 0;

  /** Everything before stream offset `next` was received and read. */
  constructor(next: number) {
    this.next = next;
  }

  /** Bytes held in all. */
  get bytes(): number {
    return this.unread + this.reassembly.bytes;
  }

  /**
   * Takes `length` bytes at `slabOffset` that belong at stream offset `offset`; the caller has cut them to the
   * window. False when some were dropped for want of room.
   */
  insert(offset: number, batch: ReceivedBatch, slabOffset: number, length: number, buffer: number): boolean {
    const skip = Math.max(this.next - offset, 0);
    if (skip >= length) return true;
    const start = offset + skip;
    const end = offset + length;
    if (start > this.next) {
      const chunksMaximum = Math.max(CHUNKS_MINIMUM, buffer / BUFFER_BYTES_PER_CHUNK);
      return this.reassembly.insert(start, end, chunksMaximum, (from, count) => batch.copy(slabOffset + from, count));
    }
    this.deliverFrom(batch, slabOffset + skip, end - start);
    this.next = end;
    if (!this.reassembly.isEmpty) this.next = this.reassembly.takeFrom(end, this.deliverChunk);
    return true;
  }

  /** The next chunk; it belongs to the caller. */
  read(): Buffer | undefined {
    const chunk = this.chunks[this.first];
    if (chunk === undefined) return undefined;
    this.unread -= chunk.length;
    // Almost always it is the only one: the array keeps its room.
    if (this.chunks.length === 1) {
      this.chunks.pop();
      this.gather = undefined;
      return chunk;
    }
    this.first++;
    if (this.first === this.chunks.length) {
      this.chunks = [];
      this.first = 0;
      this.gather = undefined;
    } else if (this.first >= 64 && this.first * 2 >= this.chunks.length) {
      this.chunks.splice(0, this.first);
      this.first = 0;
    }
    return chunk;
  }

  clear(): void {
    this.chunks = [];
    this.first = 0;
    this.unread = 0;
    this.gather = undefined;
    this.reassembly.clear();
  }

  private deliverFrom(batch: ReceivedBatch, slabOffset: number, length: number): void {
    if (length > COPY_OUT_BYTES || this.unread === 0) this.deliver(batch.take(slabOffset, length));
    else this.gatherBytes(batch.slab, slabOffset, length);
  }

  private readonly deliverChunk = (chunk: Buffer): void => {
    if (chunk.length > COPY_OUT_BYTES || this.unread === 0) this.deliver(chunk);
    else this.gatherBytes(chunk, 0, chunk.length);
  };

  private deliver(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.unread += chunk.length;
    this.gather = undefined;
  }

  /** Copies a small payload behind the one before it, so that a thousand of them are one chunk. */
  private gatherBytes(from: Buffer, offset: number, length: number): void {
    this.unread += length;
    if (this.gather === undefined || this.gatherEnd + length > this.gather.length) {
      this.gather = Buffer.allocUnsafeSlow(GATHER_BYTES);
      this.gatherEnd = 0;
      this.chunks.push(EMPTY);
    }
    from.copy(this.gather, this.gatherEnd, offset, offset + length);
    this.gatherEnd += length;
    this.chunks[this.chunks.length - 1] = this.gather.subarray(0, this.gatherEnd);
  }
}

const EMPTY = Buffer.alloc(0);
