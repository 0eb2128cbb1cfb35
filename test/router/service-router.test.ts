// A service router on the loopback interface: hosts in this process that share no registry, each with a port of its own.
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect, createHost, createRouter, createServer, type Host, type HostOptions, type Router } from '../../lib';
import type { RouterOptions } from '../../lib/router/service-router';

let lastPort = 21_000 + (process.pid % 2000) * 8;
const open: { close(): unknown }[] = [];

async function router(options: RouterOptions = {}): Promise<Router> {
  const made = createRouter({ port: ++lastPort, broadcast: false, registry: false, ...options });
  open.push(made);
  await made.ready;
  return made;
}

async function hostBelow(above: Router, options: HostOptions = {}): Promise<Host> {
  const made = createHost({
    port: ++lastPort,
    broadcast: false,
    registry: false,
    router: `127.0.0.1:${above.port}`,
    ...options,
  });
  open.push(made);
  await made.ready;
  return made;
}

async function echo(host: Host, name: string) {
  const server = createServer({ host }, (socket) => socket.pipe(socket));
  server.listen(name);
  await once(server, 'listening');
  return server;
}

async function ask(host: Host, name: string): Promise<string> {
  const socket = connect(name, { host, timeout: 2000 });
  socket.end('hello');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

describe('a service router', () => {
  it('makes a server of one host reachable for another by the time it listens', async () => {
    const above = await router();
    const [serving, asking] = [await hostBelow(above), await hostBelow(above)];
    const server = await echo(serving, 'acme/echo');
    expect(above.instances()).toMatchObject([{ protocol: 6, weight: 1024 }]);
    expect(await ask(asking, 'acme/echo')).toBe('hello');
    server.close();
    await vi.waitFor(() => expect(above.instances()).toEqual([]));
  });
});
