// TLS, https and http2 of Node, unmodified, over serval sockets. With pre-shared keys: no certificates to keep.

import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serve } from '../../lib/http/serve';
import { connect } from '../../lib/socket/connections';
import type { StreamServer } from '../../lib/socket/stream-server';
import { MemoryHost } from '../socket/memory-host';

const psk = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const common = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
const serverKeys = { ...common, pskCallback: () => psk };
const clientKeys = {
  ...common,
  pskCallback: () => ({ psk, identity: 'test' }),
  checkServerIdentity: () => undefined,
};

let host: MemoryHost;
const open: { close(): unknown }[] = [];
beforeEach(() => {
  host = new MemoryHost();
});
afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

async function listening(taker: tls.Server | https.Server | http2.Http2Server): Promise<StreamServer> {
  const server = serve(taker, 'acme/secret', { host });
  await once(server, 'listening');
  open.push(server);
  return server;
}

function secured(): tls.TLSSocket {
  return tls.connect({ ...clientKeys, socket: connect('acme/secret', { host }) });
}

async function textOf(stream: Duplex | NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('tls', () => {
  test('an echo, ended by the client', async () => {
    const failures: Error[] = [];
    const taker = tls.createServer(serverKeys, (socket) => socket.on('error', (e) => failures.push(e)).pipe(socket));
    const server = await listening(taker.on('tlsClientError', (error) => failures.push(error)));
    const client = secured();
    client.on('error', (error) => failures.push(error));
    await once(client, 'secureConnect');
    client.end('x'.repeat(100_000));
    expect((await textOf(client)).length).toBe(100_000);
    await once(server.close(), 'close');
    expect(failures).toEqual([]);
  });

  test('ended by the server, whose close_notify finds an open door', async () => {
    const failures: Error[] = [];
    const server = await listening(tls.createServer(serverKeys, (socket) => socket.end('goodbye')));
    const client = secured();
    client.on('error', (error) => failures.push(error));
    expect(await textOf(client)).toBe('goodbye');
    await once(server.close(), 'close');
    expect(failures).toEqual([]);
  });

  test('a refused service is an error of the TLS socket', async () => {
    const [error] = await once(secured(), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test('https: 50 requests over kept-alive connections', async () => {
  await listening(https.createServer(serverKeys, (request, response) => response.end(request.url)));
  class Agent extends https.Agent {
    override createConnection(): Duplex {
      return secured();
    }
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 3 });
  open.push({ close: () => agent.destroy() });
  const fetchPath = async (path: string) => {
    const [response] = await once(https.get({ agent, path }), 'response');
    return textOf(response);
  };
  const paths = Array.from({ length: 50 }, (_, n) => `/${n}`);
  expect(await Promise.all(paths.map(fetchPath))).toEqual(paths);
  expect(host.streams.length / 2).toBe(3);
});

test('http2: 100 streams of one session', async () => {
  const taker = http2.createServer((request, response) => response.end(request.url));
  const server = await listening(taker);
  const session = http2.connect('http://acme', { createConnection: () => connect('acme/secret', { host }) });
  const paths = Array.from({ length: 100 }, (_, n) => `/${n}`);
  const replies = await Promise.all(paths.map((path) => textOf(session.request({ ':path': path }))));
  expect(replies).toEqual(paths);
  session.close();
  await once(session, 'close');
  await once(server.close(), 'close');
});

test('http2: 2 MB both ways through flow control', async () => {
  const taker = http2.createServer((request, response) => void request.pipe(response));
  await listening(taker);
  const session = http2.connect('http://acme', { createConnection: () => connect('acme/secret', { host }) });
  open.push({ close: () => session.destroy() });
  const stream = session.request({ ':method': 'POST' });
  stream.end(Buffer.alloc(2_000_000, 'serval'));
  expect((await textOf(stream)).length).toBe(2_000_000);
});
