import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode, ServalError } from '../../lib/errors';
import { connect, createServer } from '../../lib/socket/connections';
import * as promises from '../../lib/socket/promises';
import { serviceID, servicePrefix } from '../../lib/socket/service-name';
import type { StreamServer } from '../../lib/socket/stream-server';
import type { StreamSocket } from '../../lib/socket/stream-socket';
import { EventRecord } from './event-record';
import { MemoryHost } from './memory-host';
import { type Network, overNet, overServal } from './network';

let host: MemoryHost;
beforeEach(() => {
  host = new MemoryHost();
});

function code(value: string): object {
  return expect.objectContaining({ code: value });
}

async function settle(milliseconds = 10): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe('ways to listen', () => {
  test.each<[string, () => StreamServer]>([
    ['a name in createServer', () => createServer('acme/web', { host }).listen()],
    ['a name in listen', () => createServer({ host }).listen('acme/web')],
    ['a name in the options of createServer', () => createServer({ host, serviceID: 'acme/web' }).listen()],
    ['a name in the options of listen', () => createServer({ host }).listen({ serviceID: 'acme/web' })],
    ['the name of listen goes before', () => createServer('acme/other', { host }).listen('acme/web')],
    ['a ServiceID', () => createServer({ host }).listen(serviceID('acme/web'))],
    ['hex digits', () => createServer({ host }).listen(serviceID('acme/web').toString())],
    ['a prefix', () => createServer({ host }).listen('acme/*')],
    ['a ServicePrefix', () => createServer({ host }).listen(servicePrefix('acme/*'))],
    ['new createServer', () => (Reflect.construct(createServer, ['acme/web', { host }]) as StreamServer).listen()],
  ])('%s', async (_title, call) => {
    const server = call();
    expect(server.listening).toBe(true);
    await once(server, 'listening');
    const socket = connect('acme/web', { host });
    await once(socket, 'connect');
    expect(socket.remoteServiceID?.equals(serviceID('acme/web'))).toBe(true);
    socket.destroy();
    server.close();
  });

  test('the address says what is served', async () => {
    const server = createServer({ host });
    expect(server.address()).toBe(null);
    server.listen('acme/web');
    const id = serviceID('acme/web');
    expect(server.address()).toMatchObject({ address: id.toString(), family: 'Serval', port: 0 });
    expect(server.address()?.serviceID.equals(id)).toBe(true);
    server.close();
    expect(server.address()).toBe(null);
    const prefix = createServer({ host }).listen('acme/*').address()?.prefix;
    expect(prefix?.equals(servicePrefix('acme/*'))).toBe(true);
  });

  test('without a name, a random service that the address tells', async () => {
    const server = createServer({ host }, (socket) => socket.end()).listen();
    const id = server.address()!.serviceID;
    expect(id.equals(createServer({ host }).listen().address()!.serviceID)).toBe(false);
    const socket = connect(id, { host });
    await once(socket, 'connect');
    expect(socket.serviceID).toBe(id);
  });

  test('options reach the host', () => {
    const options = { backlog: 5, sendBuffer: 10, receiveBuffer: 20, picker: 'rendezvous' } as const;
    createServer({ host }).listen('acme/web', { ...options, weight: 3 });
    expect(host.listenOptions).toEqual([{ ...options, weight: 3 * 1024 }]);
  });

  test('listening is emitted later, and the callback called', async () => {
    const server = createServer('acme/web', { host });
    const order: string[] = [];
    server.listen(() => order.push('callback')).on('listening', () => order.push('event'));
    expect(order).toEqual([]);
    await settle();
    expect(order).toEqual(['callback', 'event']);
  });

  test('not when it was closed in between', async () => {
    const server = createServer('acme/web', { host });
    let isListening = false;
    server.listen(() => (isListening = true)).close();
    await once(server, 'close');
    expect(isListening).toBe(false);
  });
});

describe('listening that fails', () => {
  test('a taken service', async () => {
    createServer({ host }).listen('acme/web');
    const second = createServer({ host }).listen('acme/web');
    const [error] = await once(second, 'error');
    expect(error).toBeInstanceOf(ServalError);
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'listen',
      serviceID: serviceID('acme/web').toString(),
      message: 'listen EADDRINUSE acme/web',
    });
    await once(second.listen('acme/other'), 'listening');
  });

  test('a host that is closed', async () => {
    host.nextThrow = new ServalError(ErrorCode.hostClosed, 'the host is closed');
    const [error] = await once(createServer({ host }).listen('acme/web'), 'error');
    expect(error).toMatchObject({ code: 'ERR_SERVAL_HOST_CLOSED' });
  });

  const server = () => createServer({ host });
  const bad = (value: unknown) => value as never;
  test.each<[string, () => unknown, string]>([
    ['twice', () => server().listen('acme/web').listen('acme/other'), 'ERR_SERVER_ALREADY_LISTEN'],
    ['a port', () => server().listen(bad(80)), 'ERR_INVALID_ARG_TYPE'],
    ['a bad name', () => server().listen('a//b'), 'ERR_SERVAL_INVALID_NAME'],
    ['257 bits', () => server().listen(`${'0'.repeat(64)}/257`), 'ERR_SERVAL_INVALID_NAME'],
    ['options that are a number', () => server().listen('acme', bad(5)), 'ERR_INVALID_ARG_TYPE'],
    ['a backlog of 0', () => server().listen('acme', { backlog: 0 }), 'ERR_OUT_OF_RANGE'],
    ['a backlog of text', () => server().listen('acme', { backlog: bad('5') }), 'ERR_INVALID_ARG_TYPE'],
    ['a picker that is none', () => server().listen('acme', { picker: bad('best') }), 'ERR_INVALID_ARG_VALUE'],
    ['a weight below 0', () => server().listen('acme', { weight: -0.5 }), 'ERR_OUT_OF_RANGE'],
    ['a weight that is no number', () => server().listen('acme', { weight: Number.NaN }), 'ERR_OUT_OF_RANGE'],
    ['a weight of text', () => server().listen('acme', { weight: bad('1') }), 'ERR_INVALID_ARG_TYPE'],
    ['a signal that is none', () => server().listen('acme', { signal: bad(1) }), 'ERR_INVALID_ARG_TYPE'],
    ['createServer with a number', () => createServer(bad(80)), 'ERR_INVALID_ARG_TYPE'],
    ['createServer with a bad name', () => createServer(''), 'ERR_SERVAL_INVALID_NAME'],
    ['createServer with a bad host', () => createServer({ host: bad({}) }), 'ERR_INVALID_ARG_TYPE'],
    ['a high-water mark of text', () => createServer({ highWaterMark: bad('x') }), 'ERR_INVALID_ARG_TYPE'],
    ['getConnections without a callback', () => server().getConnections(bad(undefined)), 'ERR_INVALID_ARG_TYPE'],
  ])('%s', (_title, call, expected) => {
    expect(call).toThrow(code(expected));
  });
});

describe('connections', () => {
  test('are counted, and closing waits for them', async () => {
    const server = createServer('acme/web', { host }, (socket) => socket.resume()).listen();
    const sockets = [connect('acme/web', { host }), connect('acme/web', { host })];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect(await count(server)).toBe(2);
    let isClosed = false;
    server.close(() => (isClosed = true));
    sockets[0]?.end();
    await settle();
    expect([await count(server), isClosed]).toEqual([1, false]);
    const refused = connect('acme/web', { host });
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    sockets[1]?.end();
    await once(server, 'close');
    expect(isClosed).toBe(true);
  });

  test('carry the options of the server', async () => {
    const options = { host, allowHalfOpen: true, highWaterMark: 1234 };
    const server = createServer('acme/web', options).listen();
    const client = connect('acme/web', { host });
    const [socket] = (await once(server, 'connection')) as [StreamSocket];
    expect([socket.server, socket.allowHalfOpen]).toEqual([server, true]);
    expect([socket.readableHighWaterMark, socket.writableHighWaterMark]).toEqual([1234, 1234]);
    client.destroy();
  });

  test('a rejected listener destroys its socket', async () => {
    const server = createServer({ host, captureRejections: true }, async () => {
      throw new Error('mine');
    }).listen('acme/web');
    const client = connect('acme/web', { host });
    const [socket] = (await once(server, 'connection')) as [StreamSocket];
    expect((await once(socket, 'error'))[0]).toMatchObject({ message: 'mine' });
    client.destroy();
  });

  test('each is told to diagnostics', async () => {
    const seen: string[] = [];
    const client = (message: unknown) => seen.push(`client ${Object.keys(message as object)}`);
    const server = (message: unknown) => seen.push(`server ${Object.keys(message as object)}`);
    subscribe('serval.client.socket', client);
    subscribe('serval.server.socket', server);
    createServer('acme/web', { host }).listen();
    const socket = connect('acme/web', { host });
    await once(socket, 'connect');
    expect(seen).toEqual(['client socket', 'server socket']);
    unsubscribe('serval.client.socket', client);
    unsubscribe('serval.server.socket', server);
    socket.destroy();
  });

  test('are accepted in the asynchronous context of listen', async () => {
    const storage = new AsyncLocalStorage<string>();
    const server = createServer('acme/web', { host });
    storage.run('mine', () => server.listen());
    const seen = new Promise((resolve) => server.on('connection', () => resolve(storage.getStore())));
    connect('acme/web', { host });
    expect(await seen).toBe('mine');
  });
});

describe('maxConnections, as with net', () => {
  const tell = async (network: Network) => {
    const stage = await network.listen({});
    stage.server.maxConnections = 1;
    const record = new EventRecord(stage.server, ['connection', 'drop']);
    const first = stage.connect(stage.socket());
    await once(first, 'connect');
    const dropped = once(stage.server, 'drop');
    const second = stage.connect(stage.socket()).resume();
    const told = new EventRecord(second, ['connect', 'end', 'finish']);
    const [data] = await dropped;
    await new Promise((resolve) => second.on('close', resolve));
    first.destroy();
    const closed = once(stage.server, 'close');
    stage.server.close();
    await closed;
    return { server: record.entries, client: told.entries, keys: Object.keys(data), family: data.remoteFamily };
  };

  test('further connections are closed, with a drop event', async () => {
    const { keys: expectedKeys, ...expected } = await tell(overNet);
    const { keys, ...actual } = await tell(overServal);
    expect(actual).toEqual(expected);
    expect(keys).toEqual(expect.arrayContaining([...expectedKeys, 'localServiceID', 'remoteServiceID']));
  });
});

describe('close', () => {
  test('when not listening is an error to the callback, and close is emitted', async () => {
    const server = createServer({ host });
    const told = new Promise((resolve) => server.close(resolve));
    await once(server, 'close');
    expect(await told).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  test('then listen again', async () => {
    const server = createServer('acme/web', { host }).listen();
    await once(server.close(), 'close');
    await once(server.listen(), 'listening');
    server.close();
  });

  test('inside of connection', async () => {
    const server = createServer('acme/web', { host }, (socket) => {
      server.close();
      socket.end();
    }).listen();
    connect('acme/web', { host });
    await once(server, 'close');
  });

  test('by signal, before and after', async () => {
    const controller = new AbortController();
    const server = createServer({ host }).listen('acme/web', { signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    await once(server, 'close');
    await once(createServer({ host }).listen('acme/web', { signal: AbortSignal.abort() }), 'close');
    await once(createServer({ host }).listen('acme/web'), 'listening');
  });

  test('by asyncDispose, twice', async () => {
    const server = createServer('acme/web', { host }).listen();
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    expect(server.listening).toBe(false);
  });
});

describe('promises', () => {
  test('listen, accept with for await, connect', async () => {
    const server = await promises.listen('acme/web', { host });
    const accepting = (async () => {
      let accepted = 0;
      for await (const socket of server) {
        socket.end(`hello ${++accepted}`);
        if (accepted === 2) server.close();
      }
      return accepted;
    })();
    for (const expected of ['hello 1', 'hello 2']) {
      const socket = await promises.connect('acme/web', { host });
      let text = '';
      for await (const chunk of socket) text += chunk;
      expect(text).toBe(expected);
    }
    expect(await accepting).toBe(2);
  });

  test('failures reject', async () => {
    await promises.listen('acme/web', { host });
    await expect(promises.listen('acme/web', { host })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(promises.connect('acme/none', { host })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(promises.connect('')).rejects.toMatchObject({ code: 'ERR_SERVAL_INVALID_NAME' });
    const aborted = promises.connect('acme/web', { host, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORT_ERR' });
  });
});

function count(server: StreamServer): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, connections) => resolve(connections)));
}
