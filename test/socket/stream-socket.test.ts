import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import net from 'node:net';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode, ServalError } from '../../lib/errors';
import { LINGER } from '../../lib/limits';
import { callable } from '../../lib/socket/callable';
import { connect, createConnection, createServer } from '../../lib/socket/connections';
import { serviceID } from '../../lib/socket/service-name';
import type { StreamServer } from '../../lib/socket/stream-server';
import { StreamSocket } from '../../lib/socket/stream-socket';
import { MemoryHost } from './memory-host';

let host: MemoryHost;
beforeEach(() => {
  host = new MemoryHost();
});

function code(value: string): object {
  return expect.objectContaining({ code: value });
}

async function serve(onConnection?: (socket: StreamSocket) => void, options: object = {}): Promise<StreamServer> {
  const server = createServer('acme/web', { host, ...options }, onConnection);
  await once(server.listen(), 'listening');
  return server;
}

/** Both ends of a connection. */
async function pair(options: object = {}, serverOptions: object = {}): Promise<[StreamSocket, StreamSocket]> {
  const server = await serve(undefined, serverOptions);
  const accepted = once(server, 'connection');
  const client = connect('acme/web', { host, ...options });
  await once(client, 'connect');
  const [socket] = (await accepted) as [StreamSocket];
  server.close();
  return [client, socket];
}

describe('the surface of net.Socket', () => {
  const internals = ['_writeGeneric', '_getpeername', '_getsockname', '_connecting', '_bytesDispatched'];

  test('every member of its prototype is there', () => {
    const missing = Object.getOwnPropertyNames(net.Socket.prototype).filter(
      (name) => !(name in StreamSocket.prototype) && !internals.includes(name),
    );
    expect(missing).toEqual([]);
  });

  test('every own property of a fresh one that a program may read is there', () => {
    const ours = new StreamSocket();
    for (const name of ['connecting', '_hadError', '_parent', '_host', 'server', '_server', 'allowHalfOpen']) {
      expect([name, Reflect.get(ours, name)]).toEqual([name, Reflect.get(new net.Socket(), name)]);
    }
    expect(ours._handle).toBe(null);
  });

  test('properties before, while and after a connection', async () => {
    await serve((socket) => socket.end());
    const socket = new StreamSocket({ host });
    expect([socket.pending, socket.readyState, socket.bufferSize, socket.address()]).toEqual([
      true,
      'open',
      undefined,
      {},
    ]);
    socket.connect('acme/web');
    expect([socket.pending, socket.connecting, socket.readyState]).toEqual([true, true, 'opening']);
    expect(socket.remoteAddress).toBe(undefined);
    await once(socket, 'connect');
    expect([socket.pending, socket.connecting, socket.readyState, socket.bufferSize]).toEqual([
      false,
      false,
      'open',
      0,
    ]);
    expect([socket.remoteAddress, socket.remoteFamily, socket.remotePort]).toEqual(['10.0.0.2', 'IPv4', 54325]);
    expect([socket.localAddress, socket.localFamily, socket.localPort]).toEqual(['10.0.0.1', 'IPv4', 50000]);
    expect(socket.address()).toMatchObject({ address: '10.0.0.1', family: 'IPv4', port: 50000 });
    expect(socket.serviceID?.equals(serviceID('acme/web'))).toBe(true);
    expect(socket.remoteServiceID?.equals(serviceID('acme/web'))).toBe(true);
    socket.resume();
    await once(socket, 'close');
    expect([socket.pending, socket.readyState, socket.localAddress]).toEqual([true, 'closed', undefined]);
    expect(socket.remoteAddress).toBe('10.0.0.2');
  });

  test('bytes are counted as net counts them', async () => {
    const [client, server] = await pair();
    server.resume();
    client.write('12345');
    client.cork();
    client.write('678');
    expect(client.bytesWritten).toBe(8);
    client.uncork();
    client.end('é');
    await once(server, 'end');
    expect([client.bytesWritten, server.bytesRead]).toEqual([10, 10]);
  });

  test('is callable without new, and a class to extend', () => {
    const Socket = callable(StreamSocket, 'Socket');
    const plain = Socket({ allowHalfOpen: true });
    expect(plain).toBeInstanceOf(Socket);
    expect(plain).toBeInstanceOf(StreamSocket);
    expect(plain.allowHalfOpen).toBe(true);
    expect(plain.constructor).toBe(Socket);
    class Mine extends Socket {
      greet() {
        return this.readyState;
      }
    }
    expect(new Mine().greet()).toBe('open');
    expect(new Mine()).toBeInstanceOf(Mine);
  });
});

describe('ways to connect', () => {
  test.each<[string, () => StreamSocket]>([
    ['a name', () => connect('acme/web', { host })],
    ['a ServiceID', () => connect(serviceID('acme/web'), { host })],
    ['64 hex digits', () => connect(serviceID('acme/web').toString(), { host })],
    ['options', () => connect({ serviceID: 'acme/web', host })],
    ['the options of an http agent', () => createConnection({ serviceID: 'acme/web', host, port: 80, path: null })],
    ['a socket that knows its service', () => new StreamSocket({ serviceID: 'acme/web', host }).connect(5432, 'db')],
    ['options of net', () => new StreamSocket({ serviceID: 'acme/web', host }).connect({ port: 1, host: 'x' })],
    ['new connect()', () => Reflect.construct(connect, ['acme/web', { host }]) as StreamSocket],
  ])('%s', async (_title, call) => {
    await serve((socket) => socket.end());
    const socket = call();
    await once(socket, 'connect');
    socket.destroy();
  });

  test('the listener is called once, on connect', async () => {
    await serve();
    let calls = 0;
    const socket = connect('acme/web', { host }, () => calls++);
    await once(socket, 'ready');
    expect(calls).toBe(1);
    socket.destroy();
  });

  test('a closed socket connects again', async () => {
    await serve((socket) => socket.end('hi'));
    const socket = new StreamSocket({ host });
    for (let round = 0; round < 3; round++) {
      socket.connect('acme/web');
      let text = '';
      socket.on('data', (chunk) => (text += chunk));
      await once(socket, 'close');
      expect(text).toBe('hi');
      expect(socket.bytesRead).toBe(2);
      socket.removeAllListeners('data');
    }
  });

  test('options of the attempt reach the host', async () => {
    await serve();
    const socket = connect('acme/web', { host, connectTimeout: 1234, sendBuffer: 1000, receiveBuffer: 2000 });
    await once(socket, 'connect');
    expect(host.connectOptions).toEqual([{ timeout: 1234, sendBuffer: 1000, receiveBuffer: 2000 }]);
    socket.destroy();
  });

  test('noDelay and keepAlive, before and after connect', async () => {
    await serve(undefined, { noDelay: true, keepAlive: true, keepAliveInitialDelay: 7000 });
    const socket = connect('acme/web', { host, noDelay: true });
    socket.setKeepAlive(true, 5000);
    await once(socket, 'connect');
    socket.setNoDelay(false).setKeepAlive(false);
    const [client, server] = host.streams;
    expect(client?.calls).toEqual([
      'keepAlive true 5000',
      'noDelay true',
      'keepAlive true 5000',
      'noDelay false',
      'keepAlive false 0',
    ]);
    expect(server?.calls).toEqual(['noDelay true', 'keepAlive true 7000']);
    socket.destroy();
  });

  test('ref and unref, before and after connect', async () => {
    await serve();
    const socket = new StreamSocket({ host }).unref().connect('acme/web');
    expect(host.streams[0]?.isReferenced).toBe(false);
    socket.ref();
    expect(host.streams[0]?.isReferenced).toBe(true);
    socket.destroy();
  });
});

describe('attempts that fail', () => {
  test.each<[string, string, () => StreamSocket]>([
    ['nobody serves it', 'ECONNREFUSED', () => connect('acme/none', { host })],
    ['nobody answers', 'ETIMEDOUT', () => connect('acme/mute', { host, connectTimeout: 10 })],
  ])('%s: %s', async (_title, expected, call) => {
    host.silent.add(serviceID('acme/mute').toString());
    const socket = call();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException & ServalError];
    expect(error).toBeInstanceOf(ServalError);
    expect(error).toMatchObject({ code: expected, syscall: 'connect', serviceID: socket.serviceID?.toString() });
    expect(error.message).toMatch(new RegExp(`^connect ${expected} acme/`));
    expect(error.errno).toBeLessThan(0);
    expect(error.cause).toBeInstanceOf(ServalError);
  });

  test('a host that cannot connect', async () => {
    host.nextThrow = new ServalError(ErrorCode.hostClosed, 'the host is closed');
    const [error] = await once(connect('acme/web', { host }), 'error');
    expect(error).toMatchObject({ code: 'ERR_SERVAL_HOST_CLOSED', message: 'the host is closed acme/web' });
  });

  test('a signal, before and during and after', async () => {
    const early = connect('acme/web', { host, signal: AbortSignal.abort() });
    expect((await once(early, 'error'))[0]).toMatchObject({ code: 'ABORT_ERR' });
    expect(host.streams.length).toBe(0);

    const controller = new AbortController();
    const during = connect('acme/mute', { host, signal: controller.signal });
    controller.abort();
    expect((await once(during, 'error'))[0]).toMatchObject({ code: 'ABORT_ERR', name: 'AbortError' });

    const later = new AbortController();
    const [client] = await pair({ signal: later.signal });
    later.abort();
    expect((await once(client, 'error'))[0]).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('twice: EALREADY while connecting, EISCONN when connected', async () => {
    await serve();
    const first = connect('acme/web', { host });
    first.connect('acme/web');
    expect((await once(first, 'error'))[0]).toMatchObject({ code: 'EALREADY' });
    const second = connect('acme/web', { host });
    await once(second, 'connect');
    second.connect('acme/web');
    expect((await once(second, 'error'))[0]).toMatchObject({ code: 'EISCONN' });
  });
});

describe('lookup', () => {
  test('is called with the name, its answer is told and not used', async () => {
    await serve();
    const asked: unknown[] = [];
    const socket = connect('acme/web', {
      host,
      family: 4,
      lookup: (name, options, callback) => {
        asked.push(name, options);
        setImmediate(callback, null, '192.0.2.1', 4);
      },
    });
    const [error, address, family, name] = await once(socket, 'lookup');
    expect([error, address, family, name]).toEqual([null, '192.0.2.1', 4, 'acme/web']);
    expect(asked).toEqual(['acme/web', { family: 4, hints: 0 }]);
    await once(socket, 'connect');
    expect(socket.remoteAddress).toBe('10.0.0.2');
    socket.destroy();
  });

  test('asks for all addresses unless one family is wanted', async () => {
    await serve();
    const told: unknown[] = [];
    const socket = connect({
      serviceID: 'acme/web',
      host: 'web.example',
      lookup: (name, options, callback) => {
        told.push(name, options.all);
        callback(null, [
          { address: '192.0.2.1', family: 4 },
          { address: '::1', family: 6 },
        ]);
      },
    });
    socket.on('lookup', (_error, address, family) => told.push(address, family));
    socket.on('error', () => {});
    socket.destroy();
    expect(told).toEqual(['web.example', true]);
  });

  test('an error ends the attempt', async () => {
    const socket = connect('acme/web', {
      host,
      lookup: (_name, _options, callback) => callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), ''),
    });
    expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ENOTFOUND' });
    expect(host.streams.length).toBe(0);
  });

  test('destroyed before it answers', async () => {
    let answer = () => {};
    const socket = connect('acme/web', {
      host,
      lookup: (_name, _options, callback) => {
        answer = () => callback(null, '192.0.2.1', 4);
      },
    });
    socket.destroy();
    answer();
    await once(socket, 'close');
    expect(host.streams.length).toBe(0);
  });
});

describe('back-pressure', () => {
  const SIZE = 10_000_000;

  test('a pipeline of 10 MB arrives whole, and memory stays bounded', async () => {
    const [client, server] = await pair();
    const block = Buffer.alloc(100_000);
    for (let index = 0; index < block.length; index++) block[index] = index * 7;
    let most = 0;
    const source = Readable.from(
      (function* () {
        for (let sent = 0; sent < SIZE; sent += block.length) {
          most = Math.max(most, client.writableLength);
          yield block;
        }
      })(),
    );
    let length = 0;
    let isIntact = true;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        for (let index = 0; index < chunk.length; index += 997) {
          if (chunk[index] !== (((length + index) % block.length) * 7) % 256) isIntact = false;
        }
        length += chunk.length;
        setImmediate(callback);
      },
    });
    await Promise.all([pipeline(source, client), pipeline(server, sink)]);
    expect([length, isIntact]).toEqual([SIZE, true]);
    expect(most).toBeLessThan(400_000);
  });

  test('a reader that does not read stops the writer', async () => {
    const [client, server] = await pair();
    server.pause();
    let isDrained = false;
    client.on('drain', () => (isDrained = true));
    client.write(Buffer.alloc(1_000_000));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([isDrained, client.writableLength]).toEqual([false, 1_000_000]);
    expect(server.readableLength).toBeLessThan(100_000);
    server.resume();
    await once(client, 'drain');
    expect(client.writableLength).toBe(0);
    client.destroy();
  });

  test('a write is called back when all of it was accepted, and drain comes after', async () => {
    const [client, server] = await pair({ sendBuffer: 10 });
    const order: string[] = [];
    server.resume();
    client.on('drain', () => order.push('drain'));
    client.write(Buffer.alloc(100_000), () => order.push('first'));
    client.write('second', () => order.push('second'));
    await once(client, 'drain');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order[0]).toBe('first');
    expect(order.sort()).toEqual(['drain', 'first', 'second']);
    client.destroy();
  });

  test('what does not fit is given up when the socket is destroyed', async () => {
    const [client, server] = await pair();
    server.pause();
    const told: unknown[] = [];
    client.write(Buffer.alloc(1_000_000), (error) => told.push((error as NodeJS.ErrnoException)?.code));
    client.write('x', (error) => told.push((error as NodeJS.ErrnoException)?.code));
    client.destroy();
    await once(client, 'close');
    // The write under way is told nothing, as with net.
    expect(told).toEqual([undefined, 'ERR_STREAM_DESTROYED']);
    expect(client.errored).toBe(null);
  });

  test('corked writes go in one', async () => {
    const [client, server] = await pair();
    client.cork();
    for (const part of ['a', 'b', 'c']) client.write(part);
    client.uncork();
    const [chunk] = await once(server.setEncoding('utf8'), 'readable').then(() => [server.read()]);
    expect(chunk).toBe('abc');
    client.destroy();
  });
});

describe('the end', () => {
  test('close waits until the peer has acknowledged the end, but not for ever', async () => {
    const [client, server] = await pair();
    server.pause();
    const begin = performance.now();
    // More than the peer's buffers take while it does not read: the end cannot be acknowledged.
    client.end(Buffer.alloc(180_000));
    await once(client, 'finish');
    expect(performance.now() - begin).toBeLessThan(LINGER / 2);
    client.destroy();
    await once(client, 'close');
    const waited = performance.now() - begin;
    expect(waited).toBeGreaterThan(LINGER - 50);
    expect(waited).toBeLessThan(LINGER + 1000);
    server.resume();
    await once(server, 'end');
    expect(server.bytesRead).toBe(180_000);
  });

  test('close comes at once with the acknowledgment; the server counts the connection until then', async () => {
    const server = await serve((socket) => socket.pause());
    const accepted = once(server, 'connection');
    const client = connect('acme/web', { host });
    const [socket] = (await accepted) as [StreamSocket];
    socket.end(Buffer.alloc(150_000));
    await once(socket, 'finish');
    socket.destroy();
    const events: string[] = [];
    socket.on('close', () => events.push('socket'));
    server.close(() => events.push('server'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([events, server._connections]).toEqual([[], 1]);
    const begin = performance.now();
    client.resume();
    await once(socket, 'close');
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(['server', 'socket']);
    expect(performance.now() - begin).toBeLessThan(LINGER / 2);
  });

  test('destroyed without an end, close does not wait', async () => {
    const [client, server] = await pair();
    server.pause();
    client.write(Buffer.alloc(150_000));
    const begin = performance.now();
    client.destroy();
    await once(client, 'close');
    expect(performance.now() - begin).toBeLessThan(LINGER / 2);
  });

  test('what was received stays readable when the connection is gone', async () => {
    const [client, server] = await pair();
    client.end('kept');
    server.end();
    await once(client.resume(), 'close');
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.setEncoding('utf8');
    expect(server.read()).toBe('kept');
    await once(server.resume(), 'close');
  });

  test('a connection that ends without an end of its stream is a premature close', async () => {
    const [client, server] = await pair();
    client.destroy();
    host.streams[1]?.fail(new ServalError(ErrorCode.timedOut, 'silence'));
    expect((await once(server, 'error'))[0]).toMatchObject({ code: 'ETIMEDOUT', syscall: 'read' });
  });

  test('a host that ends a connection without a word', async () => {
    const [client, server] = await pair();
    server.on('error', () => {});
    const closed = once(client, 'close');
    host.streams[0]?.reset();
    expect(await closed).toEqual([false]);
    expect(client.readableEnded).toBe(false);
  });

  test('reset before connect was called', async () => {
    const socket = new StreamSocket({ host }).resetAndDestroy();
    expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('write before connect was called', async () => {
    const socket = new StreamSocket({ host });
    const told = new Promise((resolve) => socket.write('x', resolve));
    socket.on('error', () => {});
    expect(await told).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('destroyed inside of every event', async () => {
    await serve((socket) => socket.on('error', () => {}).end('data'));
    for (const event of ['connect', 'ready', 'data', 'end', 'finish']) {
      const socket = connect('acme/web', { host });
      if (event !== 'data') socket.resume();
      socket.on(event, () => socket.destroy());
      await once(socket, 'close');
      expect([event, socket.destroyed]).toEqual([event, true]);
    }
  });

  test('destroyed twice, ended twice, closed once', async () => {
    const [client] = await pair();
    let closed = 0;
    client.on('close', () => closed++);
    client.end();
    client.end();
    client.destroy();
    client.destroy();
    client.destroySoon();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closed).toBe(1);
    expect(host.streams[0]?.calls).toEqual(['close']);
  });

  test('asyncDispose and for await', async () => {
    const [client, server] = await pair();
    server.end('text');
    let text = '';
    for await (const chunk of client) text += chunk;
    expect(text).toBe('text');
    const [other] = await pair();
    other.on('error', () => {});
    await other[Symbol.asyncDispose]();
    expect(other.destroyed).toBe(true);
  });
});

describe('the idle timeout', () => {
  test('is set back by traffic', async () => {
    const [client, server] = await pair();
    let timeouts = 0;
    client.setTimeout(60, () => timeouts++).resume();
    expect(client.timeout).toBe(60);
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      if (round % 2) client.write('x');
      else server.write('x');
    }
    expect(timeouts).toBe(0);
    await once(client, 'timeout');
    client.destroy();
  });

  test('0 turns it off and takes the listener away', async () => {
    const [client] = await pair();
    const listener = () => {};
    client.setTimeout(10, listener).setTimeout(0, listener);
    expect(client.listenerCount('timeout')).toBe(0);
    let timeouts = 0;
    client.on('timeout', () => timeouts++);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(timeouts).toBe(0);
    client.destroy();
  });

  test('the option of connect', async () => {
    host.silent.add(serviceID('acme/mute').toString());
    const socket = connect('acme/mute', { host, timeout: 10, connectTimeout: 5000 });
    await once(socket, 'timeout');
    expect(socket.connecting).toBe(true);
    socket.destroy();
  });
});

describe('onread', () => {
  test('bytes come into the buffer, and false pauses', async () => {
    const got: string[] = [];
    const buffer = Buffer.alloc(4);
    let wantsMore = true;
    const callback = (length: number, target: Uint8Array) => {
      got.push(Buffer.from(target.subarray(0, length)).toString());
      return wantsMore;
    };
    const [client, server] = await pair({ onread: { buffer, callback } });
    server.write('abcdefghij');
    await until(() => got.length === 3);
    expect(got).toEqual(['abcd', 'efgh', 'ij']);
    wantsMore = false;
    server.write('klmnop');
    await until(() => got.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(got.length).toBe(4);
    wantsMore = true;
    client.resume();
    expect(got[4]).toBe('op');
    server.end('q');
    await once(client, 'end');
    expect([got.join(''), client.bytesRead]).toEqual(['abcdefghijklmnopq', 17]);
  });

  test('a function gives the buffer of each read', async () => {
    const buffers: Uint8Array[] = [];
    const seen: Uint8Array[] = [];
    const buffer = () => {
      const next = Buffer.alloc(8);
      buffers.push(next);
      return next;
    };
    const [client, server] = await pair({
      onread: { buffer, callback: (_: number, used: Uint8Array) => seen.push(used) > 0 },
    });
    server.end('0123456789');
    await once(client.resume(), 'end');
    expect(seen).toEqual(buffers.slice(0, 2));
  });
});

test('listeners run in the asynchronous context of connect', async () => {
  const storage = new AsyncLocalStorage<string>();
  await serve((socket) => socket.end('x'));
  const seen: [string, unknown][] = [];
  const socket = storage.run('mine', () => connect('acme/web', { host }));
  for (const event of ['connect', 'data', 'end', 'close'])
    socket.on(event, () => seen.push([event, storage.getStore()]));
  await once(socket, 'close');
  expect(seen).toEqual([
    ['connect', 'mine'],
    ['data', 'mine'],
    ['end', 'mine'],
    ['close', 'mine'],
  ]);
});

describe('misuse is refused at once', () => {
  const socket = () => new StreamSocket({ host });
  const bad = (value: unknown) => value as never;
  test.each<[string, () => unknown, string]>([
    ['connect to nothing', () => connect(bad(undefined)), 'ERR_MISSING_ARGS'],
    ['connect to null', () => connect(bad(null)), 'ERR_INVALID_ARG_TYPE'],
    ['connect to an empty name', () => connect(''), 'ERR_SERVAL_INVALID_NAME'],
    ['connect to 63 hex digits', () => connect('a'.repeat(63)), 'ERR_SERVAL_INVALID_NAME'],
    ['connect to a prefix', () => connect('acme/*'), 'ERR_SERVAL_INVALID_NAME'],
    ['connect to a port', () => connect(bad(80)), 'ERR_MISSING_ARGS'],
    ['connect to true', () => connect(bad(true)), 'ERR_INVALID_ARG_TYPE'],
    ['connect to options without a name', () => connect({}), 'ERR_MISSING_ARGS'],
    ['options that are a number', () => connect('acme', bad(5)), 'ERR_INVALID_ARG_TYPE'],
    ['a lookup that is none', () => connect('acme', { host, lookup: bad('x') }), 'ERR_INVALID_ARG_TYPE'],
    ['a signal that is none', () => connect('acme', { host, signal: bad('x') }), 'ERR_INVALID_ARG_TYPE'],
    ['a timeout of text', () => connect('acme', { host, timeout: bad('x') }), 'ERR_INVALID_ARG_TYPE'],
    ['a timeout below zero', () => connect('acme', { host, timeout: -1 }), 'ERR_OUT_OF_RANGE'],
    ['a connectTimeout of 0', () => connect('acme', { host, connectTimeout: 0 }), 'ERR_OUT_OF_RANGE'],
    ['a sendBuffer of 1.5', () => connect('acme', { host, sendBuffer: 1.5 }), 'ERR_OUT_OF_RANGE'],
    ['a receiveBuffer of text', () => connect('acme', { host, receiveBuffer: bad('9') }), 'ERR_INVALID_ARG_TYPE'],
    ['a host that is none', () => connect('acme', { host: bad({}) }), 'ERR_INVALID_ARG_TYPE'],
    ['a file descriptor', () => new StreamSocket(bad({ fd: 3 })), 'ERR_INVALID_ARG_VALUE'],
    ['a handle', () => new StreamSocket(bad({ handle: {} })), 'ERR_INVALID_ARG_VALUE'],
    ['object mode', () => new StreamSocket(bad({ objectMode: true })), 'ERR_INVALID_ARG_VALUE'],
    ['a delay of text', () => new StreamSocket({ keepAliveInitialDelay: bad('x') }), 'ERR_INVALID_ARG_TYPE'],
    ['setTimeout of text', () => socket().setTimeout(bad('1')), 'ERR_INVALID_ARG_TYPE'],
    ['setTimeout of NaN', () => socket().setTimeout(Number.NaN), 'ERR_OUT_OF_RANGE'],
    ['setTimeout with no function', () => socket().setTimeout(1, bad('x')), 'ERR_INVALID_ARG_TYPE'],
    ['write of an object', () => socket().write(bad({})), 'ERR_INVALID_ARG_TYPE'],
  ])('%s', (_title, call, expected) => {
    expect(call).toThrow(code(expected));
    expect(host.streams.length).toBe(0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
