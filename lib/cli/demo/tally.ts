// Who answered how often, as the client reports it.

import type { ClientReport } from './client';

export class Tally {
  private readonly answers = new Map<string, number>();
  private readonly lastAnswer = new Map<string, number>();
  private readonly latencies: number[] = [];
  retried = 0;
  failed = 0;

  add(report: ClientReport): void {
    if (report.attempts > 1) this.retried++;
    if (report.kind === 'failed') {
      this.failed++;
      return;
    }
    this.answers.set(report.by, this.of(report.by) + 1);
    this.lastAnswer.set(report.by, Date.now());
    this.latencies.push(report.milliseconds);
  }

  of(replica: string): number {
    return this.answers.get(replica) ?? 0;
  }

  get total(): number {
    return this.latencies.length + this.failed;
  }

  /** Milliseconds from `since` to the replica's last answer behind it. */
  lastOf(replica: string, since: number): number | undefined {
    const last = this.lastAnswer.get(replica);
    return last === undefined ? undefined : Math.max(last - since, 0);
  }

  /** Median of the answered requests, milliseconds. */
  get median(): number {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }

  bars(): string {
    const bar = (replica: string): string => {
      const share = this.total === 0 ? 0 : this.of(replica) / this.total;
      return `${replica} ${'#'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH)} ${String(this.of(replica)).padStart(5)}`;
    };
    return `${bar('A')}   ${bar('B')}   failed ${this.failed}   median ${this.median.toFixed(1)} ms`;
  }

  toJSON(): Record<string, unknown> {
    return {
      answers: Object.fromEntries(this.answers),
      retried: this.retried,
      failed: this.failed,
      medianMilliseconds: this.median,
    };
  }
}

const BAR_WIDTH = 20;
