// How servers for HTTP end: which answers say so, which connections go when, and that no request is lost by it.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from '../../lib/http/agent';
import { serve } from '../../lib/http/serve';
import { IDLE_CHECK_INTERVAL, IDLE_GRACE } from '../../lib/limits';
import { connect } from '../../lib/socket/connections';
import type { StreamServer } from '../../lib/socket/stream-server';
import { MemoryHost } from '../socket/memory-host';

const open: { close(): unknown }[] = [];
let host: MemoryHost;
beforeEach(() => {
  host = new MemoryHost();
});
afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

interface Answer {
  readonly connection: string | undefined;
  readonly text: string;
}

function client(serviceID = 'acme/web'): { ask(path: string): Promise<Answer> } {
  const agent = new Agent({ host, keepAlive: true, maxSockets: 1 });
  open.push({ close: () => agent.destroy() });
  return {
    ask: (path) =>
      new Promise((resolve, reject) => {
        const request = http.get({ agent, serviceID, path } as http.RequestOptions, (response) => {
          const { connection } = response.headers;
          textOf(response).then((text) => resolve({ connection, text }), reject);
        });
        request.on('error', reject);
      }),
  };
}

/** An app whose answers to `/slow` begin at once and end when told. */
async function start(serviceID = 'acme/web') {
  const slow: (() => void)[] = [];
  const app = http.createServer((request, response) => {
    if (request.url !== '/slow') return response.end(request.url);
    response.write('slow');
    return slow.push(() => response.end('ly'));
  });
  const server = serve(app, serviceID, { host });
  await once(server, 'listening');
  open.push({ close: () => app.closeAllConnections() });
  const finish = (): void => {
    for (const end of slow.splice(0)) end();
  };
  return { app, server, slow, finish };
}

const milliseconds = async (work: Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work;
  return performance.now() - begun;
};
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

describe('drain', () => {
  test('answers one more request of each idle connection, and says that it is the last', async () => {
    const { server } = await start();
    const clients = [client(), client()];
    for (const one of clients) expect((await one.ask('/first')).connection).toBe('keep-alive');
    const drained = server.drain();
    await pause(50);
    for (const one of clients) expect(await one.ask('/last')).toEqual({ connection: 'close', text: '/last' });
    expect(await drained).toEqual({ finished: 2, cut: 0 });
    await expect(clients[0]!.ask('/more')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('ends a connection that stays idle, after a grace', async () => {
    const { server } = await start();
    await client().ask('/');
    const took = await milliseconds(server.drain());
    expect(took).toBeGreaterThan(IDLE_GRACE - IDLE_CHECK_INTERVAL);
    expect(took).toBeLessThan(IDLE_GRACE + 3 * IDLE_CHECK_INTERVAL);
  });

  test('waits for an answer that is under way, and then no longer', async () => {
    const { server, slow, finish } = await start();
    const answer = client().ask('/slow');
    await until(() => slow.length > 0);
    const drained = server.drain();
    await pause(IDLE_GRACE + 2 * IDLE_CHECK_INTERVAL);
    expect(server.draining).toBe(true);
    finish();
    // Its head had left before: the connection is kept alive, and Node's http would wait five seconds more.
    expect(await answer).toEqual({ connection: 'keep-alive', text: 'slowly' });
    expect(await milliseconds(drained)).toBeLessThan(3 * IDLE_CHECK_INTERVAL);
  });

  test('cuts off an answer that takes too long', async () => {
    const { server, slow } = await start();
    const answer = client().ask('/slow');
    answer.catch(() => {});
    await until(() => slow.length > 0);
    expect(await server.drain({ timeout: 50 })).toEqual({ finished: 0, cut: 1 });
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('close', () => {
  test('ends idle connections at once, and those that become idle soon after', async () => {
    const { server, slow, finish } = await start();
    await client().ask('/idle');
    const answer = client().ask('/slow');
    await until(() => slow.length > 0);
    const closed = once(server.close(), 'close');
    await until(() => server._connections === 1);
    finish();
    await answer;
    expect(await milliseconds(closed)).toBeLessThan(3 * IDLE_CHECK_INTERVAL);
  });

  test('serves a connection whose first request is still under way', async () => {
    const { server } = await start();
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connect('acme/web', { host });
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      socket.on('end', () => resolve(text)).on('error', reject);
      // Accepted, and closed before anything has come.
      server.once('connection', () => {
        server.close();
        socket.write('GET /new HTTP/1.1\r\nhost: acme\r\n\r\n');
      });
    });
    expect((await answer).split('\r\n')).toEqual(
      expect.arrayContaining(['HTTP/1.1 200 OK', 'connection: close', '/new']),
    );
    expect(server.listening).toBe(false);
  });

  test('of one service leaves the connections of another alone', async () => {
    const { app, server } = await start();
    const other = serve(app, 'acme/other', { host });
    await once(other, 'listening');
    const stays = client('acme/other');
    await stays.ask('/');
    server.close();
    expect((await stays.ask('/')).connection).toBe('keep-alive');
    await once(other.close(), 'close');
  });

  test('leaves no listener behind', async () => {
    const { app, server } = await start();
    const count = () => app.listenerCount('request') + app.listenerCount('session');
    expect(count()).toBe(2);
    await once(server.close(), 'close');
    expect(count()).toBe(1);
  });
});

test('http2: sessions say goodbye, and their streams are answered first', async () => {
  let answer = () => {};
  const app = http2.createServer((_request, response) => {
    answer = () => response.end('done');
    app.emit('busy');
  });
  const server: StreamServer = serve(app, 'acme/h2', { host });
  await once(server, 'listening');
  const session = http2.connect('http://acme', { createConnection: () => connect('acme/h2', { host }) });
  const stream = session.request({ ':path': '/' });
  stream.setEncoding('utf8');
  await once(app, 'busy');
  const drained = server.drain({ timeout: 10_000 });
  await once(session, 'goaway');
  answer();
  const [text] = await once(stream, 'data');
  expect(text).toBe('done');
  expect(await drained).toEqual({ finished: 1, cut: 0 });
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 500; tries++) await pause(4);
  expect(condition()).toBe(true);
}
