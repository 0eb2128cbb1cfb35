// `serval services` and `serval instances`: what this host can lead to, and where it is.

import { Command } from 'commander';
import type { Entry } from '../../control/control-client';
import { countText, serviceText, text } from './cells';
import { reporting } from './command-error';
import { type HostView, listOfHost } from './host-list';
import { type SelectionOptions, withSelection } from './process-selection';
import type { Column } from './rows';
import { idleText } from './table-command';

export function servicesCommand(): Command {
  return withSelection(new Command('services'))
    .argument('[service]', 'only these: a name, a prefix (acme/*) or HEX/bits')
    .description('the services this host knows, and how many instances each has')
    .action((service: string | undefined, options: SelectionOptions) =>
      reporting('services', options.json, () => listOfHost('/services', service, options, SERVICE_COLUMNS)),
    );
}

export function instancesCommand(): Command {
  return withSelection(new Command('instances'))
    .argument('[service]', 'only those of these services: a name, a prefix (acme/*) or HEX/bits')
    .description('the instances of services, where they are, and what each was asked for')
    .action((service: string | undefined, options: SelectionOptions) =>
      reporting('instances', options.json, () =>
        listOfHost('/instances', service, options, INSTANCE_COLUMNS, withProcess),
      ),
    );
}

/** With the process, where it is one of this host. */
function withProcess(entry: Entry, { asked, processes }: HostView): Entry {
  const { where, address } = entry;
  if (where === 'local') return { ...entry, pid: asked.pid };
  const port = /:(\d+)$/.exec(String(address))?.[1];
  const process = processes.find(({ host }) => where === 'host' && String(host['port']) === port);
  return { ...entry, pid: process?.pid ?? null };
}

const SERVICE_COLUMNS: readonly Column[] = [
  { title: 'SERVICE', text: serviceText },
  {
    title: 'INSTANCES',
    text: ({ instances, ejected }) => (ejected === 0 ? text(instances) : `${instances} (+${ejected} ejected)`),
    isFigure: true,
  },
  { title: 'WEIGHT', text: ({ weight }) => text(weight), isFigure: true },
  { title: 'PACKETS', text: ({ packetsResolved }) => countText(packetsResolved), isFigure: true },
];

const INSTANCE_COLUMNS: readonly Column[] = [
  { title: 'SERVICE', text: serviceText },
  { title: 'WHERE', text: ({ where, ejected }) => `${where}${ejected === true ? ', ejected' : ''}` },
  { title: 'ADDRESS', text: ({ address }) => text(address) },
  { title: 'PID', text: ({ pid }) => text(pid), isFigure: true },
  { title: 'PRIORITY', text: ({ priority }) => text(priority), isFigure: true },
  { title: 'WEIGHT', text: ({ weight }) => text(weight), isFigure: true },
  {
    title: 'PACKETS',
    text: ({ statistics }) => countText((statistics as Entry)['packetsResolved']),
    isFigure: true,
  },
  { title: 'IDLE', text: idleText, isFigure: true },
];
