// The life of a service among real processes of one machine: shares, full instances, withdrawal, rolling restarts and
// event loops that are stuck (§4.1, docs/lifecycle.md).

import { describe, expect, it } from 'vitest';
import { HEARTBEAT_BEATS, HEARTBEAT_INTERVAL } from '../../lib/limits';
import { type Actor, type Attempt, now } from '../lab/actor';
import { machines } from './one-machine';

const SERVICE = 'acme/web';
const { machine, start } = machines(21_000);

/** A holder that only resolves, a client, and so many instances. */
async function machineWith(instances: number) {
  const environment = machine();
  const holder = await start(environment);
  const client = await start(environment);
  const servers = await Promise.all(Array.from({ length: instances }, () => start(environment, SERVICE)));
  return { environment, holder, client, servers };
}

const connect = (client: Actor, rest = {}) => client.ask<Attempt>('connect', { service: SERVICE, ...rest });
const tune = (server: Actor, wishes: object) => server.ask('tuneServer', { service: SERVICE, ...wishes });

/** Which part of `count` connects each process has answered; none may fail. */
async function shares(client: Actor, servers: readonly Actor[], count: number): Promise<number[]> {
  const answered = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const { pid, code } = await connect(client);
    expect(code).toBeUndefined();
    answered.set(pid!, (answered.get(pid!) ?? 0) + 1);
  }
  return servers.map(({ pid }) => (answered.get(pid) ?? 0) / count);
}

/** Connects until the last `count` have all been answered by one of `servers`. */
async function until(client: Actor, isRight: (pid: number) => boolean, count: number, deadline = 5000): Promise<void> {
  const end = now() + deadline;
  for (let run = 0; run < count; ) {
    const { pid } = await connect(client);
    run = pid !== undefined && isRight(pid) ? run + 1 : 0;
    if (now() > end) throw new Error('it has not come to that');
  }
}

describe('an instance', { timeout: 60_000 }, () => {
  it('gets the share it asks for, which it may change', async () => {
    const { client, servers } = await machineWith(2);
    const [first, second] = servers as [Actor, Actor];
    await tune(first, { weight: 3 });
    // Its word is with the holder when a connect of its own has been answered.
    await connect(first);
    expect((await shares(client, servers, 300))[0]).toBeGreaterThan(0.6);
    await tune(first, { weight: 0.25 });
    await tune(second, { weight: 2 });
    await connect(first);
    await connect(second);
    expect((await shares(client, servers, 300))[0]).toBeLessThan(0.25);
  });

  it('that is full gets no more until it has room, and nobody is turned away', async () => {
    const { client, servers } = await machineWith(2);
    const [small] = servers as [Actor, Actor];
    await tune(small, { maxConnections: 2 });
    const held: string[] = [];
    for (let index = 0; held.length < 2; index++) {
      const name = `held ${index}`;
      const { pid } = await connect(client, { name });
      if (pid === small.pid) held.push(name);
    }
    expect(await small.ask('isWithdrawn', { service: SERVICE })).toBe(true);
    expect(await shares(client, servers, 50)).toEqual([0, 1]);
    await client.ask('endSocket', { name: held[0] });
    await until(client, (pid) => pid === small.pid, 1);
  });

  it('that has withdrawn is not brought back by a new holder', async () => {
    const { holder, client, servers } = await machineWith(2);
    await tune(servers[0]!, { weight: 0 });
    await connect(servers[0]!);
    expect(await shares(client, servers, 30)).toEqual([0, 1]);
    holder.kill();
    expect(await shares(client, servers, 100)).toEqual([0, 1]);
    await tune(servers[0]!, { weight: 1 });
    await until(client, (pid) => pid === servers[0]!.pid, 1);
  });

  it('that hangs gets no connects after 2.5 s, and does again when it goes on', async () => {
    const { client, servers } = await machineWith(2);
    const [stuck, other] = servers as [Actor, Actor];
    const { pid } = await connect(client, { name: 'open' });
    const stopped = stuck.stop();
    const limit = (HEARTBEAT_BEATS + 1) * HEARTBEAT_INTERVAL + 200;
    await new Promise((resolve) => setTimeout(resolve, stopped + limit - now()));
    const attempts = await Promise.all(Array.from({ length: 50 }, () => connect(client)));
    for (const attempt of attempts) expect(attempt).toMatchObject({ pid: other.pid });
    stuck.resume();
    await until(client, (answered) => answered === stuck.pid, 1);
    // An open connection is left alone, whoever it is with.
    expect([stuck.pid, other.pid]).toContain(pid);
    expect(client.events.filter(({ event }) => event === 'closed')).toEqual([]);
  });
});

async function closeAndLeave(actor: Actor): Promise<void> {
  await actor.ask('closeHost');
  actor.order('leave');
}

describe('a rolling restart', { timeout: 60_000 }, () => {
  it.each([
    ['closes its host', closeAndLeave],
    ['is simply gone', async (old: Actor) => void old.kill()],
  ])('of every process, the holder among them, loses no connect: each drains and %s', async (_, end) => {
    const environment = machine();
    const servers: Actor[] = [];
    for (let count = 0; count < 3; count++) servers.push(await start(environment, SERVICE));
    expect(await servers[0]!.ask('role')).toBe('holder');
    const client = await start(environment);
    await client.ask('startProbe', { service: SERVICE, every: 5 });
    for (let index = 0; index < servers.length; index++) {
      const old = servers[index]!;
      servers[index] = await start(environment, SERVICE);
      expect(await old.ask('drainServer', { service: SERVICE, timeout: 5000 })).toMatchObject({ cut: 0 });
      await end(old);
      await old.ended();
    }
    await until(client, (pid) => servers.some((server) => server.pid === pid), 20);
    const attempts = await client.ask<Attempt[]>('endProbe', { service: SERVICE });
    expect(attempts.length).toBeGreaterThan(100);
    expect(attempts.filter(({ pid }) => pid === undefined)).toEqual([]);
  });
});
