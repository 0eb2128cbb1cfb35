// A lane that sends over a stream socket, as fast as it is taken or at a rate, until it is stopped or has sent its
// share. It is done when the receiver has ended its side, too: then everything has been read there.

import type { Socket } from '../../index';
import type { StreamReport } from './end-report';
import { FlowSamples } from './flow-samples';
import { Completion, type Lane, type LaneSnapshot } from './lane';
import { Pacer } from './pacer';
import { PerfError, PerfErrorCode } from './perf-error';
import { PERF_DRAIN_TIMEOUT } from './perf-limits';

export interface StreamSenderOptions {
  /** Bytes of one write; of less when a slow rate would make bursts of them. */
  readonly length: number;
  /** Bytes in all; may be infinite. */
  readonly bytes: number;
  /** Bits a second; null: as fast as it is taken. */
  readonly rate: number | null;
}

export class StreamSender implements Lane {
  private readonly completion = new Completion();
  readonly finished = this.completion.promise;
  private readonly chunk: Buffer;
  private readonly flow: FlowSamples;
  private pacer: Pacer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private written = 0;
  private startedAt = 0;
  private stoppedAt: number | undefined;

  /** The socket is connected, half-open when the peer ends, and nobody else listens to it. */
  constructor(
    private readonly socket: Socket,
    private readonly options: StreamSenderOptions,
  ) {
    this.chunk = Buffer.alloc(writeLength(options), 'serval perf ');
    this.flow = new FlowSamples(socket);
    socket.on('error', (error) => this.completion.fail(error));
    socket.on('end', () => this.handleEnd());
    socket.on('close', () => this.completion.fail(new PerfError(PerfErrorCode.ended, 'a stream was cut off')));
    socket.on('drain', () => this.write());
    // The receiver has nothing to say; what it says all the same is dropped.
    socket.resume();
  }

  start(): void {
    this.startedAt = performance.now();
    if (this.options.rate !== null) this.pacer = new Pacer(this.options.rate, this.startedAt, this.chunk.length);
    this.write();
  }

  stop(): void {
    if (this.stoppedAt !== undefined) return;
    this.stoppedAt = performance.now();
    clearTimeout(this.timer);
    this.sample();
    this.socket.end();
    this.timer = setTimeout(() => this.giveUp(), PERF_DRAIN_TIMEOUT);
  }

  handleSent(): void {}

  sample(): void {
    this.flow.sample();
  }

  snapshot(): LaneSnapshot {
    this.sample();
    return { bytes: this.written, ...this.flow.snapshot() };
  }

  report(): StreamReport {
    const seconds = ((this.stoppedAt ?? performance.now()) - this.startedAt) / 1000;
    return { bytes: this.written, seconds, ...this.flow.report() };
  }

  abort(): void {
    clearTimeout(this.timer);
    this.stoppedAt ??= performance.now();
    this.completion.complete();
    this.socket.destroy();
  }

  private write(): void {
    while (this.stoppedAt === undefined) {
      const left = this.options.bytes - this.written;
      if (left <= 0) return this.stop();
      const length = Math.min(left, this.chunk.length);
      if (this.pacer !== undefined && !this.isDue(this.pacer, length)) return;
      this.written += length;
      this.pacer?.handleSent(length);
      if (!this.socket.write(length === this.chunk.length ? this.chunk : this.chunk.subarray(0, length))) return;
    }
  }

  /** Otherwise comes back when it is. */
  private isDue(pacer: Pacer, length: number): boolean {
    const delay = pacer.delayUntil(length, performance.now());
    if (delay === 0) return true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), Math.ceil(delay));
    return false;
  }

  private handleEnd(): void {
    clearTimeout(this.timer);
    if (this.stoppedAt !== undefined) return this.completion.complete();
    this.completion.fail(new PerfError(PerfErrorCode.ended, 'the other end reads no more'));
  }

  /** The path is too slow for what it was given; the receiver tells how much arrived. */
  private giveUp(): void {
    this.completion.complete();
    this.socket.destroy();
  }
}

function writeLength({ length, rate }: StreamSenderOptions): number {
  return rate === null ? length : Math.min(length, Math.ceil((rate / 8) * WRITE_INTERVAL));
}

/** Seconds between two writes at a rate, or less. */
const WRITE_INTERVAL = 0.01;
