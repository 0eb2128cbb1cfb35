// A lane that sends datagrams at a rate. It is done when it is stopped: nothing of it is repeated.

import { createDatagram, DatagramKind, stampDatagram } from './datagram-format';
import type { StreamReport } from './end-report';
import { Completion, type Lane, type LaneSnapshot } from './lane';
import { Pacer } from './pacer';
import { PerfError, PerfErrorCode } from './perf-error';
import { PERF_BURST_MAXIMUM } from './perf-limits';
import type { TestToken } from './test-token';

export interface DatagramSenderOptions {
  readonly token: TestToken;
  readonly stream: number;
  readonly length: number;
  readonly bytes: number;
  readonly rate: number;
}

/** Sends to the peer of the lane; the bytes are the caller's again when it returns. */
export type SendDatagram = (bytes: Buffer, sent: (error: Error | null) => void) => void;

export class DatagramSender implements Lane {
  private readonly completion = new Completion();
  readonly finished = this.completion.promise;
  private readonly datagram: Buffer;
  private readonly pacer: Pacer;
  private datagrams = 0;
  private refused = 0;
  private startedAt = 0;
  private stoppedAt: number | undefined;

  constructor(
    private readonly send: SendDatagram,
    private readonly options: DatagramSenderOptions,
  ) {
    this.datagram = createDatagram(DatagramKind.data, options.token, options.stream, options.length);
    this.pacer = new Pacer(options.rate, 0, options.length);
  }

  start(): void {
    this.startedAt = performance.now();
    this.sendDue();
  }

  stop(): void {
    this.stoppedAt ??= performance.now();
    // What its socket refused is told by then.
    setImmediate(this.completion.complete);
  }

  handleSent(): void {}

  sample(): void {}

  snapshot(): LaneSnapshot {
    return { bytes: this.bytes, datagrams: this.accepted };
  }

  report(): StreamReport {
    const seconds = ((this.stoppedAt ?? performance.now()) - this.startedAt) / 1000;
    return { bytes: this.bytes, seconds, datagrams: this.accepted, refused: this.refused };
  }

  abort(): void {
    this.stop();
  }

  private get accepted(): number {
    return this.datagrams - this.refused;
  }

  private get bytes(): number {
    return this.accepted * this.options.length;
  }

  private sendDue(): void {
    if (this.stoppedAt !== undefined) return;
    const { length, bytes } = this.options;
    const now = performance.now();
    const due = Math.floor(this.pacer.due(now - this.startedAt) / length);
    const left = Math.min(Math.ceil(bytes / length), SEQUENCES) - this.datagrams;
    const burst = Math.min(due, left, PERF_BURST_MAXIMUM);
    for (let count = 0; count < burst; count++) this.sendOne(now);
    if (burst === left) this.stop();
    else if (due > burst) setImmediate(this.sendAgain);
    else setTimeout(this.sendAgain, Math.ceil(this.pacer.delayUntil(length, now - this.startedAt)));
  }

  private readonly sendAgain = (): void => this.sendDue();

  private sendOne(now: number): void {
    stampDatagram(this.datagram, this.datagrams++, now);
    this.pacer.handleSent(this.options.length);
    this.send(this.datagram, this.handleOutcome);
  }

  /** A full queue of our own host is part of what is measured; anything else ends the test. */
  private readonly handleOutcome = (error: Error | null): void => {
    if (error === null || error === undefined) return;
    if ((error as NodeJS.ErrnoException).code === 'ENOBUFS') this.refused++;
    else this.completion.fail(this.explain(error));
  };

  /** What the socket says names a peer without a name. */
  private explain(error: NodeJS.ErrnoException): Error {
    if (error.code === 'EHOSTUNREACH') return new PerfError(PerfErrorCode.ended, 'the other end has gone');
    if (error.code !== 'EMSGSIZE') return error;
    return new PerfError(error.code, `a datagram of ${this.options.length} bytes is larger than the path takes`);
  }
}

/** Sequence numbers are not used twice. */
const SEQUENCES = 2 ** 32;
