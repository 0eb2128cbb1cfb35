// How much a sender of a given rate may have sent by now. Time is an argument.

import { PERF_BACKLOG_MAXIMUM } from './perf-limits';

export class Pacer {
  private sentBytes = 0;

  /** `rate` in bits a second, `start` in milliseconds, `unit` the bytes that are sent at a time: as much can be due. */
  constructor(
    private readonly rate: number,
    private start: number,
    private readonly unit: number,
  ) {}

  /** Bytes that are due at `now`. A backlog that is too old to be made up for is forgotten. */
  due(now: number): number {
    const due = ((now - this.start) * this.rate) / BITS_PER_BYTE_AND_MILLISECOND - this.sentBytes;
    const most = Math.max((PERF_BACKLOG_MAXIMUM * this.rate) / BITS_PER_BYTE_AND_MILLISECOND, this.unit);
    if (due <= most) return due;
    this.start += ((due - most) * BITS_PER_BYTE_AND_MILLISECOND) / this.rate;
    return most;
  }

  handleSent(bytes: number): void {
    this.sentBytes += bytes;
  }

  /** Milliseconds from `now` until `bytes` more are due. */
  delayUntil(bytes: number, now: number): number {
    const missing = bytes - this.due(now);
    return Math.max((missing * BITS_PER_BYTE_AND_MILLISECOND) / this.rate, 0);
  }
}

const BITS_PER_BYTE_AND_MILLISECOND = 8000;
