// Real processes of one machine that share it as one host (P15, E38): they are killed, they end by themselves,
// and the others must get along. All times are of the machine's one clock.

import { describe, expect, it } from 'vitest';
import type { Actor, Attempt, CountReport, StreamReport } from '../lab/actor';
import { machines } from './one-machine';

const { machine, begin, start } = machines(20_000);

const connect = (actor: Actor, service: string, rest = {}) => actor.ask<Attempt>('connect', { service, ...rest });

describe('a killed instance of a service', { timeout: 60_000 }, () => {
  it('is not resolved to after 100 ms, and its idle connections are reset at once, 10 times on end', async () => {
    const environment = machine();
    const holder = await start(environment);
    const client = await start(environment);
    const survivor = await start(environment, 'acme/web');
    const victims = await Promise.all(Array.from({ length: 10 }, () => start(environment, 'acme/web')));
    for (let round = 0; round < 10; round++) {
      const { victim, name } = await holdConnectionTo(client, victims, round);
      const killed = victim.kill();
      victims.splice(victims.indexOf(victim), 1);
      const closed = await client.event('closed', (event) => event.name === name);
      expect(closed.code).toBe('ECONNRESET');
      expect(closed.at - killed).toBeLessThan(200);
      await answersAfter(client, killed + 100);
      const before = await unreachable(holder);
      for (let count = 0; count < 20; count++) {
        const { pid } = await connect(client, 'acme/web');
        expect([survivor, ...victims].map((actor) => actor.pid)).toContain(pid);
      }
      // The holder resolves, and a packet to a dead process's port is answered by ICMP at once.
      expect(await unreachable(holder)).toBe(before);
    }
  });

  it('leaves nothing behind: without another instance a connect is refused at once', async () => {
    const environment = machine();
    await start(environment);
    const client = await start(environment);
    const victim = await start(environment, 'acme/only');
    await connect(client, 'acme/only', { name: 'idle' });
    victim.kill();
    await client.event('closed', (event) => event.name === 'idle');
    const attempt = await connect(client, 'acme/only');
    expect(attempt.code).toBe('ECONNREFUSED');
    expect(attempt.failedAt! - attempt.startedAt).toBeLessThan(200);
  });
});

/** Connections are spread over the instances: connects until one is at one of `victims`, and keeps that. */
async function holdConnectionTo(client: Actor, victims: readonly Actor[], round: number) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const name = `held ${round} ${attempt}`;
    const { pid } = await connect(client, 'acme/web', { name });
    const victim = victims.find((actor) => actor.pid === pid);
    if (victim !== undefined) return { victim, name };
  }
  throw new Error('100 connections, and all at one of several instances');
}

/** Waits until an attempt that began after `time` was answered. */
async function answersAfter(client: Actor, time: number): Promise<void> {
  for (;;) {
    const { startedAt, pid } = await connect(client, 'acme/web');
    if (startedAt > time && pid !== undefined) return;
  }
}

/** How often the holder was told that nobody is where it sent something. */
async function unreachable(holder: Actor): Promise<number> {
  const { stack } = await holder.ask<{ stack: Record<string, number> }>('statistics');
  return stack['unreachable'] ?? 0;
}

describe('a killed holder', { timeout: 90_000 }, () => {
  it('is replaced within 500 ms, and open connections of the others do not notice, 10 times on end', async () => {
    const environment = machine();
    const processes: Actor[] = [];
    for (let count = 0; count < 4; count++) processes.push(await startWithServices(environment));
    for (let round = 0; round < 10; round++) {
      const holder = await holderOf(processes);
      const [client, ...others] = processes.filter((actor) => actor !== holder) as [Actor, Actor, Actor];
      await client.ask('startStream', { service: echoOf(others[0]!), name: `open ${round}` });
      const killed = holder.kill();
      for (const other of others) await client.ask('startProbe', { service: webOf(other), every: 15 });
      // Both have answered an attempt that began behind the kill: then the probes need not go on.
      for (const other of others) expect(await connect(client, webOf(other))).toMatchObject({ pid: other.pid });
      for (const other of others) {
        const attempts = await client.ask<Attempt[]>('endProbe', { service: webOf(other) });
        for (const attempt of attempts) expect(attempt).toMatchObject({ pid: other.pid });
        expect(attempts[0]!.answeredAt! - killed).toBeLessThan(500);
      }
      const stream = await client.ask<StreamReport>('endStream', { name: `open ${round}` });
      expect(stream).toEqual({
        sent: stream.received,
        received: stream.sent,
        wrong: 0,
        longestPause: expect.any(Number),
      });
      expect(stream.longestPause).toBeLessThan(250);
      processes.splice(processes.indexOf(holder), 1, await startWithServices(environment));
    }
  });
});

const webOf = (actor: Actor): string => `acme/web/${actor.pid}`;
const echoOf = (actor: Actor): string => `acme/echo/${actor.pid}`;

async function startWithServices(environment: Record<string, string>): Promise<Actor> {
  const actor = await start(environment);
  await actor.ask('listen', { service: webOf(actor), behavior: 'identify' });
  await actor.ask('listen', { service: echoOf(actor), behavior: 'echo' });
  return actor;
}

/** Waits until exactly one has the role. */
async function holderOf(processes: readonly Actor[]): Promise<Actor> {
  for (;;) {
    const roles = await Promise.all(processes.map((actor) => actor.ask('role')));
    const holders = processes.filter((_, index) => (roles[index] as unknown) === 'holder');
    if (holders.length === 1) return holders[0]!;
  }
}

describe('a process that ends', { timeout: 30_000 }, () => {
  it('delivers a megabyte that it ended with, and exits by itself', async () => {
    const environment = machine();
    const server = await start(environment);
    await server.ask('listen', { service: 'acme/sink', behavior: 'count' });
    const client = await begin(environment);
    client.order('sendAndLeave', { service: 'acme/sink', bytes: 1_000_000 });
    const counted = await server.event<CountReport>('counted');
    expect(counted).toMatchObject({ bytes: 1_000_000, ended: true });
    expect(counted.code).toBeUndefined();
    expect(await client.ended()).toBe(0);
  });

  it.each([
    ['in the turn it connected', false],
    ['later', true],
  ])(
    'by process.exit() right behind end(%s): what fits has left, and the peer hears of it at once',
    async (_, delay) => {
      const environment = machine();
      const server = await start(environment);
      await server.ask('listen', { service: 'acme/sink', behavior: 'count' });
      const client = await begin(environment);
      client.order('byeAndExit', { service: 'acme/sink', delay });
      expect(await client.ended()).toBe(0);
      const counted = await server.event<CountReport>('counted');
      expect(counted).toMatchObject({ bytes: 3, last: 'bye' });
      expect(counted.ended || counted.code === 'ECONNRESET').toBe(true);
    },
  );

  it("is kept by a listening server and by open connections, and not by those that are unref'ed", async () => {
    const environment = machine();
    const server = await start(environment, 'acme/web');
    const [listening, connected, unreferenced] = [
      await start(environment),
      await start(environment),
      await start(environment),
    ];
    await listening.ask('listen', { service: 'acme/kept', behavior: 'identify' });
    await connect(connected, 'acme/web', { name: 'open' });
    await unreferenced.ask('listen', { service: 'acme/other', behavior: 'identify' });
    await connect(unreferenced, 'acme/web', { name: 'open' });
    await unreferenced.ask('unref', { service: 'acme/other', name: 'open' });
    for (const actor of [listening, connected, unreferenced]) actor.order('leave');
    expect(await unreferenced.ended()).toBe(0);
    // The others are there still, and not only because they take longer to end: they answer, and wait.
    expect(await connect(server, 'acme/kept')).toMatchObject({ pid: listening.pid });
    expect(listening.isRunning).toBe(true);
    expect(connected.isRunning).toBe(true);
  });

  it('exits by itself when its host is closed, whatever was open on it', async () => {
    const environment = machine();
    const holder = await start(environment);
    const server = await start(environment, 'acme/web');
    await server.ask('listen', { service: 'acme/ignored', behavior: 'ignore' });
    const client = await start(environment);
    await connect(client, 'acme/web', { name: 'open' });
    await client.ask('bindDatagram', { name: 'datagrams', service: 'acme/datagrams' });
    for (const actor of [client, server, holder]) {
      await actor.ask('closeHost');
      actor.order('leave');
      expect(await actor.ended()).toBe(0);
    }
  });
});
