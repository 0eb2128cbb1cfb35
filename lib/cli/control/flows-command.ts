// `serval flows`: who talks to whom now, in all processes of this user; once, or again and again.

import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import type { Entry } from '../../control/control-client';
import { serviceID, servicePrefix } from '../../index';
import { interruption } from '../interruption';
import { countText, millisecondsText, serviceText, text } from './cells';
import { reporting } from './command-error';
import { map } from './host-list';
import { KnownNames } from './known-names';
import { secondsWithin } from './option-values';
import { findProcesses, type SelectionOptions, type ServalProcess, withSelection } from './process-selection';
import { type Column, printRows, say } from './rows';

interface FlowOptions extends SelectionOptions {
  /** Seconds between two looks; true: one. */
  readonly watch?: number | true;
}

export function flowsCommand(): Command {
  return withSelection(new Command('flows'))
    .argument('[service]', 'only flows to or of it: a name, a prefix (acme/*) or HEX/bits')
    .option('-w, --watch [seconds]', 'look again and again', secondsWithin(0.1, 3600))
    .description('the flows of all processes of this user')
    .action((service: string | undefined, options: FlowOptions) =>
      reporting('flows', options.json, () => (options.watch ? watch(service, options) : show(service, options))),
    );
}

async function show(service: string | undefined, options: FlowOptions): Promise<void> {
  await printRows(await flowsOf(service, options), COLUMNS, options.json);
}

/** On a terminal the list is written over the one before; elsewhere one follows the other. */
async function watch(service: string | undefined, options: FlowOptions): Promise<void> {
  const interval = (options.watch === true ? 1 : options.watch!) * 1000;
  const interrupted = interruption();
  let last: Totals | undefined;
  for (; !interrupted.aborted; await pause(interval, undefined, { signal: interrupted }).catch(() => {})) {
    const flows: Entry[] = [];
    for await (const flow of await flowsOf(service, options)) flows.push(flow);
    const totals = totalsOf(flows);
    if (options.json) {
      await say(`${JSON.stringify({ time: new Date().toISOString(), flows })}\n`);
      continue;
    }
    if (process.stdout.isTTY) await say(HOME_AND_CLEAR);
    await say(`${headline(totals, last)}\n`);
    await printRows(flows, COLUMNS, false);
    last = totals;
  }
}

async function flowsOf(service: string | undefined, options: FlowOptions): Promise<AsyncIterable<Entry>> {
  const wanted = service === undefined ? undefined : servicePrefix(service);
  const processes = await findProcesses(options);
  const names = await KnownNames.of(processes, service);
  const all = map(allFlows(processes), (flow) => names.named(flow));
  if (wanted === undefined) return all;
  return keep(all, (flow) => typeof flow['serviceID'] === 'string' && wanted.contains(serviceID(flow['serviceID'])));
}

async function* allFlows(processes: readonly ServalProcess[]): AsyncGenerator<Entry> {
  for (const { pid, client } of processes) {
    for await (const flow of client.lines('/flows')) yield { pid, ...flow };
  }
}

async function* keep(entries: AsyncIterable<Entry>, isWanted: (entry: Entry) => boolean): AsyncGenerator<Entry> {
  for await (const entry of entries) if (isWanted(entry)) yield entry;
}

interface Totals {
  readonly at: number;
  readonly count: number;
  readonly sent: number;
  readonly received: number;
}

function totalsOf(flows: readonly Entry[]): Totals {
  const sum = (field: string): number => flows.reduce((total, flow) => total + Number(flow[field] ?? 0), 0);
  return { at: performance.now(), count: flows.length, sent: sum('bytesSent'), received: sum('bytesReceived') };
}

/** Rates from one look to the next; what ended between them is missing, and so is no more than its share. */
function headline(now: Totals, before: Totals | undefined): string {
  const flows = `${now.count} flow${now.count === 1 ? '' : 's'}`;
  if (before === undefined) return flows;
  const rate = (field: 'sent' | 'received'): string =>
    `${countText((Math.max(0, now[field] - before[field]) * 1000) / (now.at - before.at))}B/s`;
  return `${flows}, ${rate('sent')} sent, ${rate('received')} received`;
}

const HOME_AND_CLEAR = '\x1b[H\x1b[J';

const COLUMNS: readonly Column[] = [
  { title: 'PID', text: ({ pid }) => text(pid), isFigure: true },
  { title: 'FLOW', text: ({ localFlowID }) => text(localFlowID), isFigure: true },
  { title: 'SERVICE', text: serviceText },
  { title: 'AS', text: ({ role }) => text(role) },
  { title: 'STATE', text: ({ state }) => text(state) },
  { title: 'LOCAL', text: ({ localAddress }) => text(localAddress) },
  { title: 'REMOTE', text: ({ remoteAddress }) => text(remoteAddress) },
  { title: 'RTT', text: ({ roundTripTime }) => millisecondsText(roundTripTime), isFigure: true },
  { title: 'SENT', text: ({ bytesSent }) => countText(bytesSent), isFigure: true },
  { title: 'RECEIVED', text: ({ bytesReceived }) => countText(bytesReceived), isFigure: true },
  { title: 'AGAIN', text: ({ retransmittedBytes }) => countText(retransmittedBytes), isFigure: true },
];
