// `serval ping NAME`: the round trip of a first packet, which instance answers, and through which routers it went. The
// application of the instance sees nothing of it.

import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import picocolors from 'picocolors';
import { type Host, type PingAnswer, serviceID } from '../../index';
import { millisecondsText } from './cells';
import { reporting } from './command-error';
import { secondsWithin, wholeNumber } from './option-values';
import { type ProbeOptions, pingOptions, withHost, withProbeOptions } from './ping-options';
import { say } from './rows';

interface PingCommandOptions extends ProbeOptions {
  readonly count?: number;
  readonly interval: number;
}

export function pingCommand(): Command {
  return withProbeOptions(new Command('ping'))
    .option('-c, --count <n>', 'how often to ask (default: until interrupted)', wholeNumber(1, 1e9))
    .option('-i, --interval <seconds>', 'between two questions', secondsWithin(0.01, 3600), 1)
    .description('how long a first packet takes to an instance of a service and back, and which way it goes')
    .action((service: string, options: PingCommandOptions) =>
      reporting('ping', options.json, () => ping(service, options)),
    );
}

async function ping(service: string, options: PingCommandOptions): Promise<void> {
  serviceID(service);
  const tally = new Tally();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  await withHost(async (host) => {
    const count = options.count ?? Number.POSITIVE_INFINITY;
    for (let sequence = 1; sequence <= count && !interrupted.signal.aborted; sequence++) {
      await say(await askOnce(host, service, sequence, options, tally));
      if (sequence < count)
        await pause(options.interval * 1000, undefined, { signal: interrupted.signal }).catch(() => {});
    }
  });
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  await say(tally.summary(service, options.json));
  if (tally.answered === 0) process.exitCode = 1;
}

/** The line about it. */
async function askOnce(host: Host, service: string, sequence: number, options: PingCommandOptions, tally: Tally) {
  try {
    const answer = await host.ping(serviceID(service), pingOptions(options));
    tally.add(answer);
    if (!options.json) return answerLine(service, sequence, answer);
    const { roundTripTime, address, routers, attempts } = answer;
    return `${JSON.stringify({ sequence, service, roundTripTime, address, routers, attempts })}\n`;
  } catch (error) {
    const { code = 'ERR_UNKNOWN', message } = error as NodeJS.ErrnoException;
    tally.sent++;
    if (options.json) return `${JSON.stringify({ sequence, service, error: { code, message } })}\n`;
    return `${service}: seq=${sequence} ${picocolors.red(code)}\n`;
  }
}

function answerLine(
  service: string,
  sequence: number,
  { roundTripTime, address, routers, attempts }: PingAnswer,
): string {
  const way = routers.length === 0 ? '' : ` through ${routers.join(', ')}`;
  const again = attempts === 1 ? '' : ` after ${attempts} attempts`;
  return `${service}: seq=${sequence} ${picocolors.bold(String(address))} ${millisecondsText(roundTripTime)}${way}${again}\n`;
}

class Tally {
  sent = 0;
  private readonly times: number[] = [];
  private readonly instances = new Map<string, number>();

  get answered(): number {
    return this.times.length;
  }

  add({ roundTripTime, address }: PingAnswer): void {
    this.sent++;
    this.times.push(roundTripTime);
    this.instances.set(String(address), (this.instances.get(String(address)) ?? 0) + 1);
  }

  summary(service: string, isJson: boolean | undefined): string {
    const { sent, answered, times } = this;
    const minimum = Math.min(...times);
    const maximum = Math.max(...times);
    const mean = times.reduce((sum, time) => sum + time, 0) / answered;
    if (isJson) {
      const roundTripTime = answered === 0 ? null : { minimum, mean, maximum };
      const instances = Object.fromEntries(this.instances);
      return `${JSON.stringify({ summary: { service, sent, answered, roundTripTime, instances } })}\n`;
    }
    const lines = [`${sent} asked, ${answered} answered`];
    if (answered > 0) {
      lines.push(`round trip ${[minimum, mean, maximum].map(millisecondsText).join(' / ')} (least, mean, most)`);
      lines.push(...[...this.instances].map(([address, count]) => `instance ${address} answered ${count}`));
    }
    return `\n${lines.join('\n')}\n`;
  }
}
