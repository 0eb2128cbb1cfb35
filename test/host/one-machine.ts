// Processes that share a machine of their own: an environment that no other test has, and hosts in it.

import { afterEach } from 'vitest';
import { type Actor, Company } from '../lab/actor';

/** All processes are ended behind each test. */
export function machines(firstPort: number): {
  readonly machine: () => Record<string, string>;
  readonly begin: (environment: Record<string, string>) => Promise<Actor>;
  readonly start: (environment: Record<string, string>, service?: string) => Promise<Actor>;
} {
  const company = new Company();
  let lastPort = firstPort + (process.pid % 20_000);
  afterEach(() => company.end());

  /** A process that has no host yet. */
  const begin = (environment: Record<string, string>): Promise<Actor> => company.start({ environment });

  return {
    begin,
    /** The environment of a machine of its own: a port nobody else has, and nothing outside of it. */
    machine: () => ({ SERVAL_PORT: String(++lastPort), SERVAL_BROADCAST: '0' }),
    /** A process with a host; the first one of an environment is the holder. */
    start: async (environment, service) => {
      const actor = await begin(environment);
      await actor.ask('createHost', { settings: {} });
      if (service !== undefined) await actor.ask('listen', { service, behavior: 'identify' });
      return actor;
    },
  };
}
