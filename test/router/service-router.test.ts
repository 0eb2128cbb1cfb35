// A service router on the loopback interface: hosts in this process that share no registry, each with a port of its own.
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  connect,
  createHost,
  createRouter,
  createServer,
  createSocket,
  type Host,
  type HostOptions,
  type Router,
} from '../../lib';
import { REGISTRATION_WAIT_MAXIMUM } from '../../lib/controller/session/session-limits';
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

const named = (router: Router) =>
  router
    .instances()
    .map(({ prefix, address, weight }) => `${prefix.bits} ${address.port} ${weight}`)
    .sort();

async function failure(host: Host, name: string, timeout = 4000): Promise<string> {
  const [error] = await once(connect(name, { host, timeout }), 'error');
  return (error as { code: string }).code;
}

describe('a service router', () => {
  it('chooses as most of the instances wish, unless it is told how itself', async () => {
    const [wishing, told] = [await router(), await router({ pickers: { '*': 'random' } })];
    for (const [above, most] of [
      [wishing, 1],
      [told, 3],
    ] as const) {
      for (const instance of ['one', 'two', 'three']) {
        const host = await hostBelow(above);
        const server = createServer({ host }, (socket) => socket.on('error', () => {}).end(instance));
        server.listen('acme/web', instance === 'one' ? {} : { picker: 'rendezvous' });
        await once(server, 'listening');
      }
      const asking = await hostBelow(above);
      const answers = new Set<string>();
      for (let count = 0; count < 30; count++) answers.add(await ask(asking, 'acme/web'));
      expect(answers.size).toBe(most);
      expect(above.instances().map(({ picker }) => picker)).toEqual([undefined, 'rendezvous', 'rendezvous']);
    }
  });

  it('makes a server of one host reachable for another by the time it listens', async () => {
    const above = await router();
    const [serving, asking] = [await hostBelow(above), await hostBelow(above)];
    const server = await echo(serving, 'acme/echo');
    expect(above.instances()).toMatchObject([{ protocol: 6, weight: 1024 }]);
    expect(await ask(asking, 'acme/echo')).toBe('hello');
    server.close();
    await vi.waitFor(() => expect(above.instances()).toEqual([]));
  });

  it('forgets a host that is closed at once, and refuses what it had', async () => {
    const above = await router();
    const [serving, asking] = [await hostBelow(above), await hostBelow(above)];
    await echo(serving, 'acme/echo');
    const since = performance.now();
    await serving.close();
    await vi.waitFor(() => expect(above.hosts()).toHaveLength(1), { interval: 2 });
    expect(performance.now() - since).toBeLessThan(500);
    expect(above.instances()).toEqual([]);
    // Until a router knows that all have had the time to come it refuses nobody.
    expect(await failure(asking, 'acme/echo')).toBe('ECONNREFUSED');
  });

  it('knows datagram services, weights, and their changes', async () => {
    const above = await router();
    const serving = await hostBelow(above);
    const server = createServer({ host: serving }, () => {});
    server.listen('acme/web', { weight: 7 });
    await once(server, 'listening');
    const socket = createSocket({ host: serving });
    socket.bind('acme/news');
    await once(socket, 'listening');
    expect(named(above)).toEqual([`256 ${serving.port} 1024`, `256 ${serving.port} 7168`]);
    server.weight = 9;
    await vi.waitFor(() => expect(named(above)).toEqual([`256 ${serving.port} 1024`, `256 ${serving.port} 9216`]));
    socket.close();
    server.close();
    await vi.waitFor(() => expect(named(above)).toEqual([]));
  });

  it('has one session with the processes of a machine, and keeps it when another speaks for them', async () => {
    const above = await router();
    const port = ++lastPort;
    const holder = await hostBelow(above, { port, registry: true });
    const member = await hostBelow(above, { port, registry: true });
    expect([holder.role, member.role]).toEqual(['holder', 'member']);
    await echo(member, 'acme/echo');
    await echo(holder, 'acme/other');
    expect(named(above)).toEqual([`256 ${port} 1024`, `256 ${port} 1024`]);
    const asking = await hostBelow(above);
    expect(await ask(asking, 'acme/echo')).toBe('hello');
    await holder.close();
    await vi.waitFor(() => expect(member.role).toBe('holder'));
    await vi.waitFor(() => expect(named(above)).toEqual([`256 ${port} 1024`]));
    expect(await ask(asking, 'acme/echo')).toBe('hello');
  });

  it('announces what is below it to the router above it, as aggregates where it is told to', async () => {
    const root = await router();
    const below = { router: `127.0.0.1:${root.port}` };
    const [left, right] = [await router({ ...below, aggregates: ['acme/*'] }), await router(below)];
    await vi.waitFor(() => expect(root.hosts()).toHaveLength(2));
    const [serving, asking] = [await hostBelow(left), await hostBelow(right)];
    const servers = [await echo(serving, 'acme/one'), await echo(serving, 'acme/two'), await echo(serving, 'other')];
    // Who listens is known all the way up by then; the weights of what was known before follow.
    expect(named(root).map((text) => text.split(' ')[0])).toEqual(['256', '64']);
    await vi.waitFor(() => expect(named(root)).toEqual([`256 ${left.port} 1024`, `64 ${left.port} 2048`]));
    for (const name of ['acme/one', 'acme/two', 'other']) expect(await ask(asking, name)).toBe('hello');
    servers[0]!.close();
    await vi.waitFor(() => expect(named(root)).toEqual([`256 ${left.port} 1024`, `64 ${left.port} 1024`]));
    expect(await failure(asking, 'acme/one')).toBe('ECONNREFUSED');
    servers[1]!.close();
    await vi.waitFor(() => expect(named(root)).toEqual([`256 ${left.port} 1024`]));
  });

  it('takes the well-known port of its machine from the process that has it', async () => {
    const above = await router();
    const port = ++lastPort;
    const options = { port, registry: true };
    const [holder, member] = [await hostBelow(above, options), await hostBelow(above, options)];
    await echo(holder, 'acme/one');
    await echo(member, 'acme/two');
    const made = await router({ ...options, router: `127.0.0.1:${above.port}` });
    expect([holder.role, made.host.role]).toEqual([expect.not.stringContaining('holder'), 'holder']);
    await vi.waitFor(() => expect([holder.role, member.role]).toEqual(['member', 'member']));
    const asking = await hostBelow(made);
    for (const name of ['acme/one', 'acme/two']) expect(await ask(asking, name)).toBe('hello');
    // What the former holder had registered for the machine was never gone.
    await vi.waitFor(() => expect(above.hosts()).toHaveLength(1));
    expect(named(above)).toEqual([`256 ${port} 1024`, `256 ${port} 1024`]);
  });

  it('does not take it from another router', async () => {
    const first = await router({ registry: true });
    const second = createRouter({ port: first.port, broadcast: false });
    open.push(second);
    await expect(second.ready).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('may be replaced while its hosts connect: nobody is refused', async () => {
    const first = await router();
    const [serving, asking] = [await hostBelow(first), await hostBelow(first)];
    await echo(serving, 'acme/echo');
    await first.close();
    const asked = ask(asking, 'acme/echo');
    await router({ port: first.port });
    expect(await asked).toBe('hello');
  });

  it('refuses to register with one that registers with it', async () => {
    const warnings: string[] = [];
    const hear = (warning: Error) => warnings.push(warning.message);
    process.on('warning', hear);
    const [a, b] = [++lastPort, ++lastPort];
    await router({ port: a, router: `127.0.0.1:${b}` });
    await router({ port: b, router: `127.0.0.1:${a}` });
    await vi.waitFor(() => expect(warnings.join()).toContain('register'), 5000);
    process.off('warning', hear);
  });
});

describe('a server that listens', () => {
  const timeToListen = async (host: Host): Promise<number> => {
    const since = performance.now();
    await echo(host, 'acme/echo');
    return performance.now() - since;
  };

  it('does not wait for a host that is no router', async () => {
    const plain = createHost({ port: ++lastPort, broadcast: false, registry: false });
    open.push(plain);
    await plain.ready;
    const below = await hostBelow({ port: plain.port } as Router);
    expect(await timeToListen(below)).toBeLessThan(300);
  });

  it('does not wait long for a router that is not there', async () => {
    const below = await hostBelow({ port: ++lastPort } as Router);
    expect(await timeToListen(below)).toBeLessThan(REGISTRATION_WAIT_MAXIMUM + 500);
    expect(await timeToListen(await hostBelow({ port: lastPort - 1 } as Router))).toBeLessThan(2000);
  });
});

describe('how a router chooses among instances', () => {
  /** Three hosts that say who they are, and who is reached by so many connects of another one. */
  async function reached(options: RouterOptions, connects: number): Promise<Map<string, number>> {
    const above = await router(options);
    for (const name of ['one', 'two', 'three']) {
      const server = createServer({ host: await hostBelow(above) }, (socket) => socket.resume().end(name));
      server.listen('acme/who');
      await once(server, 'listening');
    }
    const asking = await hostBelow(above);
    const counts = new Map<string, number>();
    for (let count = 0; count < connects; count++) {
      const name = await ask(asking, 'acme/who');
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  it('is a setting: clients that keep to an instance, by the address of their host', async () => {
    expect((await reached({ pickers: { 'acme/*': 'rendezvous' } }, 12)).size).toBe(1);
  });

  it('is a setting: the same number for each', async () => {
    expect([...(await reached({ pickers: { 'acme/who': 'least-loaded' } }, 12)).values()]).toEqual([4, 4, 4]);
  });

  it('relays replies, or does not: nothing else', async () => {
    const counts = await reached({ relayReplies: true }, 6);
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(6);
    expect(() => createRouter({ relayReplies: 'yes' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  it('starts slowly when that is wanted, and takes no other time for it', async () => {
    const counts = await reached({ slowStart: 60_000, pickers: { 'acme/who': 'least-loaded' } }, 6);
    expect([...counts.values()]).toEqual([2, 2, 2]);
    for (const slowStart of [-1, Number.NaN, 1e9, '5' as never]) {
      expect(() => createRouter({ slowStart })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });
});
