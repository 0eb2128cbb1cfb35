// The writing half of a stream socket: what the handle has not accepted yet, and the end that it has not
// acknowledged. Buffering before that, and the order of writes, is `stream.Writable`'s task.

import type { StreamHandle } from '../driver/handles';
import { FINISH_WAIT } from '../limits';
import { PendingWrite, type WriteCallback } from './pending-write';

export class WriteSide {
  /** Of writes that were accepted in full. */
  bytesAccepted = 0;
  private pending: PendingWrite | undefined;
  private finalCallback: WriteCallback | undefined;
  private finishTimer: NodeJS.Timeout | undefined;

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

  /** Sends our end; calls back on `finished`, or after FINISH_WAIT. */
  end(handle: StreamHandle, callback: WriteCallback): void {
    this.finalCallback = callback;
    this.finishTimer = setTimeout(() => this.finished(), FINISH_WAIT).unref();
    handle.shutdown();
  }

  finished(): void {
    clearTimeout(this.finishTimer);
    const callback = this.finalCallback;
    this.finalCallback = undefined;
    callback?.();
  }

  /** Gives up; returns whom to tell that a write was not accepted in full. */
  abandon(): WriteCallback | undefined {
    clearTimeout(this.finishTimer);
    const callback = this.pending?.callback;
    this.finalCallback = undefined;
    this.pending = undefined;
    return callback;
  }
}
