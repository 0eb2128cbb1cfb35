// `serval perf server NAME`: serves tests until it is interrupted, and tells of each.

import picocolors from 'picocolors';
import { createHost, type Socket } from '../../index';
import { onInterrupt } from '../interruption';
import type { EndReport } from './end-report';
import type { ErrorDescription } from './perf-error';
import { PERF_INTERRUPT_GRACE, PERF_TESTS_MAXIMUM } from './perf-limits';
import { sumOf } from './perf-report';
import { PerfServer } from './perf-server';
import type { TestParameters } from './test-parameters';
import { describeTest } from './text-report';
import { formatBytes, formatPercent, formatRate } from './units';

export async function runServer(service: string): Promise<void> {
  const host = createHost();
  try {
    await host.ready;
    const server = new PerfServer(host, service, { started, ended, failed });
    await server.listen();
    const links = [...new Set(host.linkKinds)].join(', ');
    say(`serving perf tests as ${picocolors.bold(service)}, link ${links}, up to ${PERF_TESTS_MAXIMUM} at a time`);
    await new Promise<void>((resolve) => onInterrupt(resolve));
    await server.close(PERF_INTERRUPT_GRACE);
  } finally {
    await host.close();
  }
}

function started(number: number, parameters: TestParameters, { remoteAddress, remotePort }: Socket): void {
  say(`[${number}] ${remoteAddress} port ${remotePort}: ${describeTest(parameters)}`);
}

function ended(number: number, { reverse, transport }: TestParameters, own: EndReport, other: EndReport): void {
  const [sent, received] = [sumOf((reverse ? own : other).streams)!, sumOf((reverse ? other : own).streams)!];
  const rate = received.seconds === 0 ? 0 : (received.bytes * 8) / received.seconds;
  const parts = [`${formatBytes(received.bytes)} received in ${received.seconds.toFixed(2)} s, ${formatRate(rate)}`];
  if (transport === 'datagram' && sent.datagrams) {
    const lost = Math.max(sent.datagrams - (received.datagrams ?? 0), 0);
    parts.push(`lost ${lost} of ${sent.datagrams} (${formatPercent(lost / sent.datagrams)})`);
  }
  const { user, system, elapsed } = own.processor;
  parts.push(`processor ${Math.round(((user + system) / elapsed) * 100)} %`);
  say(`[${number}] ${parts.join(', ')}`);
}

function failed(number: number | undefined, { code, message }: ErrorDescription): void {
  say(`[${number ?? '-'}] ${picocolors.yellow('failed')}: ${message} (${code})`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
