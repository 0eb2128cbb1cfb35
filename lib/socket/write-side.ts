// The writing half of a stream socket: what the handle has not accepted yet, and the end that the peer has not
// acknowledged. Buffering before that, and the order of writes, is `stream.Writable`'s task.

import type { StreamHandle } from '../driver/handles';
import { PendingWrite, type WriteCallback } from './pending-write';

export class WriteSide {
  /** Of writes that were accepted in full. */
  bytesAccepted = 0;
  /** Our end is on its way, and what was written before it; nobody has acknowledged it. */
  isUnacknowledged = false;
  private pending: PendingWrite | undefined;
  private endSent: NodeJS.Immediate | undefined;

  /** Calls back at once when there is room for all of it, as a kernel's socket would. */
  write(handle: StreamHandle, chunk: Uint8Array, callback: WriteCallback): void {
    const accepted = handle.write(chunk);
    if (accepted < chunk.length) {
      this.pending = new PendingWrite([chunk], callback, accepted);
      return;
    }
    this.bytesAccepted += accepted;
    callback();
  }

  /** Keeps a write for `advance`. */
  hold(chunks: readonly Uint8Array[], callback: WriteCallback): PendingWrite {
    this.pending = new PendingWrite(chunks, callback);
    return this.pending;
  }

  isHolding(write: PendingWrite): boolean {
    return this.pending === write;
  }

  /** Goes on with the write that waits for room, if there is one. */
  advance(handle: StreamHandle): void {
    const write = this.pending;
    if (write === undefined || !write.advance(handle)) return;
    this.pending = undefined;
    this.bytesAccepted += write.length;
    write.callback();
  }

  /** Sends our end. Calls back when it has left, in a turn of its own as a kernel's `shutdown` does. */
  end(handle: StreamHandle, callback: WriteCallback): void {
    this.isUnacknowledged = true;
    handle.shutdown();
    this.endSent = setImmediate(callback);
  }

  acknowledged(): void {
    this.isUnacknowledged = false;
  }

  /** What the handle has not accepted; it is said to have been. */
  takeRest(): readonly Uint8Array[] {
    const write = this.pending;
    if (write === undefined) return [];
    this.pending = undefined;
    this.bytesAccepted += write.length;
    const { rest } = write;
    write.callback();
    return rest;
  }

  /** Gives up; returns whom to tell that a write was not accepted in full. */
  abandon(): WriteCallback | undefined {
    clearImmediate(this.endSent);
    const callback = this.pending?.callback;
    this.pending = undefined;
    return callback;
  }
}
