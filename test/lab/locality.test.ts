// Locality by scope, on two real networks with a router each: an instance of the client's own machine is preferred to
// one of its subnet, and that to one elsewhere.

import { expect, it } from 'vitest';
import { type Actor, type Attempt, now } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

const { company, newLab } = companyInLabs();

const NEAR_ROUTER = '10.9.0.1';
const ROOT = '10.9.1.2';
const web = { service: 'acme/web', behavior: 'identify' };

/** client, neighbour and router on one segment; behind the router the root's host. */
async function networks(): Promise<Record<'client' | 'neighbour' | 'router' | 'far', LabHost>> {
  const lab = newLab();
  const [client, neighbour, router, far] = ['a', 'b', 'r', 'f'].map((name) => lab.host(name)) as [
    LabHost,
    LabHost,
    LabHost,
    LabHost,
  ];
  lab.segment([router, [`${NEAR_ROUTER}/24`]], [neighbour, ['10.9.0.2/24']], [client, ['10.9.0.3/24']]);
  lab.connect(router, ['10.9.1.1/24'], far, [`${ROOT}/24`], 'far0');
  for (const host of [client, neighbour]) host.ip('route', 'add', '10.9.1.0/24', 'via', NEAR_ROUTER);
  far.ip('route', 'add', '10.9.0.0/24', 'via', '10.9.1.1');
  router.route();
  await Promise.all([client, neighbour, router].map((host) => host.isUp('eth0')));
  return { client, neighbour, router, far };
}

async function start(on: LabHost, router: string | undefined, isRouter = false): Promise<Actor> {
  const environment = { SERVAL_BROADCAST: '0', ...(router === undefined ? {} : { SERVAL_ROUTER: router }) };
  const actor = await company.start({ on, environment });
  await actor.ask(isRouter ? 'createRouter' : 'createHost', { settings: {} });
  return actor;
}

const connect = (actor: Actor) => actor.ask<Attempt>('connect', { service: web.service });

/** All connects go there, as soon as everybody knows. */
async function expectAllAt(client: Actor, server: Actor, remoteAddress: string): Promise<void> {
  const end = now() + 2000;
  while ((await connect(client)).pid !== server.pid) expect(now()).toBeLessThan(end);
  for (let count = 0; count < 20; count++) {
    expect(await connect(client)).toMatchObject({ pid: server.pid, remoteAddress });
  }
}

describeWithNamespaces('an instance', () => {
  it('of the own machine is preferred, else one of the subnet, else one elsewhere', async () => {
    const on = await networks();
    await start(on.far, undefined, true);
    await start(on.router, ROOT, true);
    const far = await start(on.far, undefined);
    const [client, neighbour] = [await start(on.client, NEAR_ROUTER), await start(on.neighbour, NEAR_ROUTER)];
    // Another process of the client's machine.
    const own = await start(on.client, NEAR_ROUTER);
    await far.ask('listen', web);
    await expectAllAt(client, far, ROOT);
    await neighbour.ask('listen', web);
    await expectAllAt(client, neighbour, '10.9.0.2');
    await own.ask('listen', web);
    await expectAllAt(client, own, '127.0.0.1');
    own.kill();
    await expectAllAt(client, neighbour, '10.9.0.2');
    neighbour.kill();
    await expectAllAt(client, far, ROOT);
  }, 60_000);
});
