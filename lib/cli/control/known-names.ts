// Names for the serviceIDs that one process shows and another one was given as text: each process of a host knows the
// names of its own.

import type { Entry } from '../../control/control-client';
import { servicePrefix } from '../../index';
import type { ServalProcess } from './process-selection';

export class KnownNames {
  private readonly names = new Map<string, string>();

  /** What the members of the host listen to, by the names they use; and what is asked for here. */
  static async of(processes: readonly ServalProcess[], asked: string | undefined): Promise<KnownNames> {
    const known = new KnownNames();
    if (asked !== undefined) known.names.set(servicePrefix(asked).toString(), asked);
    // The holder's own list is long, and names what it knows anyway.
    const members = processes.filter(
      ({ host }) => host['role'] !== 'holder' && Number(host['rules']) <= RULES_LOOKED_AT,
    );
    await Promise.all(members.map((member) => known.ask(member)));
    return known;
  }

  named(entry: Entry): Entry {
    if (entry['name'] !== null) return entry;
    const prefix = entry['prefix'] ?? `${entry['serviceID']}/256`;
    const name = this.names.get(String(prefix));
    return name === undefined ? entry : { ...entry, name };
  }

  private async ask({ client }: ServalProcess): Promise<void> {
    try {
      for await (const { prefix, name } of client.lines('/services')) {
        if (typeof name === 'string') this.names.set(String(prefix), name);
      }
    } catch {
      // It has gone: so have its names.
    }
  }
}

const RULES_LOOKED_AT = 10_000;
