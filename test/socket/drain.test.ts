// The end of a server, and what it asks for while it lives: drain, weight, load, maxConnections.
import { once } from 'node:events';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DRAIN_MINIMUM, IDLE_CHECK_INTERVAL } from '../../lib/limits';
import { connect, createServer } from '../../lib/socket/connections';
import { createSocket } from '../../lib/socket/datagram-socket';
import type { StreamServer } from '../../lib/socket/stream-server';
import type { StreamSocket } from '../../lib/socket/stream-socket';
import { EventRecord } from './event-record';
import { MemoryHost } from './memory-host';

let host: MemoryHost;
beforeEach(() => {
  host = new MemoryHost();
});

const settle = (milliseconds = 10) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const code = (value: string) => expect.objectContaining({ code: value });

/** A server with so many connections; what comes in is thrown away. */
async function busyServer(count: number): Promise<{ server: StreamServer; clients: StreamSocket[] }> {
  const server = createServer('acme/web', { host }, (socket) => socket.on('error', () => {}).resume()).listen();
  const clients = await Promise.all(Array.from({ length: count }, () => client()));
  return { server, clients };
}

async function client(): Promise<StreamSocket> {
  const socket = connect('acme/web', { host });
  await once(socket, 'connect');
  return socket.on('error', () => {}).resume();
}

/** What became of it: 'end' in order, or the code of its error. */
function outcome(socket: StreamSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!));
  });
}

describe('drain', () => {
  test('takes nothing new at once, waits for what is open, and resolves behind close', async () => {
    const { server, clients } = await busyServer(2);
    const record = new EventRecord(server, ['draining']);
    const drained = server.drain().then((result) => {
      record.note('drained');
      return result;
    });
    expect([server.listening, server.draining, server.address()]).toEqual([false, true, null]);
    const [refused] = await once(connect('acme/web', { host }), 'error');
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    clients[0]!.end();
    await settle();
    expect(record.entries).toEqual(['draining']);
    clients[1]!.end();
    expect(await drained).toEqual({ finished: 2, cut: 0 });
    expect(record.entries).toEqual(['draining', 'close', 'drained']);
    expect(server.draining).toBe(false);
  });

  test('without connections lasts as long as first packets are under way', async () => {
    const { server } = await busyServer(0);
    const begun = performance.now();
    const closed = once(server, 'close').then(() => performance.now() - begun);
    expect(await server.drain()).toEqual({ finished: 0, cut: 0 });
    expect(performance.now() - begun).toBeGreaterThan(DRAIN_MINIMUM - 2);
    expect(await closed).toBeLessThan(DRAIN_MINIMUM);
  });

  test('without connections lasts no longer than it may', async () => {
    const { server } = await busyServer(0);
    const begun = performance.now();
    await server.drain({ timeout: 20 });
    expect(performance.now() - begun).toBeLessThan(DRAIN_MINIMUM);
    const [second, signal] = [await busyServer(0), AbortSignal.abort()];
    const again = performance.now();
    await second.server.drain({ signal });
    expect(performance.now() - again).toBeLessThan(DRAIN_MINIMUM);
  });

  test('resets what is open when the time is over', async () => {
    const { server, clients } = await busyServer(3);
    const outcomes = clients.slice(1).map(outcome);
    const begun = performance.now();
    const drained = server.drain({ timeout: 60 });
    clients[0]!.end();
    expect(await drained).toEqual({ finished: 1, cut: 2 });
    expect(performance.now() - begun).toBeGreaterThan(55);
    expect(await Promise.all(outcomes)).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  test('with a timeout of 0, at once', async () => {
    const { server, clients } = await busyServer(1);
    const told = outcome(clients[0]!);
    expect(await server.drain({ timeout: 0 })).toEqual({ finished: 0, cut: 1 });
    expect(await told).toBe('ECONNRESET');
  });

  test('ends what is open by a signal, before or while it drains', async () => {
    const late = new AbortController();
    for (const [signal, abort] of [
      [AbortSignal.abort(), () => {}],
      [late.signal, () => late.abort()],
    ] as const) {
      const { server } = await busyServer(1);
      const drained = server.drain({ signal });
      await settle();
      abort();
      expect(await drained).toEqual({ finished: 0, cut: 1 });
    }
  });

  test('twice is one drain, and the earlier end counts', async () => {
    const { server } = await busyServer(2);
    const record = new EventRecord(server, ['draining']);
    const results = [server.drain(), server.drain({ timeout: 20 }), server.drain({ timeout: 60_000 })];
    expect(await Promise.all(results)).toEqual(Array(3).fill({ finished: 0, cut: 2 }));
    expect(record.entries).toEqual(['draining', 'close']);
  });

  test('after close joins it; after the end there is nothing to drain', async () => {
    const { server, clients } = await busyServer(1);
    const closed = vi.fn();
    server.close(closed);
    const drained = server.drain({ timeout: 30 });
    expect(await drained).toEqual({ finished: 0, cut: 1 });
    expect(closed).toHaveBeenCalledOnce();
    expect(clients[0]!.destroyed || (await outcome(clients[0]!))).toBeTruthy();
    await expect(server.drain()).rejects.toEqual(code('ERR_SERVER_NOT_RUNNING'));
    await expect(createServer({ host }).drain()).rejects.toEqual(code('ERR_SERVER_NOT_RUNNING'));
  });

  test('leaves the server to be used again', async () => {
    const { server, clients } = await busyServer(1);
    const drained = server.drain();
    expect(() => server.listen('acme/other')).toThrow(code('ERR_SERVER_ALREADY_LISTEN'));
    clients[0]!.end();
    await drained;
    await once(server.listen('acme/web'), 'listening');
    const again = await client();
    const second = server.drain({ timeout: 0 });
    expect(await second).toEqual({ finished: 0, cut: 1 });
    again.destroy();
  });

  test('of a server that is still starting to listen', async () => {
    const server = createServer('acme/web', { host }).listen();
    const record = new EventRecord(server, ['listening', 'draining']);
    expect(await server.drain()).toEqual({ finished: 0, cut: 0 });
    expect(record.entries).toEqual(['draining', 'close']);
  });

  test('inside of connection', async () => {
    let drained: Promise<unknown> | undefined;
    const server = createServer('acme/web', { host }, (socket) => {
      drained = server.drain();
      socket.end();
    }).listen();
    (await client()).end();
    expect(await drained).toEqual({ finished: 1, cut: 0 });
  });

  test('keeps no timer and no listener when all has ended before', async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const { server, clients } = await busyServer(1);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const drained = server.drain({ timeout: 60_000, signal: controller.signal });
    expect(timers()).toBe(before + 1);
    clients[0]!.end();
    await drained;
    expect(timers()).toBeLessThanOrEqual(before);
    expect(removed).toHaveBeenCalledOnce();
  });

  test.each<[string, object]>([
    ['ERR_OUT_OF_RANGE', { timeout: -1 }],
    ['ERR_OUT_OF_RANGE', { timeout: Number.NaN }],
    ['ERR_OUT_OF_RANGE', { timeout: 2 ** 31 }],
    ['ERR_INVALID_ARG_TYPE', { timeout: '5' }],
    ['ERR_INVALID_ARG_TYPE', { signal: 1 }],
    ['ERR_INVALID_ARG_TYPE', 5 as never],
  ])('rejects with %s: %o', async (expected, options) => {
    const { server } = await busyServer(0);
    await expect(server.drain(options)).rejects.toEqual(code(expected));
    expect([server.listening, server.draining]).toEqual([true, false]);
    server.close();
  });
});

describe('handshakes that are under way', () => {
  test('are waited for by close, and their connections are served', async () => {
    host.hasHandshakes = true;
    const accepted: StreamSocket[] = [];
    const server = createServer('acme/web', { host }, (socket) => accepted.push(socket)).listen();
    const record = new EventRecord(server, []);
    server.close();
    await settle();
    expect(record.entries).toEqual([]);
    host.finishHandshakes(true);
    await settle();
    expect([accepted.length, record.entries]).toEqual([1, []]);
    accepted[0]!.destroy();
    await vi.waitFor(() => expect(record.entries).toEqual(['close']));
  });

  test('count in the result of drain', async () => {
    host.hasHandshakes = true;
    const { server, clients } = await busyServer(1);
    const drained = server.drain({ timeout: 40 });
    clients[0]!.end();
    host.finishHandshakes(true);
    expect(await drained).toEqual({ finished: 1, cut: 1 });
  });

  test('are reset when the time is over', async () => {
    host.hasHandshakes = true;
    const { server } = await busyServer(0);
    expect(await server.drain({ timeout: 20 })).toEqual({ finished: 0, cut: 0 });
    expect(host.handshakesReset).toBe(1);
  });

  test('of a former life do not close the server that listens again', async () => {
    host.hasHandshakes = true;
    const server = createServer('acme/web', { host }).listen();
    const record = new EventRecord(server, []);
    server.close();
    server.listen('acme/web');
    host.finishHandshakes();
    await settle();
    expect([record.entries, server.listening]).toEqual([[], true]);
    host.hasHandshakes = false;
    await once(server.close(), 'close');
  });
});

describe('weight', () => {
  test('is 1 at first, is set by listen or at any time, and reaches the host', () => {
    const server = createServer({ host });
    expect([server.weight, server.withdrawn]).toEqual([1, false]);
    server.listen('acme/web');
    server.weight = 3;
    server.weight = 0.5;
    expect([host.listenOptions[0]!.weight, host.weights]).toEqual([1024, [3072, 512]]);
    const second = createServer({ host }).listen('acme/other', { weight: 2 });
    expect([second.weight, host.listenOptions[1]!.weight]).toEqual([2, 2048]);
  });

  test('stays when the server listens again', async () => {
    const server = createServer('acme/web', { host });
    server.weight = 7;
    server.listen();
    await once(server.close(), 'close');
    server.listen();
    expect(host.listenOptions.map(({ weight }) => weight)).toEqual([7168, 7168]);
  });

  test('of 0 withdraws, from the start or later', () => {
    const server = createServer({ host }).listen('acme/web', { weight: 0 });
    expect([server.withdrawn, server.listening, host.listenOptions[0]!.weight]).toEqual([true, true, 0]);
    server.weight = 1;
    server.weight = 0;
    expect([server.withdrawn, host.weights]).toEqual([true, [1024, 0]]);
  });

  test.each([-1, 65_536, Number.NaN, Number.POSITIVE_INFINITY])('of %d throws, and changes nothing', (weight) => {
    const server = createServer({ host }).listen('acme/web');
    expect(() => {
      server.weight = weight;
    }).toThrow(code('ERR_OUT_OF_RANGE'));
    expect([server.weight, host.weights]).toEqual([1, []]);
  });

  test('is lowered by the reported load, in sixteenths, and never to nothing', () => {
    const server = createServer({ host }).listen('acme/web', { weight: 2 });
    for (const load of [0.5, 0.51, 1, 0]) server.reportLoad(load);
    expect(host.weights).toEqual([1024, 1024, 1, 2048]);
    server.weight = 0;
    server.reportLoad(0.5);
    expect(host.weights.slice(4)).toEqual([0, 0]);
    for (const load of [-0.1, 1.1, Number.NaN]) expect(() => server.reportLoad(load)).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => server.reportLoad('0.5' as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  });
});

describe('maxConnections', () => {
  const lastWeight = () => host.weights.at(-1);
  const lastPlaces = () => host.places.at(-1);

  test('is undefined at first, and costs nothing then', async () => {
    const { server, clients } = await busyServer(2);
    expect([server.maxConnections, server.withdrawn, host.weights, host.places]).toEqual([undefined, false, [], []]);
    for (const socket of clients) socket.destroy();
  });

  test('withdraws the service with the last place, and brings it back when a tenth is free', async () => {
    const { server, clients } = await busyServer(19);
    server.maxConnections = 20;
    expect([lastWeight(), lastPlaces(), server.withdrawn]).toEqual([1024, 1, false]);
    clients.push(await client());
    expect([lastWeight(), lastPlaces(), server.withdrawn]).toEqual([0, 0, true]);
    for (const [left, weight] of [
      [19, 0],
      [18, 1024],
      [17, 1024],
    ] as const) {
      clients.pop()!.destroy();
      await vi.waitFor(() => expect(server._connections).toBe(left));
      expect([lastWeight(), lastPlaces()]).toEqual([weight, 20 - left]);
    }
    for (const socket of clients) socket.destroy();
  });

  test('of 1 comes back with none', async () => {
    const { server, clients } = await busyServer(1);
    server.maxConnections = 1;
    expect([server.withdrawn, lastPlaces()]).toEqual([true, 0]);
    clients[0]!.destroy();
    await vi.waitFor(() => expect(server._connections).toBe(0));
    expect([server.withdrawn, lastPlaces()]).toEqual([false, 1]);
  });

  test('is set before listening, raised and taken back', async () => {
    const server = createServer('acme/web', { host });
    server.maxConnections = 0;
    server.listen();
    expect([host.listenOptions[0]!.weight, lastPlaces()]).toEqual([0, 0]);
    server.maxConnections = 5;
    expect([lastWeight(), lastPlaces()]).toEqual([1024, 5]);
    server.maxConnections = undefined;
    expect([lastWeight(), lastPlaces(), server.maxConnections]).toEqual([1024, Number.POSITIVE_INFINITY, undefined]);
  });

  test('and a weight of 0 both withdraw: the one does not bring back what the other keeps away', async () => {
    const { server, clients } = await busyServer(1);
    server.maxConnections = 1;
    server.weight = 2;
    expect([lastWeight(), server.withdrawn]).toEqual([0, true]);
    server.weight = 0;
    clients[0]!.destroy();
    await vi.waitFor(() => expect(server._connections).toBe(0));
    expect([lastWeight(), server.withdrawn]).toEqual([0, true]);
    server.weight = 2;
    expect([lastWeight(), server.withdrawn]).toEqual([2048, false]);
  });

  test('and drain: what ends does not bring the service back', async () => {
    const { server, clients } = await busyServer(2);
    server.maxConnections = 2;
    const drained = server.drain();
    const told = host.weights.length;
    for (const socket of clients) socket.end();
    expect(await drained).toEqual({ finished: 2, cut: 0 });
    expect(host.weights.slice(told)).toEqual([]);
    expect(server.withdrawn).toBe(false);
  });
});

describe('a datagram socket', () => {
  const only = () => [...host.datagrams].at(-1)!;
  const bound = async (options = {}) => {
    const socket = createSocket({ host }).bind({ serviceID: 'acme/log', ...options });
    await once(socket, 'listening');
    return socket;
  };

  test('without peers drains at once', async () => {
    const socket = await bound();
    const record = new EventRecord(socket, ['draining']);
    const drained = socket.drain();
    expect(socket.draining).toBe(true);
    expect(await drained).toEqual({ finished: 0, cut: 0 });
    expect([record.entries, socket.draining]).toEqual([['draining', 'close'], false]);
    await expect(socket.drain()).rejects.toEqual(code('ERR_SOCKET_DGRAM_NOT_RUNNING'));
  });

  test('is withdrawn, and waits for its peers', async () => {
    const socket = await bound();
    const handle = only();
    handle.peers = 2;
    const drained = socket.drain();
    socket.weight = 5;
    expect(handle.weights).toEqual([0]);
    await settle(IDLE_CHECK_INTERVAL + 20);
    expect(host.datagrams.size).toBe(1);
    handle.peers = 0;
    expect(await drained).toEqual({ finished: 2, cut: 0 });
    expect(host.datagrams.size).toBe(0);
  });

  test('ends with those that are left when the time is over', async () => {
    const socket = await bound();
    only().peers = 3;
    const drained = socket.drain({ timeout: 30 });
    only().peers = 1;
    expect(await drained).toEqual({ finished: 2, cut: 1 });
  });

  test('that is closed while it drains has drained', async () => {
    const socket = await bound();
    only().peers = 1;
    const drained = socket.drain();
    socket.close();
    expect(await drained).toEqual({ finished: 1, cut: 0 });
  });

  test('that is not bound drains as well', async () => {
    expect(await createSocket({ host }).drain()).toEqual({ finished: 0, cut: 0 });
  });

  test('has a weight, from bind or later', async () => {
    const socket = await bound({ weight: 3 });
    socket.weight = 0;
    expect([socket.weight, only().weights]).toEqual([0, [3072, 0]]);
    expect(() => createSocket({ host }).bind({ weight: -1 })).toThrow(code('ERR_OUT_OF_RANGE'));
  });
});
