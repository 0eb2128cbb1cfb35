// Service routers between real hosts (§4.3): found by broadcast or named, killed and replaced while clients connect,
// and what they know of a host that is killed (P43).

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SESSION_LEASE } from '../../lib/controller/session/session-limits';
import { type Actor, type Attempt, now } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

const { company, newLab } = companyInLabs();

const ROUTER = '10.9.0.1';
const web = { service: 'acme/web', behavior: 'identify' };
const connect = (actor: Actor, connectTimeout?: number) =>
  actor.ask<Attempt>('connect', { service: web.service, connectTimeout });

/** A router's host, a server's and a client's on one segment, on which nobody asks for services by broadcast. */
async function segment(): Promise<Record<'router' | 'server' | 'client', LabHost>> {
  const lab = newLab();
  const hosts = { router: lab.host('a'), server: lab.host('b'), client: lab.host('c') };
  const { router, server, client } = hosts;
  lab.segment([router, [`${ROUTER}/24`]], [server, ['10.9.0.2/24']], [client, ['10.9.0.3/24']]);
  await Promise.all([router, server, client].map((host) => host.isUp('eth0')));
  return hosts;
}

async function start(on: LabHost, router: string, settings: object = {}): Promise<Actor> {
  const actor = await company.start({ on, environment: { SERVAL_BROADCAST: '0', SERVAL_ROUTER: router } });
  await actor.ask('createHost', { settings });
  return actor;
}

async function startRouter(on: LabHost): Promise<Actor> {
  const actor = await company.start({ on, environment: { SERVAL_BROADCAST: '0' } });
  await actor.ask('createRouter', { settings: {} });
  return actor;
}

const registered = (router: Actor) => router.ask<string[]>('registered');

/** When the router said so. */
async function knows(router: Actor, instances: readonly string[]): Promise<number> {
  while (JSON.stringify((await registered(router)).sort()) !== JSON.stringify(instances)) await sleep(10);
  return now();
}

describeWithNamespaces('a service router', () => {
  it('is found by broadcast, by whoever looks for one', async () => {
    const on = await segment();
    const router = await startRouter(on.router);
    const [server, client] = [await start(on.server, 'auto'), await start(on.client, 'auto')];
    await server.ask('listen', web);
    expect(await registered(router)).toEqual(['10.9.0.2:54325']);
    expect(await connect(client)).toMatchObject({ pid: server.pid, remoteAddress: '10.9.0.2' });
  });

  it.each([
    ['IPv6', '10.9.0.1', '10.9.0.2:54325', 'fd00::3/64', 'fd00::1', 'fd00::2'],
    ['IPv4', 'fd00::1', '[fd00::2]:54325', '10.9.0.3/24', '10.9.0.1', '10.9.0.2'],
  ])('leads clients of %s alone to a server of both families that has registered by the other', async (...row) => {
    const [, serversRouter, instance, client, clientsRouter, remoteAddress] = row;
    const lab = newLab();
    const [r, s, c] = ['a', 'b', 'c'].map((name) => lab.host(name)) as [LabHost, LabHost, LabHost];
    lab.segment([r, ['10.9.0.1/24', 'fd00::1/64']], [s, ['10.9.0.2/24', 'fd00::2/64']], [c, [client]]);
    await Promise.all([r, s, c].map((host) => host.isUp('eth0')));
    const router = await startRouter(r);
    const [server, visitor] = [await start(s, serversRouter), await start(c, clientsRouter)];
    await server.ask('listen', web);
    expect(await registered(router)).toEqual([instance]);
    expect(await connect(visitor)).toMatchObject({ pid: server.pid, remoteAddress });
  });

  it('takes registrations over raw IP links, and forgets them with their hosts', async () => {
    const on = await segment();
    const raw = { links: ['raw'] };
    const router = await company.start({ on: on.router, environment: { SERVAL_BROADCAST: '0' } });
    await router.ask('createRouter', { settings: raw });
    const [server, client] = [await start(on.server, ROUTER, raw), await start(on.client, ROUTER, raw)];
    await server.ask('listen', web);
    expect(await registered(router)).toEqual(['10.9.0.2']);
    expect(await connect(client)).toMatchObject({ pid: server.pid, remoteAddress: '10.9.0.2' });
    const killedAt = server.kill();
    expect((await knows(router, [])) - killedAt).toBeLessThan(SESSION_LEASE + 500);
    // Nobody refuses there: other processes of the router's machine hear the same packets.
    expect(await connect(client, 1000)).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('is found when it comes later than its hosts', async () => {
    const on = await segment();
    const [server, client] = [await start(on.server, 'auto'), await start(on.client, ROUTER)];
    await server.ask('listen', web);
    const router = await startRouter(on.router);
    await knows(router, ['10.9.0.2:54325']);
    expect(await connect(client)).toMatchObject({ pid: server.pid });
  });

  it('forgets a host that is gone without a word within the lease, and one whose process was killed', async () => {
    const on = await segment();
    const router = await startRouter(on.router);
    const server = await start(on.server, ROUTER);
    await server.ask('listen', web);
    const killedAt = server.kill();
    expect((await knows(router, [])) - killedAt).toBeLessThan(SESSION_LEASE + 500);
    const next = await start(on.server, ROUTER);
    await next.ask('listen', web);
    on.server.ip('link', 'set', 'eth0', 'down');
    const cutAt = now();
    expect((await knows(router, [])) - cutAt).toBeLessThan(SESSION_LEASE + 500);
    on.server.ip('link', 'set', 'eth0', 'up');
    await knows(router, ['10.9.0.2:54325']);
  });

  it('knows a host under its new address as soon as it has one', async () => {
    const on = await segment();
    const router = await startRouter(on.router);
    const [server, client] = [await start(on.server, ROUTER), await start(on.client, ROUTER)];
    await server.ask('listen', web);
    on.server.ip('address', 'add', '10.9.0.7/24', 'dev', 'eth0');
    on.server.ip('address', 'delete', '10.9.0.2/24', 'dev', 'eth0');
    const movedAt = now();
    // The kernel takes the other address of a subnet along with its first.
    on.server.ip('address', 'replace', '10.9.0.7/24', 'dev', 'eth0');
    expect((await knows(router, ['10.9.0.7:54325'])) - movedAt).toBeLessThan(1000);
    expect(await connect(client)).toMatchObject({ pid: server.pid, remoteAddress: '10.9.0.7' });
  });

  it('is killed and replaced again and again while clients connect, and no connect fails', async () => {
    const on = await segment();
    let router = await startRouter(on.router);
    const [server, client] = [await start(on.server, ROUTER), await start(on.client, ROUTER)];
    await server.ask('listen', web);
    await client.ask('startProbe', { service: web.service, every: 20 });
    for (let restart = 0; restart < 5; restart++) {
      const next = await company.start({ on: on.router, environment: { SERVAL_BROADCAST: '0' } });
      router.kill();
      await next.ask('createRouter', { settings: {} });
      router = next;
      await knows(router, ['10.9.0.2:54325']);
      await sleep(200);
    }
    const attempts = await client.ask<Attempt[]>('endProbe', { service: web.service });
    expect(attempts.length).toBeGreaterThan(100);
    expect(attempts.filter(({ pid }) => pid !== server.pid)).toEqual([]);
  });
});
