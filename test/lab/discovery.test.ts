// Ways to find a service without asking by broadcast (§4.3), on real segments: mappings that are flooded, and the
// original's registrations on raw links.

import { expect, it } from 'vitest';
import { CONNECT_BROADCAST_PAUSE, CONNECT_BROADCASTS } from '../../lib/limits';
import { type Actor, type Attempt, now } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

const { company, newLab } = companyInLabs();

async function segment(): Promise<readonly [LabHost, LabHost, LabHost]> {
  const lab = newLab();
  const hosts = ['a', 'b', 'c'].map((name) => lab.host(name)) as [LabHost, LabHost, LabHost];
  lab.segment([hosts[0], ['10.9.0.1/24']], [hosts[1], ['10.9.0.2/24']], [hosts[2], ['10.9.0.3/24']]);
  await Promise.all(hosts.map((host) => host.isUp('eth0')));
  return hosts;
}

async function start(on: LabHost, settings: Record<string, unknown>): Promise<Actor> {
  const actor = await company.start({ on, environment: { SERVAL_BROADCAST: '0' } });
  await actor.ask('createHost', { settings });
  return actor;
}

const web = { service: 'acme/web', behavior: 'identify' };
const connect = (actor: Actor) => actor.ask<Attempt>('connect', { service: 'acme/web', connectTimeout: 1000 });

/** Asks until the outcome is so. */
async function outcome(actor: Actor, wanted: Partial<Attempt>): Promise<void> {
  const end = now() + 5000;
  for (;;) {
    const attempt = await connect(actor);
    if (now() < end && !Object.entries(wanted).every(([key, value]) => attempt[key as keyof Attempt] === value))
      continue;
    expect(attempt).toMatchObject(wanted);
    return;
  }
}

describeWithNamespaces('flooding', () => {
  it('tells the segment what listens on any process of a host, and what has ended', async () => {
    const [a, b, c] = await segment();
    const flooding = { flooding: true };
    const [client, , stranger] = await Promise.all([start(a, flooding), start(b, flooding), start(c, {})]);
    // Not the process that has the well-known port of its host: that one floods for it.
    const member = await start(b, {});
    await outcome(client, { code: 'EHOSTUNREACH' });
    await member.ask('listen', web);
    await outcome(client, { pid: member.pid, remoteAddress: '10.9.0.2' });
    await outcome(stranger, { code: 'EHOSTUNREACH' });
    member.kill();
    await outcome(client, { code: 'EHOSTUNREACH' });
  }, 30_000);
});

describeWithNamespaces('a search by broadcast', () => {
  it.each(['the one that has the port', 'another one'])(
    'is refused soon when the only instance is full, whichever process of its machine it is: %s',
    async (which) => {
      const [a, b] = await segment();
      const broadcasting = async (on: LabHost): Promise<Actor> => {
        const actor = await company.start({ on });
        await actor.ask('createHost', { settings: {} });
        return actor;
      };
      const [holder, member, client] = [await broadcasting(b), await broadcasting(b), await broadcasting(a)];
      const server = which === 'another one' ? member : holder;
      await server.ask('listen', web);
      await server.ask('tuneServer', { service: web.service, maxConnections: 1 });
      expect(await client.ask<Attempt>('connect', { service: web.service, name: 'held' })).toMatchObject({
        pid: server.pid,
      });
      const { code, startedAt, failedAt } = await client.ask<Attempt>('connect', { service: 'acme/web' });
      expect(code).toBe('ECONNREFUSED');
      expect(failedAt! - startedAt).toBeLessThan(CONNECT_BROADCASTS * CONNECT_BROADCAST_PAUSE + 1000);
    },
    30_000,
  );
});

describeWithNamespaces('registrations of the original, on raw links', () => {
  it('make a service known to a router, by whose rule clients find it', async () => {
    const [a, b, c] = await segment();
    const raw = { links: ['raw'] };
    await start(c, { ...raw, servd: 'router' });
    const server = await start(b, { ...raw, servd: 'host', router: '10.9.0.3' });
    const client = await start(a, { ...raw, router: '10.9.0.3' });
    await server.ask('listen', web);
    await outcome(client, { pid: server.pid, remoteAddress: '10.9.0.2' });
  }, 30_000);
});
