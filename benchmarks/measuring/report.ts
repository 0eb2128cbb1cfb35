// The end of each benchmark: its rows as tables for people, or everything as JSON for the complete run.

import { describeMachine, machineLine } from './machine';
import { isPinned } from './pinning';
import type { Report } from './rows';
import { tableOf } from './table';

/** What was set up goes away on 'exit'. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

/** Runs a benchmark to its report. A failure is one line, and the exit code 1. */
export function runBenchmark(measure: () => Promise<Report>, options: { readonly json: boolean }): void {
  endOnSignals();
  const machine = describeMachine();
  if (!options.json) console.log(`${machineLine(machine)}${isPinned ? '' : ', not pinned'}`);
  const begun = performance.now();
  measure().then(
    (report) => {
      const seconds = Math.round((performance.now() - begun) / 1000);
      if (options.json) console.log(JSON.stringify({ machine, isPinned, seconds, ...report }, undefined, 2));
      else console.log(`\n${tableOf(report.rows, report.skipped)}`);
    },
    (error: Error) => {
      console.error(`${process.stderr.isTTY ? '\r\u001b[K' : ''}${error.message}`);
      process.exitCode = 1;
    },
  );
}
