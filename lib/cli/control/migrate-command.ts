// `serval migrate flow|interface|service`: sends flows of this user's processes another way, and says of each what has
// become of it.

import { Command } from 'commander';
import type { ControlRequestError, Entry } from '../../control/control-client';
import { servicePrefix } from '../../index';
import { serviceText, text } from './cells';
import { CommandError, reporting } from './command-error';
import { map } from './host-list';
import { KnownNames } from './known-names';
import { secondsWithin, wholeNumber } from './option-values';
import { findProcesses, type SelectionOptions, type ServalProcess, withSelection } from './process-selection';
import { type Column, printRows } from './rows';

interface MigrateOptions extends SelectionOptions {
  readonly to: string;
  readonly timeout?: number;
}

/** Which flows, as the control interface wants to hear it. */
type Selection = { readonly flow: number } | { readonly interface: string } | { readonly prefix: string };

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('have connections go on over another interface or address')
    .addCommand(
      selecting('flow', 'one flow, by its number (serval flows)')
        .argument('<number>', 'FLOW of `serval flows`', wholeNumber(1, 2 ** 32 - 1))
        .action((flow: number, options: MigrateOptions) => run({ flow }, options)),
    )
    .addCommand(
      selecting('interface', 'all flows of an interface')
        .argument('<name>', 'of the interface')
        .action((name: string, options: MigrateOptions) => run({ interface: name }, options)),
    )
    .addCommand(
      selecting('service', 'all flows to and of a service')
        .argument('<service>', 'a name, a prefix (acme/*) or HEX/bits')
        .action((prefix: string, options: MigrateOptions) => run({ prefix }, options)),
    );
}

function selecting(name: string, description: string): Command {
  return withSelection(new Command(name))
    .description(description)
    .requiredOption('--to <interface|address>', 'where to: an interface, or one address of this host')
    .option('--timeout <seconds>', 'how long to wait for each flow (default: 5)', secondsWithin(0.001, 2_000_000));
}

function run(selection: Selection, options: MigrateOptions): Promise<void> {
  return reporting('migrate', options.json, () => migrate(selection, options));
}

async function migrate(selection: Selection, options: MigrateOptions): Promise<void> {
  const service = 'prefix' in selection ? selection.prefix : undefined;
  if (service !== undefined) servicePrefix(service);
  const processes = await findProcesses(options);
  const names = await KnownNames.of(processes, service);
  const timeout = options.timeout === undefined ? undefined : Math.ceil(options.timeout * 1000);
  const moves = movesOf(processes, { ...selection, to: options.to, timeout });
  const first = await moves.next();
  if (first.done) {
    throw new CommandError('CONTROL_NO_FLOW', `no flow of a process of this user ${textOf(selection)}`);
  }
  let hasStayed = false;
  const counted = map(behind(first.value, moves), (move) => {
    if (move['outcome'] !== 'moved' && move['outcome'] !== 'there') hasStayed = true;
    return names.named(move);
  });
  await printRows(counted, COLUMNS, options.json);
  if (hasStayed) process.exitCode = 1;
}

async function* behind(first: Entry, rest: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  yield first;
  yield* rest;
}

/** Of one process after the other: the order of the lines tells who is next, whoever is slow. */
async function* movesOf(processes: readonly ServalProcess[], body: object): AsyncGenerator<Entry> {
  for (const { pid, client } of processes) {
    try {
      for await (const move of client.lines('/migrate', body)) yield { pid, ...move };
    } catch (error) {
      if ((error as ControlRequestError).code !== 'CONTROL_NO_FLOW') throw error;
    }
  }
}

function textOf(selection: Selection): string {
  if ('flow' in selection) return `has the number ${selection.flow}`;
  if ('interface' in selection) return `is connected over ${selection.interface}`;
  return `is connected to or of ${selection.prefix}`;
}

const COLUMNS: readonly Column[] = [
  { title: 'PID', text: ({ pid }) => text(pid), isFigure: true },
  { title: 'FLOW', text: ({ localFlowID }) => text(localFlowID), isFigure: true },
  { title: 'SERVICE', text: serviceText },
  { title: 'OUTCOME', text: ({ outcome, code }) => (code === null ? text(outcome) : `${outcome} (${code})`) },
  { title: 'INTERFACE', text: ({ interface: name }) => text(name) },
  { title: 'LOCAL', text: ({ localAddress }) => text(localAddress) },
  { title: 'REMOTE', text: ({ remoteAddress }) => text(remoteAddress) },
];
