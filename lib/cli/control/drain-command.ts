// `serval drain NAME`: the instances of a service in this user's processes take nothing new, finish what is open, and
// close. For rolling restarts by a script.

import { Command } from 'commander';
import type { ControlRequestError, Entry } from '../../control/control-client';
import { servicePrefix } from '../../index';
import { serviceText, text } from './cells';
import { CommandError, reporting } from './command-error';
import { secondsWithin } from './option-values';
import { findProcesses, type SelectionOptions, type ServalProcess, withSelection } from './process-selection';
import { type Column, printRows } from './rows';

interface DrainOptions extends SelectionOptions {
  readonly timeout?: number;
}

export function drainCommand(): Command {
  return withSelection(new Command('drain'))
    .argument('<service>', 'a name, or a prefix (acme/*): all services under it')
    .option(
      '--timeout <seconds>',
      'cut off what is still open then (default: wait for its end)',
      secondsWithin(0, 2_000_000),
    )
    .description('take instances out of service in good order; returns when the last connection has ended')
    .action((service: string, options: DrainOptions) =>
      reporting('drain', options.json, () => drain(service, options)),
    );
}

async function drain(service: string, options: DrainOptions): Promise<void> {
  servicePrefix(service);
  const processes = await findProcesses(options);
  const timeout = options.timeout === undefined ? undefined : Math.round(options.timeout * 1000);
  const drained = (await Promise.all(processes.map((each) => drainIn(each, { prefix: service, timeout })))).flat();
  if (drained.length === 0) {
    throw new CommandError('CONTROL_NO_SERVICE', `no process of this user listens to ${service}`);
  }
  await printRows(drained, COLUMNS, options.json);
}

async function drainIn({ pid, client }: ServalProcess, body: object): Promise<readonly Entry[]> {
  try {
    const { drained } = await client.ask('POST', '/drain', body, true);
    return (drained as Entry[]).map((entry) => ({ pid, ...entry }));
  } catch (error) {
    if ((error as ControlRequestError).code === 'CONTROL_NO_SERVICE') return [];
    throw error;
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'PID', text: ({ pid }) => text(pid), isFigure: true },
  { title: 'SERVICE', text: serviceText },
  { title: 'FINISHED', text: ({ finished }) => text(finished), isFigure: true },
  { title: 'CUT', text: ({ cut }) => text(cut), isFigure: true },
];
