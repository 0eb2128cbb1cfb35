// One stream of a test at one end, sending or receiving. What carries it is the affair of the four that implement
// this; a running test knows only lanes.

import type { StreamReport } from './end-report';

/** What has been counted until now, for the lines of an interval. */
export interface LaneSnapshot {
  readonly bytes: number;
  readonly retransmittedBytes?: number;
  /** Milliseconds, now. */
  readonly roundTrip?: number;
  /** Bytes, now. */
  readonly congestionWindow?: number;
  readonly datagrams?: number;
  /** Gaps in the sequence so far; a late datagram closes its gap again. */
  readonly missing?: number;
  readonly outOfOrder?: number;
  /** Milliseconds. */
  readonly jitter?: number;
}

export interface Lane {
  /** Resolves when this end's part is done; rejects when it cannot be. */
  readonly finished: Promise<void>;
  start(): void;
  /** A sender sends no more; what was sent may still arrive. Without meaning for a receiver. */
  stop(): void;
  /** The sending end has told what it sent: what is missing may still come for a moment. */
  handleSent(sent: StreamReport): void;
  /** Looks at what changes while it runs: round trip, window. */
  sample(): void;
  snapshot(): LaneSnapshot;
  report(): StreamReport;
  /** Lets go of everything, at once. */
  abort(): void;
}

/** The promise of a lane: settled once, from outside. */
export class Completion {
  readonly promise: Promise<void>;
  complete: () => void = () => {};
  fail: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.complete = resolve;
      this.fail = reject;
    });
    // Whoever runs the test awaits it; a lane that fails before is no unhandled rejection.
    this.promise.catch(() => {});
  }
}
