// The part of the exchange that both ends have in common: from the start of the test until each knows what both
// have counted.

import type { ControlChannel } from './control-channel';
import { within } from './deadline';
import { checkEndReport, type EndReport } from './end-report';
import { PerfError, PerfErrorCode } from './perf-error';
import { PERF_DRAIN_TIMEOUT, PERF_SILENCE_MAXIMUM } from './perf-limits';
import type { RunningTest } from './running-test';
import type { TestParameters } from './test-parameters';

/** Returns the other end's results; rejects when a stream fails, or the other end breaks off. */
export async function exchangeResults(
  channel: ControlChannel,
  running: RunningTest,
  { seconds, streams }: TestParameters,
): Promise<EndReport> {
  const own = running.finished.then(() => channel.send({ type: 'results', report: running.report() }));
  const other = receiveResults(channel, running, streams);
  const longest = seconds * 1000 + PERF_DRAIN_TIMEOUT + PERF_SILENCE_MAXIMUM;
  const [report] = await within(longest, 'the test', Promise.all([other, own]));
  return report;
}

async function receiveResults(channel: ControlChannel, running: RunningTest, streams: number): Promise<EndReport> {
  for (;;) {
    const message = await channel.receive();
    if (message.type === 'stop') running.interrupt();
    else if (message.type === 'results') {
      const report = checkEndReport(message.report, streams);
      running.handleSent(report);
      return report;
    } else if (message.type === 'error') throw new PerfError(message.code, message.message);
    else throw new PerfError(PerfErrorCode.protocol, `the other end sent ${message.type} during the test`);
  }
}
