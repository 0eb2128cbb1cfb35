// One end of a test while it runs: all its lanes, how long they send, and what the process spent meanwhile. Client
// and server run the same.

import type { EndReport } from './end-report';
import type { Lane, LaneSnapshot } from './lane';
import { PERF_SAMPLE_INTERVAL } from './perf-limits';

export class RunningTest {
  /** Resolves when the part of this end is done; rejects when a lane fails. */
  readonly finished: Promise<void>;
  /** Somebody ended it early. */
  isInterrupted = false;
  private begun = 0;
  private processorAtStart = process.cpuUsage();
  private timer: NodeJS.Timeout | undefined;
  private sampling: NodeJS.Timeout | undefined;
  private final: EndReport | undefined;

  constructor(
    private readonly lanes: readonly Lane[],
    private readonly seconds: number,
  ) {
    this.finished = Promise.all(lanes.map((lane) => lane.finished)).then(() => this.finish());
    this.finished.catch(() => {});
  }

  start(): void {
    this.begun = performance.now();
    this.processorAtStart = process.cpuUsage();
    this.timer = setTimeout(() => this.stop(), this.seconds * 1000);
    this.sampling = setInterval(() => this.sample(), PERF_SAMPLE_INTERVAL);
    for (const lane of this.lanes) lane.start();
  }

  /** Nothing more is sent; what is on its way may arrive. */
  stop(): void {
    clearTimeout(this.timer);
    for (const lane of this.lanes) lane.stop();
  }

  interrupt(): void {
    this.isInterrupted = true;
    this.stop();
  }

  /** The other end's results. */
  handleSent({ streams }: EndReport): void {
    for (const [index, lane] of this.lanes.entries()) lane.handleSent(streams[index]!);
  }

  /** Seconds since it began. */
  get elapsed(): number {
    return (performance.now() - this.begun) / 1000;
  }

  snapshot(): LaneSnapshot[] {
    return this.lanes.map((lane) => lane.snapshot());
  }

  report(): EndReport {
    return this.final ?? this.currentReport();
  }

  abort(): void {
    this.finish();
    for (const lane of this.lanes) lane.abort();
  }

  private sample(): void {
    for (const lane of this.lanes) lane.sample();
  }

  /** What the process does afterwards is no part of the test. */
  private finish(): void {
    clearTimeout(this.timer);
    clearInterval(this.sampling);
    this.final ??= this.currentReport();
  }

  private currentReport(): EndReport {
    const { user, system } = process.cpuUsage(this.processorAtStart);
    const processor = { user: user / 1e6, system: system / 1e6, elapsed: this.elapsed };
    return { streams: this.lanes.map((lane) => lane.report()), processor };
  }
}
