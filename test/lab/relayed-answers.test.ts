// Clients behind a middlebox that lets in only what comes from where they have sent to, and a router outside that
// passes answers back to them (§7): first packets find an instance, and what follows goes directly.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SESSION_LEASE } from '../../lib/controller/session/session-limits';
import type { Actor, Attempt } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithFirewalls } from './require-root';

const { company, newLab } = companyInLabs();

const ROUTER = '10.9.1.2';
const SERVER = '10.9.1.3';
const web = { service: 'acme/web', behavior: 'identify' };

/** Lets in what belongs to something that went out. */
const FIREWALL = `
table ip middlebox {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "eth0" ct state new drop
  }
}`;

/** Lets everything out from its own address, and in what belongs to that: each destination has a port of its own. */
const TRANSLATOR = `${FIREWALL}
table ip translator {
  chain out {
    type nat hook postrouting priority 100;
    oifname "eth0" masquerade random
  }
}`;

/** client | middlebox | router and server, on one segment outside. */
async function network(rules: string): Promise<Record<'client' | 'router' | 'server', LabHost>> {
  const lab = newLab();
  const [client, middlebox, router, server] = ['a', 'm', 'r', 's'].map((name) => lab.host(name)) as LabHost[];
  lab.connect(client!, ['10.9.0.2/24'], middlebox!, ['10.9.0.1/24'], 'inside0');
  lab.segment([middlebox!, ['10.9.1.1/24']], [router!, [`${ROUTER}/24`]], [server!, [`${SERVER}/24`]]);
  await Promise.all([middlebox!, router!, server!].map((host) => host.isUp('eth0')));
  client!.ip('route', 'add', 'default', 'via', '10.9.0.1');
  for (const host of [router!, server!]) host.ip('route', 'add', '10.9.0.0/24', 'via', '10.9.1.1');
  middlebox!.route();
  middlebox!.filter(rules);
  return { client: client!, router: router!, server: server! };
}

async function start(on: LabHost, role: 'createHost' | 'createRouter', settings: object = {}): Promise<Actor> {
  const environment = { SERVAL_BROADCAST: '0', SERVAL_ROUTER: role === 'createHost' ? ROUTER : '' };
  const actor = await company.start({ on, environment });
  await actor.ask(role, { settings });
  return actor;
}

async function served(rules: string, relayReplies: boolean): Promise<{ on: { client: LabHost }; server: Actor }> {
  const on = await network(rules);
  await start(on.router, 'createRouter', { relayReplies });
  const server = await start(on.server, 'createHost');
  await server.ask('listen', web);
  return { on, server };
}

const connect = (actor: Actor, connectTimeout = 5000) =>
  actor.ask<Attempt>('connect', { service: web.service, connectTimeout });

describeWithFirewalls('answers that a router passes back', () => {
  it.each([
    ['a firewall', FIREWALL],
    ['a translator', TRANSLATOR],
  ])(
    'reach clients behind %s, and the connection is one with the server itself',
    async (_, rules) => {
      const { on, server } = await served(rules, true);
      const client = await start(on.client, 'createHost');
      for (let count = 0; count < 3; count++) {
        expect(await connect(client)).toMatchObject({ pid: server.pid, remoteAddress: SERVER });
      }
      // A process that is not the one with its machine's port: its first packets go by way of that one.
      const member = await start(on.client, 'createHost');
      expect(await connect(member)).toMatchObject({ pid: server.pid, remoteAddress: SERVER });
      server.kill();
      await sleep(SESSION_LEASE + 500);
      for (const actor of [client, member]) expect(await connect(actor)).toMatchObject({ code: 'ECONNREFUSED' });
    },
    30_000,
  );

  it('are what those clients need: without them they hear nothing', async () => {
    const { on } = await served(FIREWALL, false);
    const client = await start(on.client, 'createHost');
    expect(await connect(client, 1000)).toMatchObject({ code: 'ETIMEDOUT' });
  }, 30_000);
});
