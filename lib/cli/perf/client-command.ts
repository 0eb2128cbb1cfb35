// `serval perf client NAME`: runs one test and tells its outcome, as text or as one JSON object. Interrupted, it
// tells what there is so far.

import picocolors from 'picocolors';
import { createHost, type Host, serviceID } from '../../index';
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../interruption';
import { type CheckedOptions, type ClientOptions, checkOptions } from './client-options';
import { ClientTest, type Outcome, type Peer } from './client-test';
import type { IntervalReport } from './intervals';
import { describeError } from './perf-error';
import { createReport, type PerfReport } from './perf-report';
import { ProgressLine } from './progress-line';
import { describeTest, summaryLines } from './text-report';

export async function runClient(service: string, options: ClientOptions): Promise<void> {
  const startedAt = new Date();
  const report = await measure(service, options, startedAt);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else printReport(report);
  process.exitCode = exitCodeOf(report);
}

async function measure(service: string, options: ClientOptions, startedAt: Date): Promise<PerfReport> {
  const facts = { service, startedAt, links: [], test: null };
  let host: Host | undefined;
  try {
    const checked = checkOptions(options);
    serviceID(service);
    host = createHost();
    await host.ready;
    const outcome = await runTest(host, service, checked, options.json ? undefined : new ProgressLine(process.stdout));
    const test = { ...checked.parameters, interval: checked.interval };
    return createReport({ ...facts, test, links: [...new Set(host.linkKinds)] }, outcome);
  } catch (error) {
    return createReport(facts, { intervals: [], interrupted: false, error: describeError(error) });
  } finally {
    await host?.close();
  }
}

async function runTest(
  host: Host,
  service: string,
  { parameters, interval }: CheckedOptions,
  progress: ProgressLine | undefined,
): Promise<Outcome> {
  const test = new ClientTest(host, service, parameters, interval, {
    running: ({ address, port }: Peer): void => {
      if (progress === undefined) return;
      const links = [...new Set(host.linkKinds)].join(', ');
      process.stdout.write(`${picocolors.bold(service)} at ${address} port ${port}, link ${links}\n`);
      process.stdout.write(`${describeTest(parameters)}\n`);
    },
    interval: (report: IntervalReport): void => progress?.show(report),
  });
  const release = onInterrupt(() => test.interrupt());
  try {
    return await test.run();
  } finally {
    release();
    progress?.end();
  }
}

function printReport(report: PerfReport): void {
  for (const line of summaryLines(report)) process.stdout.write(`${line}\n`);
  if (report.interrupted) process.stdout.write('interrupted: the figures are those until then\n');
  if (report.error === null) return;
  process.stderr.write(`${picocolors.red('serval perf:')} ${report.error.message} (${report.error.code})\n`);
}

function exitCodeOf({ error, interrupted }: PerfReport): number {
  if (interrupted) return INTERRUPTED_EXIT_CODE;
  return error === null ? 0 : 1;
}
