// A lane that counts datagrams. It is done when all that the sender has told of have come, or when those that are
// missing have had their time.

import { sentAtOf, sequenceOf } from './datagram-format';
import type { StreamReport } from './end-report';
import { Jitter } from './jitter';
import { Completion, type Lane, type LaneSnapshot } from './lane';
import { PERF_DATAGRAM_GRACE } from './perf-limits';
import { SequenceTracker } from './sequence-tracker';

export class DatagramReceiver implements Lane {
  private readonly completion = new Completion();
  readonly finished = this.completion.promise;
  private readonly sequence = new SequenceTracker();
  private readonly jitter = new Jitter();
  private bytes = 0;
  private startedAt = 0;
  private lastAt = 0;
  private sent = Number.POSITIVE_INFINITY;
  private grace: NodeJS.Timeout | undefined;

  start(): void {
    this.startedAt = performance.now();
    this.lastAt = this.startedAt;
  }

  /** Bytes that are known to be a data datagram of this lane. */
  handleDatagram(bytes: Buffer): void {
    const sentAt = sentAtOf(bytes);
    if (!this.sequence.handle(sequenceOf(bytes)) || !Number.isFinite(sentAt)) return;
    this.lastAt = performance.now();
    this.bytes += bytes.length;
    this.jitter.handle(sentAt, this.lastAt);
    if (this.sequence.received >= this.sent) this.completion.complete();
  }

  stop(): void {}

  handleSent({ datagrams = 0 }: StreamReport): void {
    this.sent = datagrams;
    if (this.sequence.received >= this.sent) this.completion.complete();
    else this.grace = setTimeout(this.completion.complete, PERF_DATAGRAM_GRACE);
  }

  sample(): void {}

  snapshot(): LaneSnapshot {
    const { received, missing, outOfOrder } = this.sequence;
    return { bytes: this.bytes, datagrams: received, missing, outOfOrder, jitter: this.jitter.value };
  }

  report(): StreamReport {
    const { received, outOfOrder, duplicates } = this.sequence;
    const seconds = (this.lastAt - this.startedAt) / 1000;
    return { bytes: this.bytes, seconds, datagrams: received, outOfOrder, duplicates, jitter: this.jitter.value };
  }

  abort(): void {
    clearTimeout(this.grace);
    this.completion.complete();
  }
}
