// A list of what the whole host knows, with the names that its processes use.

import type { Entry } from '../../control/control-client';
import { servicePrefix } from '../../index';
import { KnownNames } from './known-names';
import { findHolder, lookAround, type SelectionOptions, type ServalProcess } from './process-selection';
import { type Column, printRows } from './rows';

/** Who was asked, and all the processes there are. */
export interface HostView {
  readonly asked: ServalProcess;
  readonly processes: readonly ServalProcess[];
}

export async function listOfHost(
  resource: string,
  service: string | undefined,
  options: SelectionOptions,
  columns: readonly Column[],
  complete: (entry: Entry, view: HostView) => Entry = (entry) => entry,
): Promise<void> {
  // A name that is none is told before anybody is asked.
  if (service !== undefined) servicePrefix(service);
  const asked = await findHolder(options);
  const { process: _, ...everybody } = options;
  const { processes } = await lookAround(everybody);
  const names = await KnownNames.of(processes, service);
  const query = service === undefined ? '' : `?prefix=${encodeURIComponent(service)}`;
  const entries = asked.client.lines(`${resource}${query}`);
  const view = { asked, processes };
  await printRows(
    map(entries, (entry) => complete(names.named(entry), view)),
    columns,
    options.json,
  );
}

export async function* map(entries: AsyncIterable<Entry>, change: (entry: Entry) => Entry): AsyncGenerator<Entry> {
  for await (const entry of entries) yield change(entry);
}
