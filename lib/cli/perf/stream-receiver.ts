// A lane that reads a stream socket to its end and counts.

import type { Socket } from '../../index';
import type { StreamReport } from './end-report';
import { Completion, type Lane, type LaneSnapshot } from './lane';
import { PerfError, PerfErrorCode } from './perf-error';

export class StreamReceiver implements Lane {
  private readonly completion = new Completion();
  readonly finished = this.completion.promise;
  private bytes = 0;
  private startedAt = 0;
  private lastAt = 0;

  /** The socket is connected, half-open when the peer ends, and nobody else listens to it. */
  constructor(private readonly socket: Socket) {
    socket.on('error', (error) => this.completion.fail(error));
    socket.on('end', () => this.handleEnd());
    socket.on('close', () => this.completion.fail(new PerfError(PerfErrorCode.ended, 'a stream was cut off')));
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.lastAt = performance.now();
    });
  }

  start(): void {
    this.startedAt = performance.now();
    this.lastAt = this.startedAt;
  }

  stop(): void {}

  handleSent(): void {}

  sample(): void {}

  snapshot(): LaneSnapshot {
    return { bytes: this.bytes };
  }

  report(): StreamReport {
    return { bytes: this.bytes, seconds: (this.lastAt - this.startedAt) / 1000 };
  }

  abort(): void {
    this.completion.complete();
    this.socket.destroy();
  }

  private handleEnd(): void {
    this.completion.complete();
    // The sender waits for this: everything was read.
    this.socket.end();
  }
}
