// Open connections that go on in another process, on another host (§4.4): nothing is lost, and the peer only notices
// that it has moved.

import { describe, expect, it } from 'vitest';
import { adopt, connect, createServer, type Socket } from '../../lib/index';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { World } from '../../lib/sim/world';
import { milliseconds } from '../../lib/time/instant';

const pattern = Buffer.from(Array.from({ length: 1_000_003 }, (_, index) => (index * 31 + (index >> 8)) & 0xff));

function places(seed = 1, loss = 0) {
  const world = new World({ seed });
  const segment = world.segment('lan');
  const hosts = ['client', 'before', 'after'].map((name) => {
    const host = world.host(name);
    const elements = [new Delay(milliseconds(5)), new RandomLoss(loss)];
    world.attach(host, segment, { outbound: elements, inbound: elements });
    return host;
  });
  return { world, client: hosts[0]!, before: hosts[1]!, after: hosts[2]! };
}

/** A server at `before`, and a client connected to it; both ends of the connection. */
async function connected({ world, client, before }: ReturnType<typeof places>): Promise<[Socket, Socket]> {
  let accepted: Socket | undefined;
  createServer('test/moving', { host: before, pauseOnConnect: true }, (socket: Socket) => {
    accepted = socket;
  }).listen();
  const socket = connect('test/moving', { host: client });
  await world.runAsync({ until: () => accepted !== undefined && !socket.connecting });
  return [socket, accepted!];
}

async function handedOver(world: World, socket: Socket): Promise<Buffer> {
  let state: Buffer | undefined;
  let failure: unknown;
  socket.handoff().then(
    (bytes) => {
      state = bytes;
    },
    (error) => {
      failure = error;
    },
  );
  await world.runAsync({ until: () => state !== undefined || failure !== undefined });
  if (state === undefined) throw failure;
  return state;
}

function gather(socket: Socket): { bytes: Buffer; ended: boolean } {
  const gathered = { bytes: Buffer.alloc(0), ended: false };
  socket.on('data', (chunk: Buffer) => {
    gathered.bytes = Buffer.concat([gathered.bytes, chunk]);
  });
  socket.on('end', () => {
    gathered.ended = true;
  });
  return gathered;
}

describe('a connection that is handed off', () => {
  it.each([
    [1, 0],
    [2, 0.02],
    [3, 0.02],
    [4, 0.05],
  ])('goes on elsewhere with all that was under way: seed %i, %f of the packets lost', async (seed, loss) => {
    const here = places(seed, loss);
    const { world, after } = here;
    const [client, server] = await connected(here);
    const atClient = gather(client);
    client.write(pattern);
    server.write(pattern);
    await world.runAsync({ for: milliseconds(40) });
    const state = await handedOver(world, server);
    expect(server.destroyed).toBe(true);
    const moved = await adopt(state, { host: after });
    const atServer = gather(moved);
    const told: string[] = [];
    for (const event of ['connect', 'migrate'] as const) moved.on(event, () => told.push(event));
    moved.end(pattern);
    await world.runAsync({ until: () => atClient.ended });
    client.end();
    await world.runAsync({ until: () => atServer.ended });
    expect(atClient.bytes.equals(Buffer.concat([pattern, pattern]))).toBe(true);
    expect(atServer.bytes.equals(pattern)).toBe(true);
    expect(new Set(told)).toEqual(new Set(['migrate']));
    await world.runAsync({ for: milliseconds(15_000) });
    for (const host of [here.client, here.before, after]) expect(host.stack.sal.flowTable.size).toBe(0);
  });

  it('may be the client as well, and may go on twice', async () => {
    const here = places();
    const { world, before, after } = here;
    const [client, server] = await connected(here);
    const once = await adopt(await handedOver(world, client), { host: after });
    await world.runAsync({ for: milliseconds(100) });
    const twice = await adopt(await handedOver(world, once), { host: before });
    const atServer = gather(server);
    server.resume();
    twice.end('still here');
    await world.runAsync({ until: () => atServer.ended });
    expect(atServer.bytes.toString()).toBe('still here');
  });

  it('may be one of many that a server leaves to its successor', async () => {
    const here = places();
    const { world, client: host, before, after } = here;
    const counted = (socket: Socket): void => void socket.on('data', (chunk: Buffer) => socket.write(chunk));
    const server = createServer('test/many', { host: before }, counted);
    server.listen();
    const clients = Array.from({ length: 20 }, () => connect('test/many', { host }));
    const echoes = clients.map(gather);
    for (const [index, client] of clients.entries()) client.write(`first of ${index}, `);
    await world.runAsync({ for: milliseconds(200) });
    let count: number | undefined;
    let isClosed = false;
    server.on('close', () => {
      isClosed = true;
    });
    server
      .handoff(async (state) => counted(await adopt(state, { host: after })))
      .then((sent) => {
        count = sent;
      });
    for (const [index, client] of clients.entries()) client.end(`last of ${index}`);
    await world.runAsync({ until: () => isClosed && count !== undefined && echoes.every(({ ended }) => ended) });
    expect(count).toBe(20);
    for (const [index, { bytes }] of echoes.entries()) {
      expect(bytes.toString()).toBe(`first of ${index}, last of ${index}`);
    }
  });

  it('is left by one process only, and taken by one only', async () => {
    const here = places();
    const { world, after } = here;
    const [, server] = await connected(here);
    const state = await handedOver(world, server);
    await expect(handedOver(world, server)).rejects.toMatchObject({ code: 'ENOTCONN', syscall: 'handoff' });
    await adopt(state, { host: after });
    await expect(adopt(state, { host: after })).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'adopt' });
  });

  it('is not left once it has ended, nor before it is connected', async () => {
    const here = places();
    const { world, client: host } = here;
    const [client, server] = await connected(here);
    await expect(
      connect('test/nobody', { host })
        .on('error', () => {})
        .handoff(),
    ).rejects.toMatchObject({ code: 'ENOTCONN' });
    client.end();
    server.resume();
    await world.runAsync({ for: milliseconds(100) });
    await expect(handedOver(world, server)).rejects.toMatchObject({ code: 'ENOTCONN' });
  });

  it('is made of nothing else', async () => {
    const here = places();
    const { world, after } = here;
    const [, server] = await connected(here);
    const state = JSON.parse((await handedOver(world, server)).toString());
    const wrong: unknown[] = [
      undefined,
      'text',
      Buffer.from('{}'),
      Buffer.from('nonsense'),
      ...[
        { version: 2 },
        { flow: { ...state.flow, localFlowID: 0 } },
        { flow: { ...state.flow, remote: [4, 70_000, 1, 0, 0, 0] } },
        { flow: { ...state.flow, localNonce: [1] } },
        { stream: { ...state.stream, sent: -1 } },
        { stream: { ...state.stream, unacknowledged: '!' } },
        { local: 'acme' },
      ].map((part) => Buffer.from(JSON.stringify({ ...state, ...part }))),
    ];
    for (const bytes of wrong) await expect(adopt(bytes as Buffer, { host: after })).rejects.toThrow(TypeError);
    expect(after.stack.sal.flowTable.size).toBe(0);
  });
});
