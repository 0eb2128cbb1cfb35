// `migrate` as applications use it, on simulated hosts (§4.4).

import { describe, expect, it } from 'vitest';
import { milliseconds, World } from '../../lib/sim';
import { connect, createServer } from '../../lib/socket/connections';
import { createSocket } from '../../lib/socket/datagram-socket';
import type { StreamSocket } from '../../lib/socket/stream-socket';

/** A client with two interfaces on networks that reach the server's, and a third one on a network that does not. */
function movingClient(seed: number) {
  const world = new World({ seed });
  const [client, server] = [world.host('client'), world.host('server')];
  const home = world.segment('home');
  for (const name of ['wifi', 'mobile']) {
    const segment = world.segment(name);
    segment.join(home);
    world.attach(client, segment, { name });
  }
  world.attach(client, world.segment('island'), { name: 'island', families: [4] });
  world.attach(server, home);
  client.forward(server.address());
  return { world, client, server };
}

/** What became of a promise, when the world has come so far. */
async function outcome(world: World, promise: Promise<void>): Promise<unknown> {
  let told: unknown;
  promise.then(
    () => {
      told = 'moved';
    },
    (error: Error) => {
      told = error;
    },
  );
  await world.runAsync({ until: () => told !== undefined, for: milliseconds(600_000) });
  return told;
}

async function connected(seed: number) {
  const { world, client, server } = movingClient(seed);
  const accepted: StreamSocket[] = [];
  createServer('sim/echo', { host: server }, (socket) => accepted.push(socket.pipe(socket))).listen();
  const socket = connect('sim/echo', { host: client });
  await world.runAsync({ until: () => accepted.length === 1 });
  return { world, client, server, socket, accepted: accepted[0]! };
}

describe('socket.migrate', () => {
  it('resolves when the stream is there; both ends are told, and have the new addresses', async () => {
    const { world, client, socket, accepted } = await connected(1);
    const told: string[] = [];
    socket.on('migrate', () => told.push(`client ${socket.localAddress}`));
    accepted.on('migrate', () => told.push(`server ${accepted.remoteAddress}`));
    const mobile = client.interfaces[1]!.addresses[0]!.address;
    expect(await outcome(world, socket.migrate({ interface: 'mobile' }))).toBe('moved');
    expect(socket.localAddress).toBe(mobile.ip);
    let echoed = '';
    socket.on('data', (chunk: Buffer) => {
      echoed += chunk.toString();
    });
    socket.write('still here');
    await world.runAsync({ until: () => echoed === 'still here' });
    expect(told).toEqual([`client ${mobile.ip}`, `server ${mobile.ip}`]);
    expect(await outcome(world, socket.migrate({ address: mobile.ip }))).toBe('moved');
    expect(told).toHaveLength(2);
    expect(await outcome(world, socket.migrate({ address: client.interfaces[0]!.addresses[0]!.address.ip }))).toBe(
      'moved',
    );
    await world.runAsync({ until: () => told.length === 4 });
    socket.destroy();
    await world.runAsync({ until: () => accepted.destroyed });
  });

  it('is not taken for done when it is the peer that has moved', async () => {
    const { world, server, socket, accepted } = await connected(5);
    world.attach(server, world.segment('home'), { name: 'eth1' });
    let told = 0;
    socket.on('migrate', () => told++);
    const [mine, other] = [socket.migrate({ interface: 'island' }), accepted.migrate({ interface: 'eth1' })];
    expect(await outcome(world, other)).toBe('moved');
    expect(await outcome(world, mine)).toMatchObject({ code: 'ETIMEDOUT' });
    expect(told).toBe(1);
    socket.destroy();
    await world.runAsync({ until: () => accepted.destroyed });
  });

  it('is called back by another one, to where the stream is still', async () => {
    const { world, socket, accepted } = await connected(6);
    const home = socket.localAddress!;
    const [away, back] = [socket.migrate({ interface: 'mobile' }), socket.migrate({ address: home })];
    expect(await outcome(world, back)).toBe('moved');
    expect(await outcome(world, away)).toBe('moved');
    expect([socket.localAddress, accepted.remoteAddress]).toEqual([home, home]);
    socket.destroy();
    await world.runAsync({ until: () => accepted.destroyed });
  });

  it('rejects with a code, and the stream stays', async () => {
    const { world, socket, accepted } = await connected(2);
    const before = socket.localAddress;
    const failures: [Parameters<StreamSocket['migrate']>[0], string][] = [
      [{ interface: 'eth7' }, 'ENODEV'],
      [{ address: '203.0.113.1' }, 'EADDRNOTAVAIL'],
      [{ interface: 'island' }, 'ETIMEDOUT'],
    ];
    for (const [options, code] of failures) {
      const error = await outcome(world, socket.migrate(options));
      expect(error, code).toMatchObject({ code, syscall: 'migrate', serviceID: socket.serviceID!.toString() });
      expect(String((error as Error).message)).toBe(`migrate ${code} sim/echo`);
    }
    expect(socket.localAddress).toBe(before);
    const ended = socket.migrate({ interface: 'island' });
    socket.destroy();
    expect(await outcome(world, ended)).toMatchObject({ code: 'ENOTCONN' });
    expect(await outcome(world, socket.migrate({ interface: 'mobile' }))).toMatchObject({ code: 'ENOTCONN' });
    await world.runAsync({ until: () => accepted.destroyed });
  });

  it('throws for what is no place to go', async () => {
    const { socket } = await connected(3);
    const misuse: [unknown, string][] = [
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [{}, 'ERR_MISSING_ARGS'],
      [{ interface: 7 }, 'ERR_INVALID_ARG_TYPE'],
      [{ address: 7 }, 'ERR_INVALID_ARG_TYPE'],
      [{ address: 'wifi' }, 'ERR_INVALID_ARG_VALUE'],
    ];
    for (const [options, code] of misuse) {
      expect(() => socket.migrate(options as { interface: string }), code).toThrow(expect.objectContaining({ code }));
    }
  });
});

describe('migrate of a datagram socket', () => {
  it('moves a connected one, in both directions of traffic', async () => {
    const { world, client, server } = movingClient(4);
    const receiver = createSocket({ host: server }, (message, source) => receiver.send(`${message}!`, source));
    receiver.bind('sim/log');
    const sender = createSocket({ host: client });
    const told: string[] = [];
    sender.on('migrate', () => told.push('migrate')).on('message', (message) => told.push(message.toString()));
    expect(() => sender.migrate({ interface: 'mobile' })).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' }),
    );
    let isConnected = false;
    sender.connect('sim/log', () => {
      isConnected = true;
    });
    await world.runAsync({ until: () => isConnected });
    expect(await outcome(world, sender.migrate({ interface: 'mobile' }))).toBe('moved');
    expect(sender.address().address).toBe(client.interfaces[1]!.addresses[0]!.address.ip);
    sender.send('hello');
    await world.runAsync({ until: () => told.length === 2 });
    expect(told).toEqual(['migrate', 'hello!']);
    expect(await outcome(world, sender.migrate({ interface: 'eth7' }))).toMatchObject({ code: 'ENODEV' });
    sender.close();
    receiver.close();
    await world.runAsync();
  });
});
