// Whole hosts in this process, with real links on this machine's loopback interface.

import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import {
  connect,
  createHost,
  createServer,
  createSocket,
  type Host,
  type HostOptions,
  promises,
  type RemoteInfo,
  serviceID,
} from '../../lib';
import { defaultHost, existingDefaultHost } from '../../lib/socket/default-host';

const hosts: Host[] = [];
let lastPort = 40_000 + (process.pid % 10_000);

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

const freshPort = (): number => ++lastPort;

async function start(port: number, options: HostOptions = {}): Promise<Host> {
  const host = createHost({ port, broadcast: false, ...options });
  hosts.push(host);
  await host.ready;
  return host;
}

/** A service that sends everything back. */
const echoOn = (host: Host, service: string) =>
  promises.listen(service, { host, allowHalfOpen: true }).then((server) => {
    // A test may close the host while the last end is under way: then that is told to the server's socket.
    server.on('connection', (socket) => socket.on('error', () => {}).pipe(socket));
    return server;
  });

async function echoed(host: Host, service: string, bytes: Buffer): Promise<Buffer> {
  const socket = await promises.connect(service, { host });
  socket.end(bytes);
  return buffer(socket);
}

async function failure(host: Host, service: string): Promise<unknown> {
  const [error] = await once(connect(service, { host }), 'error');
  return error.code;
}

const pattern = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >>> 8)) & 0xff));

describe('one host', () => {
  it('connects to its own services without touching the network', async () => {
    const host = await start(freshPort());
    await echoOn(host, 'acme/echo');
    const before = host.statistics().links;
    expect((await echoed(host, 'acme/echo', pattern)).equals(pattern)).toBe(true);
    const after = host.statistics().links;
    for (const [name, counters] of Object.entries(after)) {
      if (!name.startsWith('0 ')) expect(counters).toEqual(before[name]);
    }
    expect(host.statistics().stack).not.toHaveProperty('offPath');
  });

  it('sends datagrams to its own services, and answers them', async () => {
    const host = await start(freshPort());
    const server = createSocket({ host });
    server.on('message', (bytes, rinfo) => server.send(`re: ${bytes}`, rinfo));
    server.bind('acme/datagrams');
    await once(server, 'listening');
    const client = createSocket({ host });
    client.send('hello', 'acme/datagrams');
    const [answer, from] = (await once(client, 'message')) as [Buffer, RemoteInfo];
    expect(String(answer)).toBe('re: hello');
    expect(String(from.serviceID)).toBe(String(server.address().serviceID));
    client.close();
    server.close();
  });
});

describe('two hosts of one process', () => {
  it('are one machine with the same port: a service of either is found by the other', async () => {
    const port = freshPort();
    const [first, second] = [await start(port), await start(port)];
    expect([first.role, second.role]).toEqual(['holder', 'member']);
    await echoOn(first, 'acme/first');
    await echoOn(second, 'acme/second');
    expect((await echoed(first, 'acme/second', pattern)).equals(pattern)).toBe(true);
    expect((await echoed(second, 'acme/first', pattern)).equals(pattern)).toBe(true);
  });

  it('know nothing of each other with different ports, unless one is the router of the other', async () => {
    const [portOfOne, portOfOther] = [freshPort(), freshPort()];
    const one = await start(portOfOne);
    const other = await start(portOfOther);
    await echoOn(one, 'acme/echo');
    expect([one.role, other.role]).toEqual(['holder', 'holder']);
    expect(await failure(other, 'acme/echo')).toBe('EHOSTUNREACH');
    const asking = await start(freshPort(), { router: `127.0.0.1:${portOfOne}` });
    expect((await echoed(asking, 'acme/echo', pattern)).equals(pattern)).toBe(true);
  });

  it('share nothing without a registry, though the port is the same', async () => {
    const port = freshPort();
    const holder = await start(port);
    const apart = await start(port, { registry: false });
    await echoOn(holder, 'acme/echo');
    expect(apart.role).toBeUndefined();
    expect(await failure(apart, 'acme/echo')).toBe('EHOSTUNREACH');
  });
});

describe('a host that is closed', () => {
  it('fails what is open on it, and resets it for the peers', async () => {
    const port = freshPort();
    const [closing, staying] = [await start(port), await start(port)];
    const server = await echoOn(staying, 'acme/echo');
    const accepted = once(server, 'connection');
    const open = await promises.connect('acme/echo', { host: closing });
    const [peer] = await accepted;
    const failures = [open, peer].map((socket) => once(socket, 'error').then(([error]) => error.code));
    await closing.close();
    expect(await Promise.all(failures)).toEqual(['ERR_SERVAL_HOST_CLOSED', 'ECONNRESET']);
  });

  it('takes no more sockets', async () => {
    const host = await start(freshPort());
    await host.close();
    expect(await failure(host, 'acme/echo')).toBe('ERR_SERVAL_HOST_CLOSED');
    const [listening] = await once(createServer({ host }).listen('acme/echo'), 'error');
    expect(listening.code).toBe('ERR_SERVAL_HOST_CLOSED');
    const [bound] = await once(createSocket({ host }).bind('acme/echo'), 'error');
    expect(bound.code).toBe('ERR_SERVAL_HOST_CLOSED');
  });

  it('leaves its ports, also when it is closed while it starts', async () => {
    const port = freshPort();
    for (let round = 0; round < 20; round++) {
      const host = createHost({ port, broadcast: false });
      // Sooner or later in its start, from the first moment on.
      for (let turns = 0; turns < round; turns++) await new Promise((resolve) => setImmediate(resolve));
      await host.close();
    }
    const next = await start(port);
    expect(next.role).toBe('holder');
    expect(Object.keys(next.statistics().links).some((name) => name.endsWith('well-known'))).toBe(true);
  });

  it('hands its place to another, whose services stay reachable', async () => {
    const port = freshPort();
    const [first, second, third] = [await start(port), await start(port), await start(port)];
    await echoOn(second, 'acme/second');
    await echoOn(third, 'acme/third');
    const asking = await start(port);
    await first.close();
    expect((await echoed(asking, 'acme/second', pattern)).equals(pattern)).toBe(true);
    expect((await echoed(asking, 'acme/third', pattern)).equals(pattern)).toBe(true);
  });

  it('is the default host no longer: the next use makes another', async () => {
    process.env['SERVAL_PORT'] = String(freshPort());
    const first = defaultHost() as Host;
    expect(defaultHost()).toBe(first);
    const closed = first.close();
    expect(existingDefaultHost()).toBeUndefined();
    const second = defaultHost() as Host;
    expect(second).not.toBe(first);
    await Promise.all([closed, second.close()]);
    delete process.env['SERVAL_PORT'];
  });
});

describe('Host.ping', () => {
  it('finds the instance and tells the way to it', async () => {
    const [port, other] = [freshPort(), freshPort()];
    const server = await start(port);
    await echoOn(server, 'acme/pinged');
    const client = await start(other, { router: `127.0.0.1:${port}` });
    const answer = await client.ping(serviceID('acme/pinged'));
    expect(answer.address).toMatchObject({ port: server.port });
    expect(answer.roundTripTime).toBeGreaterThan(0);
    expect(answer.roundTripTime).toBeLessThan(5000);
    expect(answer.attempts).toBe(1);
    await expect(client.ping('acme/nobody')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('takes the name of one service, and nothing else', async () => {
    const host = await start(freshPort());
    await expect(host.ping('acme/*')).rejects.toMatchObject({ code: 'ERR_SERVAL_INVALID_NAME' });
    await expect(host.ping(7 as unknown as string)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('ends with its host', async () => {
    const host = await start(freshPort(), { router: '127.0.0.1:9' });
    const ended = expect(host.ping(serviceID('acme/nowhere'))).rejects.toMatchObject({
      code: 'ERR_SERVAL_HOST_CLOSED',
    });
    await host.close();
    await ended;
    await expect(host.ping(serviceID('acme/nowhere'))).rejects.toMatchObject({ code: 'ERR_SERVAL_HOST_CLOSED' });
  });
});
