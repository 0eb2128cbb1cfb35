// Hosts on one segment find each other by broadcast and without configuration (§4.2, P24, P25), follow their
// interfaces, and leave nothing open at the instance that answered second (§4.3).

import { expect, it } from 'vitest';
import { type Actor, type Attempt, now, type StreamReport } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

const { company, newLab } = companyInLabs();

async function start(on: LabHost, environment: Record<string, string> = {}): Promise<Actor> {
  const actor = await company.start({ on, environment });
  await actor.ask('createHost', { settings: {} });
  return actor;
}

/** Below the first retransmission of a SYN: what is asked in vain has failed before anybody is asked again. */
const ONE_SYN = 250;

const web = { service: 'acme/web', behavior: 'identify' };
const connect = (actor: Actor, rest = {}) => actor.ask<Attempt>('connect', { service: 'acme/web', ...rest });

async function pair(environment: Record<string, string>): Promise<{ a: LabHost; server: Actor; client: Actor }> {
  const lab = newLab();
  const [a, b] = [lab.host('a'), lab.host('b')];
  lab.connect(a, ['10.9.0.1/24'], b, ['10.9.0.2/24']);
  await Promise.all([a.isUp('eth0'), b.isUp('eth0')]);
  const [client, server] = await Promise.all([start(a, environment), start(b, environment)]);
  await server.ask('listen', web);
  return { a, server, client };
}

const LINKS = [{ SERVAL_LINKS: 'udp' }, { SERVAL_LINKS: 'raw' }];

describeWithNamespaces('two hosts on one cable', () => {
  it('find each other; without address or link there is no way, with it there is one within 100 ms', async () => {
    await Promise.all(
      LINKS.map(async (environment) => {
        const { a, server, client } = await pair(environment);
        expect(await connect(client)).toMatchObject({ pid: server.pid, remoteAddress: '10.9.0.2' });
        for (const [off, on] of [
          [['address', 'delete', '10.9.0.1/24', 'dev', 'eth0'], 'address add 10.9.0.1/24 broadcast + dev eth0'],
          [['link', 'set', 'eth0', 'down'], 'link set eth0 up'],
        ] as const) {
          a.ip(...off);
          await noRoute(client);
          a.ip(...on.split(' '));
          await a.isUp('eth0');
          const isUp = now();
          await client.ask('startProbe', { service: 'acme/web', every: 10 });
          await startedAfter(client, isUp + 150);
          const attempts = await client.ask<Attempt[]>('endProbe', { service: 'acme/web' });
          const late = attempts.filter(({ startedAt }) => startedAt > isUp + 100);
          expect(late.length).toBeGreaterThan(0);
          for (const attempt of late) expect(attempt).toMatchObject({ pid: server.pid });
        }
      }),
    );
  }, 30_000);

  it('keep their connections when the link goes down and comes up again', async () => {
    const { a, server, client } = await pair({});
    await server.ask('listen', { service: 'acme/echo', behavior: 'echo' });
    await client.ask('startStream', { service: 'acme/echo', name: 'open' });
    a.ip('link', 'set', 'eth0', 'down');
    await noRoute(client);
    a.ip('link', 'set', 'eth0', 'up');
    const stream = await client.ask<StreamReport>('endStream', { name: 'open' });
    expect(stream).toMatchObject({ wrong: 0, received: stream.sent });
    expect(stream.code).toBeUndefined();
  }, 30_000);
});

/** The rule has gone when a connect fails at once: EHOSTUNREACH, not by a timeout. */
async function noRoute(client: Actor): Promise<void> {
  const since = now();
  for (;;) {
    const { code } = await connect(client, { connectTimeout: ONE_SYN });
    if (code === 'EHOSTUNREACH') return;
    expect(now() - since).toBeLessThan(2000);
  }
}

/** Waits until an attempt that began after `time` has an outcome. */
async function startedAfter(client: Actor, time: number): Promise<void> {
  for (;;) {
    const { startedAt } = await connect(client, { connectTimeout: ONE_SYN });
    if (startedAt > time) return;
  }
}

describeWithNamespaces('three hosts on one segment', () => {
  const three = async () => {
    const lab = newLab();
    const hosts = ['a', 'b', 'c'].map((name) => lab.host(name)) as [LabHost, LabHost, LabHost];
    lab.segment([hosts[0], ['10.9.0.1/24']], [hosts[1], ['10.9.0.2/24']], [hosts[2], ['10.9.0.3/24']]);
    await Promise.all(hosts.map((host) => host.isUp('eth0')));
    return Promise.all([start(hosts[0]), start(hosts[1]), start(hosts[2])]);
  };

  it('hear of each other only what concerns them: who has no such service keeps silent', async () => {
    const [client, server, idle] = await three();
    await server.ask('listen', web);
    expect(await connect(client)).toMatchObject({ pid: server.pid });
    const nobody = await client.ask<Attempt>('connect', { service: 'acme/none', connectTimeout: ONE_SYN });
    expect(nobody.code).toBe('ETIMEDOUT');
    const { stack, links } = await idle.ask<Statistics>('statistics');
    expect(stack['unmatched']).toBeGreaterThanOrEqual(2);
    for (const counters of Object.values(links)) expect(counters['packetsSent']).toBe(0);
  }, 20_000);

  it('give a connection one instance: the first that answers, and nothing is left at the other', async () => {
    const [client, one, other] = await three();
    await Promise.all([one.ask('listen', web), other.ask('listen', web)]);
    const pids: number[] = [];
    for (let count = 0; count < 20; count++) {
      const { pid } = await connect(client, { name: `open ${count}` });
      pids.push(pid!);
    }
    // Or it was no race: both have answered, each time.
    await until(async () => {
      const { stack } = await client.ask<Statistics>('statistics');
      expect(stack['synAckSecond']).toBe(20);
    });
    for (const server of [one, other]) {
      const open = pids.filter((pid) => pid === server.pid).length;
      await until(async () => expect(await server.ask('liveFlows')).toBe(open));
      expect(server.events.filter(({ event }) => event === 'accepted')).toHaveLength(open);
    }
    expect(await client.ask('liveFlows')).toBe(20);
  }, 20_000);
});

interface Statistics {
  readonly stack: Readonly<Record<string, number>>;
  readonly links: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Asks again until it holds, for two seconds: much less than a half-open flow would live. */
async function until(check: () => Promise<void>): Promise<void> {
  const end = now() + 2000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (now() > end) throw error;
    }
  }
}
