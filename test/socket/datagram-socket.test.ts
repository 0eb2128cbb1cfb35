import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode, ServalError } from '../../lib/errors';
import type { RemoteInfo } from '../../lib/socket/datagram-events';
import { createSocket, DatagramSocket } from '../../lib/socket/datagram-socket';
import { serviceID } from '../../lib/socket/service-name';
import { MemoryHost } from './memory-host';

let host: MemoryHost;
beforeEach(() => {
  host = new MemoryHost();
});

async function bound(name: string): Promise<DatagramSocket> {
  const socket = createSocket({ host });
  await once(socket.bind(name), 'listening');
  return socket;
}

function code(value: string): object {
  return expect.objectContaining({ code: value });
}

/** Lets everything happen that is under way. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('unconnected', () => {
  test('a datagram arrives with where it came from, and can be answered', async () => {
    const server = await bound('acme/echo');
    server.on('message', (message, source) => server.send(message, source.serviceID));
    const client = createSocket({ host });
    client.send('hello', 'acme/echo');
    const [reply, source] = (await once(client, 'message')) as [Buffer, RemoteInfo];
    expect(reply.toString()).toBe('hello');
    expect(source.serviceID.equals(serviceID('acme/echo'))).toBe(true);
    expect(source).toMatchObject({ address: '10.0.0.1', family: 'IPv4', size: 5 });
    expect(source.port).toBeGreaterThan(0);
  });

  test('every form of send', async () => {
    const server = await bound('acme/log');
    const received: string[] = [];
    server.on('message', (message) => received.push(message.toString()));
    const client = createSocket({ host });
    const sent = (callback: (error: Error | null, bytes?: number) => void) => callback;
    await new Promise<void>((resolve) => {
      client.send('text', 'acme/log');
      client.send(Buffer.from('buffer'), serviceID('acme/log'));
      client.send(new Uint16Array([0x6161, 0x6262]), 'acme/log');
      client.send(['a ', Buffer.from('list')], 'acme/log');
      client.send('0123456789', 2, 5, 'acme/log');
      client.send('', 'acme/log');
      client.send(
        'last',
        'acme/log',
        sent((error, bytes) => {
          expect([error, bytes]).toEqual([null, 4]);
          resolve();
        }),
      );
    });
    await settle();
    expect(received).toEqual(['text', 'buffer', 'aabb', 'a list', '23456', '', 'last']);
  });

  test('send binds a socket that is not bound, once', async () => {
    const socket = createSocket({ host });
    let listening = 0;
    socket.on('listening', () => listening++);
    socket.send('x', 'acme/none');
    socket.send('y', 'acme/none');
    await settle();
    expect(listening).toBe(1);
    expect(socket.address().prefix.bits).toBe(256);
  });

  test('what is too large goes to the callback, or to error', async () => {
    const socket = createSocket({ host });
    const error = await new Promise((resolve) => socket.send(Buffer.alloc(5000), 'acme/log', resolve));
    expect(error).toBeInstanceOf(ServalError);
    expect(error).toMatchObject({ code: 'EMSGSIZE', syscall: 'send', serviceID: serviceID('acme/log').toString() });
    socket.send(Buffer.alloc(5000), 'acme/log');
    expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'EMSGSIZE' });
  });
});

describe('bind', () => {
  test('a taken service is EADDRINUSE as error, and the callback is not called', async () => {
    await bound('acme/log');
    const second = createSocket({ host });
    let called = false;
    second.bind('acme/log', () => (called = true));
    const [error] = await once(second, 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', message: 'bind EADDRINUSE acme/log' });
    await settle();
    expect(called).toBe(false);
    await once(second.bind('acme/other'), 'listening');
  });

  test('a failure with a callback but without an error listener does not pass unnoticed', async () => {
    await bound('acme/log');
    const second = createSocket({ host });
    second.bind('acme/log', () => {});
    const caught = await new Promise((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other);
        resolve(error);
      });
    });
    expect(caught).toMatchObject({ code: 'EADDRINUSE' });
  });

  test('a prefix takes every name below it', async () => {
    const server = await bound('acme/*');
    expect(server.address().prefix.bits).toBe(64);
    createSocket({ host }).send('x', 'acme/anything');
    expect(((await once(server, 'message')) as [Buffer])[0].toString()).toBe('x');
  });

  test('twice, or when closed', async () => {
    const socket = createSocket({ host }).bind('acme/log');
    expect(() => socket.bind('acme/log2')).toThrow(code('ERR_SOCKET_ALREADY_BOUND'));
    socket.close();
    expect(() => socket.bind('acme/log')).toThrow(code('ERR_SOCKET_DGRAM_NOT_RUNNING'));
  });
});

describe('connected', () => {
  test('datagrams go to the instance, until disconnect', async () => {
    const server = await bound('acme/time');
    const client = createSocket({ host });
    client.connect('acme/time');
    await once(client, 'connect');
    expect(client.remoteAddress()).toMatchObject({ address: '10.0.0.1', family: 'IPv4' });
    client.send('now?');
    expect(((await once(server, 'message')) as [Buffer])[0].toString()).toBe('now?');
    expect(() => client.send('x', 'acme/other')).toThrow(code('ERR_SOCKET_DGRAM_IS_CONNECTED'));
    expect(() => client.connect('acme/other')).toThrow(code('ERR_SOCKET_DGRAM_IS_CONNECTED'));
    client.disconnect();
    expect(() => client.disconnect()).toThrow(code('ERR_SOCKET_DGRAM_NOT_CONNECTED'));
    expect(() => client.remoteAddress()).toThrow(code('ERR_SOCKET_DGRAM_NOT_CONNECTED'));
    expect(() => client.send('x')).toThrow(code('ERR_SOCKET_DGRAM_NOT_CONNECTED'));
  });

  test('a failure goes to the callback, and the socket may try again', async () => {
    const client = createSocket({ host });
    const error = await new Promise((resolve) => client.connect('acme/none', resolve));
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
    client.connect('acme/none');
    expect((await once(client, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('connectTimeout', async () => {
    host.silent.add(serviceID('acme/mute').toString());
    const client = createSocket({ host });
    const error = await new Promise((resolve) => client.connect('acme/mute', { connectTimeout: 5 }, resolve));
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('an instance that goes away is an error, and the socket is no longer connected', async () => {
    await bound('acme/time');
    const client = createSocket({ host });
    await new Promise<void>((resolve) => client.connect('acme/time', () => resolve()));
    const [handle] = [...host.datagrams].slice(-1);
    handle?.fail(new ServalError(ErrorCode.connectionReset, 'gone'));
    expect((await once(client, 'error'))[0]).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    expect(() => client.remoteAddress()).toThrow(code('ERR_SOCKET_DGRAM_NOT_CONNECTED'));
  });
});

describe('the end', () => {
  test('close emits close once, later, and nothing after it', async () => {
    const socket = await bound('acme/log');
    const events: string[] = [];
    socket.on('message', () => events.push('message'));
    socket.close(() => events.push('callback')).on('close', () => events.push('close'));
    createSocket({ host }).send('late', 'acme/log');
    expect(events).toEqual([]);
    await settle();
    expect(events).toEqual(['callback', 'close']);
    for (const call of [() => socket.close(), () => socket.address(), () => socket.send('x', 'acme/log')]) {
      expect(call).toThrow(code('ERR_SOCKET_DGRAM_NOT_RUNNING'));
    }
    expect(host.datagrams.size).toBe(1);
  });

  test('closed inside of message', async () => {
    const socket = await bound('acme/log');
    let count = 0;
    socket.on('message', () => {
      count++;
      socket.close();
    });
    const client = createSocket({ host });
    client.send('1', 'acme/log');
    client.send('2', 'acme/log');
    await once(socket, 'close');
    await settle();
    expect(count).toBe(1);
  });

  test('by signal, now and later', async () => {
    const controller = new AbortController();
    const socket = createSocket({ host, signal: controller.signal }).bind('acme/log');
    await once(socket, 'listening');
    controller.abort();
    await once(socket, 'close');
    await once(createSocket({ host, signal: AbortSignal.abort() }), 'close');
  });

  test('by asyncDispose, twice', async () => {
    const socket = await bound('acme/log');
    await socket[Symbol.asyncDispose]();
    await socket[Symbol.asyncDispose]();
    expect(() => socket.address()).toThrow(code('ERR_SOCKET_DGRAM_NOT_RUNNING'));
  });
});

describe('misuse is refused at once', () => {
  const socket = () => createSocket({ host });
  const bad = undefined as never;
  test.each<[string, () => unknown, string]>([
    ['options that are a number', () => createSocket(7 as never), 'ERR_INVALID_ARG_TYPE'],
    ['a host that is none', () => createSocket({ host: {} as never }), 'ERR_INVALID_ARG_TYPE'],
    ['a signal that is none', () => createSocket({ signal: 'x' as never }), 'ERR_INVALID_ARG_TYPE'],
    ['bind to a number', () => socket().bind(80 as never), 'ERR_INVALID_ARG_TYPE'],
    ['bind to a bad name', () => socket().bind(''), 'ERR_SERVAL_INVALID_NAME'],
    ['send without a service', () => socket().send('x'), 'ERR_SOCKET_DGRAM_NOT_CONNECTED'],
    ['send to a port', () => socket().send('x', 53 as never, 'localhost' as never), 'ERR_INVALID_ARG_TYPE'],
    ['send to an object', () => socket().send('x', {} as never), 'ERR_INVALID_ARG_TYPE'],
    ['send to a bad name', () => socket().send('x', 'a//b'), 'ERR_SERVAL_INVALID_NAME'],
    ['send nothing', () => socket().send(bad, 'acme'), 'ERR_INVALID_ARG_TYPE'],
    ['send a number', () => socket().send(5 as never, 'acme'), 'ERR_INVALID_ARG_TYPE'],
    ['send a list with a number', () => socket().send([5] as never, 'acme'), 'ERR_INVALID_ARG_TYPE'],
    ['an offset outside', () => socket().send('abc', 4, 0, 'acme'), 'ERR_BUFFER_OUT_OF_BOUNDS'],
    ['a length outside', () => socket().send('abc', 1, 3, 'acme'), 'ERR_BUFFER_OUT_OF_BOUNDS'],
    ['connect to nothing', () => socket().connect(bad), 'ERR_MISSING_ARGS'],
    ['connect to a prefix', () => socket().connect('acme/*'), 'ERR_SERVAL_INVALID_NAME'],
    ['a bad timeout', () => socket().connect('acme', { connectTimeout: 0 }), 'ERR_OUT_OF_RANGE'],
    ['address before bind', () => socket().address(), 'ERR_SOCKET_DGRAM_NOT_RUNNING'],
    ['an IP group', () => socket().addMembership('224.0.0.1'), 'ENOPROTOOPT'],
    ['a ttl of text', () => socket().setTTL('1' as never), 'ERR_INVALID_ARG_TYPE'],
  ])('%s', (_title, call, expected) => {
    expect(call).toThrow(code(expected));
  });
});

test('a host that cannot open is an error of the operation', async () => {
  host.nextThrow = new ServalError(ErrorCode.hostClosed, 'the host is closed');
  const socket = createSocket({ host });
  socket.send('x', 'acme/log');
  expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ERR_SERVAL_HOST_CLOSED' });
});

test('listeners run in the asynchronous context of bind', async () => {
  const storage = new AsyncLocalStorage<string>();
  const socket = createSocket({ host });
  const seen = new Promise((resolve) => socket.on('message', () => resolve(storage.getStore())));
  storage.run('mine', () => socket.bind('acme/log'));
  createSocket({ host }).send('x', 'acme/log');
  expect(await seen).toBe('mine');
});

test('createSocket with new, and with a listener alone', async () => {
  const received = new Promise((resolve) => {
    const socket = Reflect.construct(createSocket, [{ host }, resolve]) as DatagramSocket;
    expect(socket).toBeInstanceOf(DatagramSocket);
    socket.bind('acme/log');
  });
  createSocket({ host }).send('x', 'acme/log');
  expect(String(await received)).toBe('x');
});
