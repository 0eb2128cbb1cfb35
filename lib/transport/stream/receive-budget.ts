// What the streams of one host share of its room to receive: the memory of all that waits for readers, and on paths
// without delay the kernel's queue, into which all senders together must not send more than it holds.

import { RECEIVE_MEMORY_MAXIMUM, RECEIVE_QUEUE_DEFAULT } from '../../limits';
import type { Instant } from '../../time/instant';

export class ReceiveBudget {
  /** Bytes that wait for readers, or for what is missing before them. */
  held = 0;
  /** Bytes that may be under way at a time to all streams that receive much, on paths that hold nothing themselves. */
  queue = RECEIVE_QUEUE_DEFAULT;
  /** Streams that received much in the current slice of time, and in the one before. */
  private current = 0;
  private previous = 0;
  private sliceEnd = Number.NEGATIVE_INFINITY;
  private sliceNumber = 0;

  /** A stream's part of the queue. */
  get share(): number {
    return this.queue / Math.max(this.previous, this.current, 1);
  }

  /** No window opens further until some of what is held was read. */
  get isScarce(): boolean {
    return this.held > RECEIVE_MEMORY_MAXIMUM;
  }

  /** The slice of time that `now` is in. */
  sliceAt(now: Instant): number {
    if (now >= this.sliceEnd) {
      this.previous = now < this.sliceEnd + SLICE ? this.current : 0;
      this.current = 0;
      this.sliceNumber++;
      this.sliceEnd = now + SLICE;
    }
    return this.sliceNumber;
  }

  /** One stream more has received much in this slice. */
  countBulk(): void {
    this.current++;
  }
}

/** Milliseconds: some hundred round trips of the paths that share a queue. */
const SLICE = 50;
