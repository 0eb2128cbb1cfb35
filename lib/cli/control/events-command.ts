// `serval events`: what happens in the processes of this user, as it happens; those that start later are heard, too.

import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import picocolors from 'picocolors';
import type { Entry } from '../../control/control-client';
import { interruption } from '../interruption';
import { serviceText } from './cells';
import { reporting } from './command-error';
import {
  findProcesses,
  lookAround,
  type SelectionOptions,
  type ServalProcess,
  withSelection,
} from './process-selection';
import { harmless, say } from './rows';

export function eventsCommand(): Command {
  return withSelection(new Command('events'))
    .description('registrations, rules, packets that wait, interfaces: as they happen, until interrupted')
    .action((options: SelectionOptions) => reporting('events', options.json, () => follow(options)));
}

async function follow(options: SelectionOptions): Promise<void> {
  const heard = new Set<string>();
  const interrupted = interruption();
  const hear = (process: ServalProcess): void => {
    const { path } = process.client;
    if (heard.has(path)) return;
    heard.add(path);
    void listen(process, options.json, interrupted).finally(() => heard.delete(path));
  };
  for (const process of await findProcesses(options)) hear(process);
  const isOne = options.process !== undefined || options.socket !== undefined;
  while (!interrupted.aborted && (!isOne || heard.size > 0)) {
    await pause(LOOK_INTERVAL, undefined, { signal: interrupted }).catch(() => {});
    if (!isOne && !interrupted.aborted) for (const process of (await lookAround(options)).processes) hear(process);
  }
}

async function listen(
  { pid, client }: ServalProcess,
  isJson: boolean | undefined,
  interrupted: AbortSignal,
): Promise<void> {
  try {
    for await (const event of client.lines('/events', undefined, interrupted)) {
      await say(isJson ? `${JSON.stringify(event)}\n` : line(event));
    }
  } catch {
    if (interrupted.aborted) return;
    // Without a word: a host that is closed says so.
    const event = { time: new Date().toISOString(), pid, event: 'gone' };
    await say(isJson ? `${JSON.stringify(event)}\n` : line(event));
  }
}

/** `TIME PID EVENT DETAILS` */
function line({ time, pid, event, ...rest }: Entry): string {
  const clock = String(time).slice(11, 23);
  return `${picocolors.dim(clock)} ${String(pid).padStart(7)} ${picocolors.bold(String(event))} ${harmless(details(rest))}`
    .trimEnd()
    .concat('\n');
}

function details(fields: Entry): string {
  const { rule, interface: networkInterface, prefix, serviceID, name, ...rest } = fields;
  const parts: string[] = [];
  if (prefix !== undefined || serviceID !== undefined) parts.push(serviceText(fields));
  if (rule !== undefined) parts.push(details(rule as Entry));
  if (networkInterface !== undefined) {
    const { name: device, address, prefixBits } = networkInterface as Entry;
    parts.push(`${device} ${address}/${prefixBits}`);
  }
  for (const [key, value] of Object.entries(rest)) {
    // What is as it mostly is, is left out: programs have all of it.
    if (value === false || value === null || key === 'statistics') continue;
    parts.push(`${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  }
  return parts.join(' ');
}

const LOOK_INTERVAL = 1000;
