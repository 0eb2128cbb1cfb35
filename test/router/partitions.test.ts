// §6.2 with whole hosts: a router that spreads the keys of a service over the servers that listen on its prefix.
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect, contentServiceID, createHost, createRouter, createServer, type Host, type Router } from '../../lib';

let lastPort = 38_000 + (process.pid % 250) * 8;
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function hostBelow(router: Router): Promise<Host> {
  const host = createHost({ port: ++lastPort, broadcast: false, registry: false, router: `127.0.0.1:${router.port}` });
  open.push(host);
  await host.ready;
  return host;
}

async function serve(router: Router, name: string) {
  const host = await hostBelow(router);
  const server = createServer({ host }, (socket) => socket.on('error', () => {}).end(name));
  server.listen('cache/*');
  await once(server, 'listening');
  return server;
}

const keys = Array.from({ length: 40 }, (_, index) => contentServiceID('cache/*', `key ${index}`));

describe('a router with partitions', () => {
  it('has each key at one server, and moves those of a server that leaves and no others', async () => {
    const router = createRouter({ port: ++lastPort, broadcast: false, registry: false, partitions: { 'cache/*': 16 } });
    open.push(router);
    await router.ready;
    for (const name of ['a', 'b']) await serve(router, name);
    const third = await serve(router, 'c');
    const client = await hostBelow(router);
    const where = (): Promise<string[]> => Promise.all(keys.map((key) => text(connect(key, { host: client }))));
    const before = await where();
    expect(await where()).toEqual(before);
    expect(new Set(before)).toEqual(new Set(['a', 'b', 'c']));
    third.close();
    await vi.waitFor(() => expect(router.instances()).toHaveLength(2));
    const after = await where();
    expect(after).not.toContain('c');
    for (const [index, name] of before.entries()) if (name !== 'c') expect(after[index]).toBe(name);
  });

  it('refuses what is no number of parts', () => {
    expect(() => createRouter({ port: ++lastPort, registry: false, partitions: { 'cache/*': 3 } })).toThrow(RangeError);
    expect(() => createRouter({ port: ++lastPort, registry: false, partitions: { 'cache/web': 4 } })).toThrow(
      RangeError,
    );
  });
});
