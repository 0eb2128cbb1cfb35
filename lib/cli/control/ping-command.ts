// `serval ping NAME`: the round trip of a first packet, which instance answers, and through which routers it went. The
// application of the instance sees nothing of it.

import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import picocolors from 'picocolors';
import { type PingAnswer, serviceID } from '../../index';
import { interruption, unlessAborted } from '../interruption';
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
  // What is wrong with the arguments is told once, not with each question.
  const [target, pinging] = [serviceID(service), pingOptions(options)];
  const tally = new Tally();
  const interrupted = interruption();
  await withHost(async (host) => {
    const count = options.count ?? Number.POSITIVE_INFINITY;
    for (let sequence = 1; sequence <= count && !interrupted.aborted; sequence++) {
      const outcome = await unlessAborted(askOnce(host.ping(target, pinging)), interrupted);
      // Whether it would have been answered, nobody knows.
      if (outcome === undefined) return;
      tally.add(outcome);
      await say(outcomeLine(service, sequence, outcome, options.json));
      if (sequence < count) await pause(options.interval * 1000, undefined, { signal: interrupted }).catch(() => {});
    }
  });
  await say(tally.summary(service, options.json));
  if (tally.answered === 0) process.exitCode = 1;
}

type Outcome = PingAnswer | { readonly error: { readonly code: string; readonly message: string } };

async function askOnce(answer: Promise<PingAnswer>): Promise<Outcome> {
  try {
    return await answer;
  } catch (error) {
    const { code = 'ERR_UNKNOWN', message } = error as NodeJS.ErrnoException;
    return { error: { code, message } };
  }
}

function outcomeLine(service: string, sequence: number, outcome: Outcome, isJson: boolean | undefined): string {
  if (isJson) return `${JSON.stringify({ sequence, service, ...outcome })}\n`;
  if ('error' in outcome) return `${service}: seq=${sequence} ${picocolors.red(outcome.error.code)}\n`;
  return answerLine(service, sequence, outcome);
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
  answered = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = 0;
  private sum = 0;
  private readonly instances = new Map<string, number>();

  add(outcome: Outcome): void {
    this.sent++;
    if ('error' in outcome) return;
    const { roundTripTime, address } = outcome;
    this.answered++;
    this.least = Math.min(this.least, roundTripTime);
    this.most = Math.max(this.most, roundTripTime);
    this.sum += roundTripTime;
    this.instances.set(String(address), (this.instances.get(String(address)) ?? 0) + 1);
  }

  summary(service: string, isJson: boolean | undefined): string {
    const { sent, answered, least: minimum, most: maximum } = this;
    const mean = this.sum / answered;
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
