// Node's own http, unmodified, over serval sockets.

import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { Agent } from '../../lib/http/agent';
import { serve } from '../../lib/http/serve';
import { createConnection } from '../../lib/socket/connections';
import type { StreamServer } from '../../lib/socket/stream-server';
import { MemoryHost } from '../socket/memory-host';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

async function start(
  host: MemoryHost,
  listener: http.RequestListener,
): Promise<{ server: StreamServer; app: http.Server }> {
  const app = http.createServer(listener);
  const server = serve(app, 'acme/web', { host });
  await once(server, 'listening');
  open.push(server, { close: () => app.closeAllConnections() });
  return { server, app };
}

async function fetchText(options: http.RequestOptions & { serviceID?: string }, body?: Buffer): Promise<string> {
  const request = http.request(options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('http over serval', () => {
  test('200 requests over kept-alive connections of one agent', async () => {
    const host = new MemoryHost();
    const { server } = await start(host, (request, response) => response.end(`${request.method} ${request.url}`));
    const agent = new Agent({ host, keepAlive: true, maxSockets: 4 });
    open.push({ close: () => agent.destroy() });
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, n) => fetchText({ agent, serviceID: 'acme/web', path: `/${n}` })),
    );
    expect(replies).toEqual(Array.from({ length: 200 }, (_, n) => `GET /${n}`));
    expect(host.streams.length / 2).toBe(4);
    expect(server._connections).toBe(4);
  });

  test('the service is the host name where no serviceID is given', async () => {
    const host = new MemoryHost();
    await start(host, (request, response) => response.end(request.headers.host));
    const agent = new Agent({ host });
    expect(await fetchText({ agent, host: 'acme/web', path: '/' })).toBe('acme/web');
  });

  test('createConnection of a request, without an agent', async () => {
    const host = new MemoryHost();
    await start(host, (_, response) => response.end('plain'));
    const options = { createConnection: () => createConnection('acme/web', { host }) };
    expect(await fetchText(options)).toBe('plain');
  });

  test('a body of 10 MB, both ways', async () => {
    const host = new MemoryHost();
    await start(host, (request, response) => request.pipe(response));
    const agent = new Agent({ host, keepAlive: true });
    open.push({ close: () => agent.destroy() });
    const body = Buffer.alloc(10_000_000, 'serval');
    const reply = await fetchText({ agent, serviceID: 'acme/web', method: 'POST' }, body);
    expect(reply.length).toBe(body.length);
    expect(reply === body.toString()).toBe(true);
  });

  test('a refused service is an error of the request', async () => {
    const request = http.get({ agent: new Agent({ host: new MemoryHost() }), serviceID: 'acme/none' } as object);
    const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('a request is aborted by its signal', async () => {
    const host = new MemoryHost();
    await start(host, () => {});
    const controller = new AbortController();
    const agent = new Agent({ host });
    const request = http.get({ agent, serviceID: 'acme/web', signal: controller.signal } as object);
    request.on('socket', (socket) => socket.on('connect', () => controller.abort()));
    const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ABORT_ERR');
  });

  test('a request times out', async () => {
    const host = new MemoryHost();
    await start(host, () => {});
    const request = http.get({ agent: new Agent({ host }), serviceID: 'acme/web', timeout: 30 } as object);
    request.on('timeout', () => request.destroy(new Error('too slow')));
    const [error] = (await once(request, 'error')) as [Error];
    expect(error.message).toBe('too slow');
  });

  test('an upgrade hands over the socket', async () => {
    const host = new MemoryHost();
    const { app } = await start(host, () => {});
    app.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    const headers = { Connection: 'Upgrade', Upgrade: 'echo' };
    const request = http.get({ agent: new Agent({ host }), serviceID: 'acme/web', headers } as object);
    const [response, socket] = (await once(request, 'upgrade')) as [http.IncomingMessage, import('node:net').Socket];
    expect(response.statusCode).toBe(101);
    socket.write('hello');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect(echo.toString()).toBe('hello');
    socket.end();
    await once(socket, 'close');
  });

  test('closing the server ends idle connections and waits for the busy ones', async () => {
    const host = new MemoryHost();
    let release = () => {};
    const { server, app } = await start(host, (_request, response) => {
      release = () => response.end('done');
      app.emit('busy');
    });
    const reply = fetchText({ agent: new Agent({ host }), serviceID: 'acme/web' });
    await once(app, 'busy');
    const closed = once(server, 'close');
    server.close();
    let isClosed = false;
    server.on('close', () => (isClosed = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    release();
    expect(await reply).toBe('done');
    await closed;
  });

  test('closing the server ends kept-alive connections, and closes the http server', async () => {
    const host = new MemoryHost();
    const { server, app } = await start(host, (_, response) => response.end('kept'));
    const agent = new Agent({ host, keepAlive: true });
    open.push({ close: () => agent.destroy() });
    await fetchText({ agent, serviceID: 'acme/web' });
    const closed = Promise.all([once(server, 'close'), once(app, 'close')]);
    server.close();
    await closed;
  });

  test('an http server that is served twice is closed with the last one', async () => {
    const host = new MemoryHost();
    const { server, app } = await start(host, (_, response) => response.end('twice'));
    const second = serve(app, 'acme/other', { host });
    await once(second, 'listening');
    let isClosed = false;
    app.on('close', () => (isClosed = true));
    await once(server.close(), 'close');
    expect(await fetchText({ agent: new Agent({ host }), serviceID: 'acme/other' })).toBe('twice');
    expect(isClosed).toBe(false);
    await once(second.close(), 'close');
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(true);
  });

  test('a client that is too slow with its headers is timed out', async () => {
    const host = new MemoryHost();
    const app = http.createServer({ headersTimeout: 20, requestTimeout: 20, connectionsCheckingInterval: 10 });
    const server = serve(app, 'acme/web', { host });
    open.push(server);
    const socket = createConnection('acme/web', { host }).setEncoding('utf8');
    socket.write('GET / HTTP/1.1\r\n');
    const [reply] = await once(socket, 'data');
    expect(reply).toMatch(/^HTTP\/1.1 408 /);
  });
});
