// Servers that leave, come back and fill up under load: nobody who connects may notice. The clients' tables are never
// brought up to date - each has a rule to every server, all the time -, so that what is shown holds whatever a router
// has heard by then.

import { describe, expect, it } from 'vitest';
import type { ServiceController } from '../../lib/controller/service-controller';
import {
  CONNECT_BROADCAST_PAUSE,
  CONNECT_BROADCASTS,
  CONNECT_REPEAT_PAUSE,
  CONNECT_REPEATS_MAXIMUM,
  LISTENER_FINISH_TIMEOUT,
} from '../../lib/limits';
import { Delay, milliseconds, path, RandomLoss, World } from '../../lib/sim';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { connect, createServer } from '../../lib/socket/connections';
import type { DrainResult } from '../../lib/socket/drain';
import { serviceID } from '../../lib/socket/service-name';
import type { StreamSocket } from '../../lib/socket/stream-socket';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ServicePrefix } from '../../lib/wire/service-id';

const SERVICE = 'acme/web';
/** Milliseconds, from host to host and back. */
const ROUND_TRIP = 10;

const NO_POLICY: ServiceController = { handleEvent() {}, pollCommand: () => undefined };

/** Some hosts on one LAN, 5 ms from each other; every client has a rule to each server, or asks by broadcast. */
function lanOf(seed: number, counts: { clients: number; servers: number }, loss = 0, broadcasts = false) {
  const world = new World({ seed });
  const lan = world.segment('lan');
  const join = (name: string): SimulatedHost => {
    const host = world.host(name, broadcasts ? {} : { controller: () => NO_POLICY });
    world.attach(host, lan, { outbound: [new Delay(milliseconds(5)), new RandomLoss(loss)] });
    return host;
  };
  const servers = Array.from({ length: counts.servers }, (_, index) => join(`server ${index}`));
  const clients = Array.from({ length: counts.clients }, (_, index) => join(`client ${index}`));
  const prefix = ServicePrefix.of(serviceID(SERVICE));
  if (!broadcasts) for (const client of clients) for (const server of servers) client.forward(server.address(), prefix);
  return { world, servers, clients };
}

/** Clients that connect again and again, each as soon as it was answered. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  private isOver = false;
  private running = 0;

  constructor(
    private readonly clients: readonly SimulatedHost[],
    concurrency: number,
  ) {
    for (let index = 0; index < concurrency; index++) this.visit(index);
  }

  stop(): void {
    this.isOver = true;
  }

  get isQuiet(): boolean {
    return this.isOver && this.running === 0;
  }

  private visit(index: number): void {
    this.running++;
    const socket = connect(SERVICE, { host: this.clients[index % this.clients.length]! });
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    socket.on('error', (error) => this.failures.push(String(error)));
    socket.on('close', () => {
      this.running--;
      if (text === 'answer') this.answered++;
      else this.failures.push(`answered '${text}'`);
      if (!this.isOver) this.visit(index);
    });
    socket.end('question');
  }
}

/** Answers after 10 to 50 ms of the world's time. */
function answering(world: World, random = SeededRandom.of(7)): (socket: StreamSocket) => void {
  return (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => world.in(milliseconds(10 + 40 * random.fraction()), () => socket.end('answer')));
  };
}

describe('rolling restarts', () => {
  it.each([
    [1, 0],
    [2, 0],
    [3, 0.01],
    [4, 0.01],
    [5, 0.02],
    [6, 0.02],
  ])('lose nobody: each server drains and comes back, twice, seed %i, loss %d', async (seed, loss) => {
    const { world, servers, clients } = lanOf(seed, { clients: 2, servers: 3 }, loss);
    const answer = answering(world);
    const start = (host: SimulatedHost) => createServer(SERVICE, { host, allowHalfOpen: true }, answer).listen();
    const running = servers.map(start);
    const load = new Load(clients, 20);
    const drains: Promise<DrainResult>[] = [];
    for (let turn = 0; turn < 2 * servers.length; turn++) {
      await world.runAsync({ for: milliseconds(150) });
      const index = turn % servers.length;
      let isBack = false;
      // In the world's time; what the drain waits for besides is the machine's.
      running[index]!.once('close', () => {
        world.in(milliseconds(50), () => {
          running[index] = start(servers[index]!);
          isBack = true;
        });
      });
      drains.push(running[index]!.drain({ timeout: 600_000 }));
      await world.runAsync({ until: () => isBack });
    }
    load.stop();
    await world.runAsync({ until: () => load.isQuiet });
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(200);
    const drained = await Promise.all(drains);
    expect(drained).toEqual(Array(6).fill({ finished: expect.any(Number), cut: 0 }));
    // They were under load when they left, and some clients were on their way to them.
    expect(drained.some(({ finished }) => finished > 0)).toBe(true);
    const refused = clients.map(({ stack }) => stack.sal.counters.toObject()['connectRefused'] ?? 0);
    expect(Math.max(...refused)).toBeGreaterThan(0);
    for (const server of running) server.close();
    // They would ask for ever whether one that has refused them is back.
    for (const client of clients) client.stop();
    await world.runAsync();
  });
});

describe('maxConnections', () => {
  it.each([
    [11, 0],
    [12, 0],
    [13, 0],
    [104, 0.05],
    [114, 0.05],
    [115, 0.05],
    [119, 0.05],
  ])('is never exceeded, and nobody is turned away while others have room, seed %i, loss %d', async (seed, loss) => {
    const { world, servers, clients } = lanOf(seed, { clients: 2, servers: 3 }, loss);
    const answer = answering(world);
    let [most, withdrawals, drops] = [0, 0, 0];
    const running = servers.map((host) => {
      const server = createServer(SERVICE, { host, allowHalfOpen: true }, (socket) => {
        most = Math.max(most, server._connections);
        if (server.withdrawn) withdrawals++;
        answer(socket);
      });
      server.maxConnections = 5;
      return server.on('drop', () => drops++).listen();
    });
    const load = new Load(clients, 8);
    await world.runAsync({ for: milliseconds(2000) });
    load.stop();
    await world.runAsync({ until: () => load.isQuiet });
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(loss === 0 ? 200 : 75);
    expect([most, drops]).toEqual([5, 0]);
    expect(withdrawals).toBeGreaterThan(loss === 0 ? 5 : 2);
    // All are there again in the end.
    expect(running.map(({ withdrawn }) => withdrawn)).toEqual([false, false, false]);
    for (const server of running) server.close();
    // They would ask for ever whether one that has refused them is back.
    for (const client of clients) client.stop();
    await world.runAsync();
  });

  it.each([
    ['that a client knows', false, 4 * ROUND_TRIP + CONNECT_REPEATS_MAXIMUM * (CONNECT_REPEAT_PAUSE + 2 * ROUND_TRIP)],
    ['by broadcast', true, CONNECT_BROADCASTS * CONNECT_BROADCAST_PAUSE],
  ])('refuses when all are full, soon, and not only after a timeout: those %s', async (_, broadcasts, bound) => {
    const { world, servers, clients } = lanOf(4, { clients: 1, servers: 2 }, 0, broadcasts);
    for (const host of servers) {
      const server = createServer(SERVICE, { host });
      server.maxConnections = 1;
      server.listen();
    }
    const held = [0, 1].map(() => connect(SERVICE, { host: clients[0]! }));
    await world.runAsync({ until: () => held.every((socket) => !socket.connecting) });
    expect(new Set(held.map(({ remoteAddress }) => remoteAddress)).size).toBe(2);
    await world.runAsync({ for: milliseconds(20) });
    const asked = world.now;
    let failure: NodeJS.ErrnoException | undefined;
    const late = connect(SERVICE, { host: clients[0]! });
    late.on('error', (error) => {
      failure = error;
    });
    await world.runAsync({ until: () => failure !== undefined });
    expect(failure).toMatchObject({ code: 'ECONNREFUSED' });
    expect(world.now - asked).toBeLessThanOrEqual(bound);
    for (const socket of held) socket.destroy();
  });
});

describe('a handshake that is under way when its server closes', () => {
  const pair = () => {
    const world = new World({ seed: 5 });
    const [client, server] = [world.host('client'), world.host('server')];
    world.connect(client, server, path(new Delay(milliseconds(50))));
    client.forward(server.address(), ServicePrefix.of(serviceID(SERVICE)));
    const listener = createServer(SERVICE, { host: server, allowHalfOpen: true }, answering(world)).listen();
    let closedAt: number | undefined;
    listener.on('close', () => {
      closedAt = world.now;
    });
    return { world, client, server, listener, closedAt: () => closedAt };
  };

  it('becomes a connection, which is served to its end', async () => {
    const { world, client, listener, closedAt } = pair();
    let text = '';
    const socket = connect(SERVICE, { host: client });
    socket.on('data', (chunk) => (text += chunk));
    socket.end('question');
    // Its SYN has been answered, and its third ACK is still to come.
    await world.runAsync({ for: milliseconds(75) });
    listener.close();
    expect(await world.runAsync({ until: () => socket.closed })).toBe(true);
    expect(text).toBe('answer');
    await world.runAsync();
    expect(closedAt()).toBeGreaterThan(170);
    expect(listener._connections).toBe(0);
  });

  it('is waited for no longer than a bound when its client is gone', async () => {
    const { world, client, server, listener, closedAt } = pair();
    connect(SERVICE, { host: client });
    await world.runAsync({ for: milliseconds(75) });
    client.crash();
    listener.close();
    await world.runAsync();
    expect(closedAt()).toBeCloseTo(75 + LISTENER_FINISH_TIMEOUT, 0);
    expect(server.stack.sal.flowTable.size).toBe(0);
  });

  it('is over as soon as it is known that the client has given up', async () => {
    const { world, client, listener, closedAt } = pair();
    const socket = connect(SERVICE, { host: client });
    await world.runAsync({ for: milliseconds(75) });
    socket.destroy();
    listener.close();
    await world.runAsync();
    expect(closedAt()).toBeLessThan(160);
  });

  it('is reset by a drain that is in a hurry', async () => {
    const { world, client, listener, closedAt } = pair();
    const socket = connect(SERVICE, { host: client });
    let failure: NodeJS.ErrnoException | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    await world.runAsync({ for: milliseconds(75) });
    const result = listener.drain({ timeout: 0 });
    await world.runAsync();
    expect(await result).toEqual({ finished: 0, cut: 0 });
    expect(failure).toMatchObject({ code: 'ECONNRESET' });
    expect(closedAt()).toBeLessThan(80);
  });
});
