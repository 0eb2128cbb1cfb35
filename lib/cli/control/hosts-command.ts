// `serval hosts`: the processes of this user that use serval on this machine.

import { Command } from 'commander';
import type { Entry } from '../../control/control-client';
import { durationText, millisecondsText, text } from './cells';
import { CommandError, reporting } from './command-error';
import { findHolder, lookAround, type SelectionOptions, wellKnownPortOf, withSelection } from './process-selection';
import { type Column, printRows } from './rows';

export function hostsCommand(): Command {
  return withSelection(new Command('hosts'))
    .description('the processes of this user that use serval here; the holder is who resolves for the others')
    .option('--registered', 'the hosts that are registered with the service router of this machine')
    .action((options: HostsOptions) =>
      reporting('hosts', options.json, () => (options.registered ? showRegistered(options) : showHosts(options))),
    );
}

interface HostsOptions extends SelectionOptions {
  readonly registered?: boolean;
}

async function showRegistered(options: SelectionOptions): Promise<void> {
  const { client } = await findHolder(options);
  await printRows(client.lines('/registered'), REGISTERED_COLUMNS, options.json);
}

async function showHosts(options: SelectionOptions): Promise<void> {
  const { processes, silent } = await lookAround(options);
  if (processes.length === 0 && silent.length === 0) {
    const port = wellKnownPortOf(options);
    throw new CommandError('CONTROL_NO_PROCESS', `no process of this user uses serval on port ${port}`);
  }
  const entries: Entry[] = processes.map(({ client, host }) => ({ ...host, socket: client.path }));
  for (const { pid, code, message } of silent) entries.push({ pid, error: { code, message } });
  await printRows(entries, COLUMNS, options.json);
}

const COLUMNS: readonly Column[] = [
  { title: 'PID', text: ({ pid }) => text(pid), isFigure: true },
  { title: 'ROLE', text: ({ role, error }) => (error === undefined ? text(role) : 'does not answer') },
  { title: 'PORT', text: ({ port }) => text(port), isFigure: true },
  { title: 'LINKS', text: ({ links }) => (Array.isArray(links) ? [...new Set(links)].join(',') : '-') },
  { title: 'RULES', text: ({ rules }) => text(rules), isFigure: true },
  { title: 'FLOWS', text: ({ flows }) => text(flows), isFigure: true },
  { title: 'ROUTER', text: routerText },
  { title: 'UP', text: ({ uptime }) => durationText(uptime), isFigure: true },
  { title: 'PROGRAM', text: ({ program }) => text(program) },
];

const REGISTERED_COLUMNS: readonly Column[] = [
  { title: 'HOST', text: ({ name }) => text(name) },
  { title: 'ADDRESS', text: ({ address }) => text(address) },
  { title: 'INSTANCES', text: ({ instances }) => text(instances), isFigure: true },
  { title: 'REGISTERED', text: ({ registered }) => durationText(registered), isFigure: true },
  { title: 'SILENT', text: ({ silent }) => millisecondsText(silent), isFigure: true },
];

/** A member leaves it to the holder. */
function routerText({ router, role }: Entry): string {
  if (typeof router !== 'object' || router === null || role === 'member') return '-';
  const { asked, address, connected } = router as Entry;
  return `${address ?? asked}${connected === true ? '' : ' (not connected)'}`;
}
