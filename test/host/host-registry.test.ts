// Several registries in this process, and clients that do not keep to the rules. What needs processes that
// die is in registry-processes.test.ts.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HostRegistry, type HostRegistryOptions } from '../../lib/host/host-registry';
import { PEER_GONE_GRACE, REGISTRATIONS_PER_MEMBER_MAXIMUM, REGISTRY_HELLO_TIMEOUT } from '../../lib/limits';
import type { ServiceCommand } from '../../lib/stack/control-interface';
import type { ForwardRule } from '../../lib/table/service-rule';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { NOW, networkInterface } from '../controller/commands';

const service = (digit: string) => ServicePrefix.of(ServiceID.fromHex(digit.repeat(64))!);
const SERVICE_PORT = 54325;

/** Local connections and servers that keep this process alive. */
const referencedPipes = () =>
  process.getActiveResourcesInfo().filter((name) => /^Pipe(Server)?Wrap$/.test(name)).length;
const PIPES_AT_START = referencedPipes();

class Watched {
  readonly told: string[] = [];
  /** When each was told, of all that ever were. */
  readonly times: number[] = [];
  readonly problems: string[] = [];
  readonly registry: HostRegistry;

  constructor(
    readonly port: number,
    options: Partial<HostRegistryOptions> & { endpoint: string },
    servesAtOnce = true,
  ) {
    this.registry = new HostRegistry(
      { ports: [{ family: 4, port }], link: 1, ...options },
      {
        roleChanged: (role) => {
          this.told.push(role);
          if (role === 'holder' && servesAtOnce) this.serve();
        },
        command: (command) => {
          this.told.push(describeCommand(command));
          this.times.push(performance.now());
        },
        problem: (error) => this.problems.push(error.message),
      },
    );
  }

  serve(port = SERVICE_PORT): void {
    this.registry.serveOn([{ family: 4, port }]);
  }

  /** What was told since the last time. */
  take(): string[] {
    return this.told.splice(0);
  }
}

function describeCommand(command: ServiceCommand): string {
  if (command.kind === 'peerGone') return `gone ${command.address}`;
  if (!('rule' in command)) return command.kind;
  const { prefix, action, address } = command.rule as ForwardRule;
  const verb = command.kind.replace('Rule', '');
  return action === 'forward' ? `${verb} ${prefix.base.toString()[0]} -> ${address}` : `${verb} ${action}`;
}

/** A client that speaks by hand. */
class Client {
  readonly lines: string[] = [];
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8');
    let rest = '';
    socket.on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop()!;
      this.lines.push(...parts);
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static async open(endpoint: string): Promise<Client> {
    const socket = connect({ path: endpoint });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Client(socket);
  }

  say(...messages: unknown[]): void {
    this.socket.write(
      messages.map((message) => `${typeof message === 'string' ? message : JSON.stringify(message)}\n`).join(''),
    );
  }
}

const hello = (port: number) => ({ type: 'hello', version: 1, pid: 1, ports: [{ family: 4, port }] });
const register = (id: number, prefix: ServicePrefix) => ({
  type: 'register',
  id,
  prefix: prefix.toString(),
  protocol: 6,
  weight: 1,
});

describe('HostRegistry', () => {
  const open: { close(): unknown }[] = [];
  let count = 0;
  let endpoint = '';
  const fresh = () => {
    endpoint = `\0serval-unit-${process.pid}-${++count}`;
    return endpoint;
  };
  const watch = (port: number, options: Partial<HostRegistryOptions> = {}, servesAtOnce = true) => {
    const watched = new Watched(port, { endpoint, ...options }, servesAtOnce);
    open.push(watched.registry);
    return watched;
  };
  const dial = async () => {
    const client = await Client.open(endpoint);
    open.push({
      close: () => {
        client.socket.destroy();
        return client.closed;
      },
    });
    return client;
  };
  const serveByHand = async (accept: (socket: Socket) => void): Promise<Server> => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      accept(socket);
    });
    await new Promise<void>((resolve) => server.listen({ path: endpoint }, () => resolve()));
    open.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        return new Promise((resolve) => server.close(resolve));
      },
    });
    return server;
  };
  const pair = async () => {
    fresh();
    const holder = watch(4001);
    expect(await holder.registry.start()).toBe('holder');
    const member = watch(4002);
    expect(await member.registry.start()).toBe('member');
    holder.take();
    member.take();
    return { holder, member };
  };
  /** Until the holder has worked off all that was sent to it: it answers this last. */
  const settled = (member: Watched) => member.registry.register(service('f'), 17);

  afterEach(async () => {
    vi.useRealTimers();
    for (const one of open.splice(0).reverse()) await one.close();
  });

  it('makes the first the holder and the others members', async () => {
    fresh();
    const holder = watch(4001);
    expect(await holder.registry.start()).toBe('holder');
    expect(holder.take()).toEqual(['add delay', 'holder', 'delete delay', 'releaseDelayed']);
    const member = watch(4002);
    expect(await member.registry.start()).toBe('member');
    expect(member.take()).toEqual([
      'add delay',
      'add 0 -> 127.0.0.1:54325',
      'delete delay',
      'releaseDelayed',
      'member',
    ]);
    expect([holder.registry.memberCount, member.registry.memberCount]).toEqual([1, 0]);
    expect([...holder.problems, ...member.problems]).toEqual([]);
  });

  it('tells a member when its service can be reached, and lets go of it again', async () => {
    const { holder, member } = await pair();
    await member.registry.register(service('a'), 6);
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002']);
    member.registry.unregister(service('a'), 6);
    member.registry.unregister(service('a'), 6);
    await settled(member);
    expect(holder.take()).toEqual(['delete a -> 127.0.0.1:4002', 'add f -> 127.0.0.1:4002']);
  });

  it('follows the events of the stack', async () => {
    const { holder, member } = await pair();
    const prefix = service('a');
    member.registry.handleEvent({ kind: 'registered', prefix, protocol: 6 }, NOW);
    member.registry.handleEvent({ kind: 'unregistered', prefix, protocol: 6 }, NOW);
    await settled(member);
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002', 'delete a -> 127.0.0.1:4002', 'add f -> 127.0.0.1:4002']);
  });

  it('brings along what was registered before it started', async () => {
    fresh();
    const holder = watch(4001);
    await holder.registry.start();
    holder.take();
    const member = watch(4002);
    const registered = member.registry.register(service('a'), 6);
    await member.registry.start();
    await registered;
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002']);
  });

  it("needs no telling of the holder's own services, nor of a default socket", async () => {
    const { holder, member } = await pair();
    await holder.registry.register(service('a'), 6);
    await member.registry.register(ServicePrefix.any, 6);
    await settled(member);
    expect(holder.take()).toEqual(['add f -> 127.0.0.1:4002']);
  });

  it('welcomes nobody before its owner receives first packets, and takes registrations all the same', async () => {
    fresh();
    const holder = watch(4001, {}, false);
    await holder.registry.start();
    expect(holder.take()).toEqual(['add delay', 'holder']);
    const member = watch(4002);
    const registered = member.registry.register(service('a'), 6);
    const joined = member.registry.start();
    await registered;
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002']);
    expect(member.take()).toEqual(['add delay']);
    holder.serve();
    expect(holder.take()).toEqual(['delete delay', 'releaseDelayed']);
    expect(await joined).toBe('member');
  });

  it('leads the members to another port, and says nothing when it is the same', async () => {
    const { holder, member } = await pair();
    holder.serve(4001);
    await vi.waitFor(() => expect(member.told).toEqual(['add 0 -> 127.0.0.1:4001', 'delete 0 -> 127.0.0.1:54325']));
    holder.serve(4001);
    await settled(member);
    expect(member.take()).toHaveLength(2);
  });

  it('asks the configured router as the holder only', async () => {
    fresh();
    const router = NetworkAddress.parse('192.0.2.1', 54325);
    const holder = watch(4001, { router });
    await holder.registry.start();
    const member = watch(4002, { router });
    await member.registry.start();
    expect(holder.take()).toContain('add 0 -> 192.0.2.1:54325');
    expect(member.take()).not.toContain('add 0 -> 192.0.2.1:54325');
    await holder.registry.close();
    await vi.waitFor(() => expect(member.take()).toContain('add 0 -> 192.0.2.1:54325'));
  });

  it('hands over when the holder leaves, and nobody calls its connections dead', async () => {
    const { holder, member } = await pair();
    const third = watch(4003);
    await third.registry.start();
    await member.registry.register(service('a'), 6);
    await third.registry.register(service('b'), 6);
    third.take();
    await holder.registry.close();
    await vi.waitFor(() => expect([member.registry.role, third.registry.role].sort()).toEqual(['holder', 'member']));
    const [next, other] = member.registry.role === 'holder' ? [member, third] : [third, member];
    const letter = other === member ? 'a' : 'b';
    await vi.waitFor(() => expect(other.told).toContain('releaseDelayed'));
    expect(next.told).toContain(`add ${letter} -> 127.0.0.1:${other.port}`);
    // The new holder answers only when the others had time to register with it.
    expect(next.told.indexOf('releaseDelayed')).toBeGreaterThan(
      next.told.indexOf(`add ${letter} -> 127.0.0.1:${other.port}`),
    );
    expect([...next.told, ...other.told].filter((text) => text.startsWith('gone'))).toEqual([]);
  });

  it('fails the connections of an ended process by every address of the host, after a grace', async () => {
    const { holder } = await pair();
    const networkInterfaces = ['127.0.0.1', '10.0.0.1'].map((ip) => networkInterface('eth0', ip));
    for (const networkInterface of networkInterfaces) {
      holder.registry.handleEvent({ kind: 'interfaceUp', networkInterface }, NOW);
    }
    const client = await dial();
    client.say(hello(4009), register(1, service('a')));
    await vi.waitFor(() => expect(holder.take()).toEqual(['add a -> 127.0.0.1:4009']));
    client.socket.destroy();
    await vi.waitFor(() => expect(holder.told).toHaveLength(3));
    expect(holder.take()).toEqual(['delete a -> 127.0.0.1:4009', 'gone 127.0.0.1:4009', 'gone 10.0.0.1:4009']);
    const [deleted, gone] = holder.times.slice(-3);
    expect(gone! - deleted!).toBeGreaterThan(PEER_GONE_GRACE - 2);
  });

  describe('against clients that break the rules', () => {
    it.each([
      ['garbage', ['\u0000\u00ff nonsense']],
      ['JSON that is no object', ['[]']],
      ['a registration before hello', [register(1, service('a'))]],
      ['goodbye before hello', [{ type: 'bye' }]],
      ['hello twice', [hello(4010), hello(4011)]],
      ['another version', [{ ...hello(4010), version: 2 }]],
      ["the holder's port", [hello(4001)]],
      ["a member's port", [hello(4002)]],
      ['an address instead of ports', [{ ...hello(4010), ports: ['192.0.2.66:80'] }]],
      ['a malformed registration', [hello(4010), { ...register(1, service('a')), prefix: 'acme' }]],
      ['the default prefix', [hello(4010), register(1, ServicePrefix.any)]],
      ['a line without end', [hello(4010), 'x'.repeat(5000)]],
    ])('refuses %s', async (_what, messages) => {
      const { holder, member } = await pair();
      const client = await dial();
      client.say(...messages);
      await client.closed;
      expect(JSON.parse(client.lines.at(-1)!)).toMatchObject({ type: 'refused', reason: expect.any(String) });
      await settled(member);
      // Refused, not dead: nobody's connections are failed for it.
      expect(holder.take()).toEqual(['add f -> 127.0.0.1:4002']);
      expect(holder.registry.memberCount).toBe(1);
    });

    it('undoes what a client registered before it broke them', async () => {
      const { holder } = await pair();
      const client = await dial();
      client.say(hello(4010), register(1, service('a')), 'nonsense', register(2, service('b')));
      await client.closed;
      expect(holder.take()).toEqual(['add a -> 127.0.0.1:4010', 'delete a -> 127.0.0.1:4010']);
    });

    it('reads lines that come a byte at a time', async () => {
      const { holder } = await pair();
      const client = await dial();
      for (const byte of Buffer.from(
        `${JSON.stringify(hello(4010))}\n${JSON.stringify(register(1, service('a')))}\n`,
      )) {
        client.socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await vi.waitFor(() => expect(holder.take()).toEqual(['add a -> 127.0.0.1:4010']));
    });

    it('takes so many registrations of one process, and no more', async () => {
      const { holder } = await pair();
      const client = await dial();
      client.say(hello(4010));
      const prefixes = (number: number) => ServicePrefix.of(ServiceID.fromHex(number.toString(16).padStart(64, '0'))!);
      for (let id = 1; id <= REGISTRATIONS_PER_MEMBER_MAXIMUM + 2; id++) {
        client.say(register(id, prefixes(id)));
        if (id % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await vi.waitFor(() => expect(client.lines).toHaveLength(REGISTRATIONS_PER_MEMBER_MAXIMUM + 3), {
        timeout: 10_000,
      });
      const refused = client.lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'refused');
      expect(refused.map(({ id }) => id - REGISTRATIONS_PER_MEMBER_MAXIMUM)).toEqual([1, 2]);
      expect(holder.take()).toHaveLength(REGISTRATIONS_PER_MEMBER_MAXIMUM);
    });

    it('cuts off a client that does not read', async () => {
      const { holder, member } = await pair();
      const client = await dial();
      client.socket.pause();
      client.say(hello(4010));
      const line = `${JSON.stringify(register(1, service('a')))}\n`.repeat(1000);
      let isOpen = true;
      client.socket.once('close', () => {
        isOpen = false;
      });
      // 50 MB of answers: as much as the kernel and the bound hold, and far more.
      for (let round = 0; isOpen && round < 2000; round++) {
        if (!client.socket.write(line))
          await Promise.race([client.closed, new Promise((resolve) => client.socket.once('drain', resolve))]);
      }
      expect(isOpen).toBe(false);
      await settled(member);
      expect(holder.registry.memberCount).toBe(1);
      expect(holder.take()).toEqual([
        'add a -> 127.0.0.1:4010',
        'delete a -> 127.0.0.1:4010',
        'add f -> 127.0.0.1:4002',
      ]);
    });

    it('closes a connection that never says hello', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      fresh();
      const holder = watch(4001);
      await holder.registry.start();
      const connections: Socket[] = [];
      (holder.registry as unknown as { holder: { server: Server } }).holder.server.on('connection', (socket) =>
        connections.push(socket),
      );
      const client = await dial();
      while (connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(REGISTRY_HELLO_TIMEOUT - 1);
      expect(connections[0]!.writable).toBe(true);
      vi.advanceTimersByTime(1);
      await client.closed;
      expect(JSON.parse(client.lines[0]!)).toEqual({ type: 'refused', reason: 'no hello' });
    });
  });

  describe('with a holder that is none', () => {
    it('goes on alone when it is never welcomed, and joins when it is', async () => {
      fresh();
      const sockets: Socket[] = [];
      await serveByHand((socket) => sockets.push(socket));
      const one = watch(4001);
      expect(await one.registry.start()).toBe('alone');
      expect(one.take()).toEqual(['add delay', 'delete delay', 'releaseDelayed', 'alone']);
      sockets[0]!.write(
        '{"type":"welcome","pid":1,"ports":[{"family":4,"port":9}],"service":[{"family":4,"port":8}]}\n',
      );
      await vi.waitFor(() => expect(one.told).toEqual(['add 0 -> 127.0.0.1:8', 'member']));
    });

    it('says what is wrong once, and takes the place when it is free', async () => {
      fresh();
      const server = await serveByHand((socket) => socket.end('nonsense\n'));
      const one = watch(4001);
      expect(await one.registry.start()).toBe('alone');
      expect(one.problems).toEqual([expect.stringContaining('malformed line')]);
      server.close();
      await vi.waitFor(() => expect(one.registry.role).toBe('holder'), { timeout: 3000 });
      expect(one.problems).toHaveLength(1);
    });

    it('says when the place cannot be had at all', async () => {
      fresh();
      const one = watch(4001, { endpoint: '/nonexistent/serval.sock' });
      expect(await one.registry.start()).toBe('alone');
      expect(one.problems).toEqual([expect.stringMatching(/EACCES|ENOENT/)]);
    });

    it('rejects a registration that the holder refuses, and keeps the others', async () => {
      fresh();
      await serveByHand((socket) => {
        socket.write('{"type":"welcome","pid":1,"ports":[],"service":[{"family":4,"port":8}]}\n');
        socket.write('{"type":"refused","id":1,"reason":"too many registrations"}\n{"type":"registered","id":2}\n');
      });
      const one = watch(4001);
      const refused = one.registry.register(service('a'), 6);
      const taken = one.registry.register(service('b'), 6);
      await one.registry.start();
      await expect(refused).rejects.toMatchObject({ code: 'ENOBUFS', serviceID: 'a'.repeat(64) });
      await taken;
    });
  });

  it('does not keep the process alive, whatever its role, unless told to', async () => {
    const referenced = (count: number) => vi.waitFor(() => expect(referencedPipes()).toBe(PIPES_AT_START + count));
    fresh();
    await referenced(0);
    const holder = watch(4001);
    await holder.registry.start();
    const member = watch(4002);
    await member.registry.start();
    await referenced(0);
    member.registry.ref();
    await referenced(1);
    holder.registry.ref();
    // Its server, and its end of the member's connection.
    await referenced(3);
    member.registry.unref();
    holder.registry.unref();
    await referenced(0);
  });

  it('does not keep the process alive for a welcome that never comes', async () => {
    fresh();
    const server = await serveByHand((socket) => socket.unref());
    server.unref();
    const alone = watch(4003);
    expect(await alone.registry.start()).toBe('alone');
    await vi.waitFor(() => expect(referencedPipes()).toBe(PIPES_AT_START));
  });

  describe('closed', () => {
    it('does not start', async () => {
      fresh();
      const one = watch(4001);
      await one.registry.close();
      expect(await one.registry.start()).toBe('alone');
      expect(one.take()).toEqual([]);
    });

    it('while it searches, the search ends', async () => {
      fresh();
      await serveByHand(() => {});
      const one = watch(4001);
      const started = one.registry.start();
      await new Promise((resolve) => setImmediate(resolve));
      await one.registry.close();
      expect(await started).toBe('alone');
    });

    it('twice, before it started, and while it searches', async () => {
      fresh();
      const never = watch(4001);
      await never.registry.close();
      const searching = watch(4002);
      void searching.registry.start();
      const waiting = searching.registry.register(service('a'), 6);
      await searching.registry.close();
      await searching.registry.close();
      await waiting;
      // Whatever it was about to do, it does not hold the place.
      const next = watch(4003);
      expect(await next.registry.start()).toBe('holder');
      expect(searching.registry.role).toBeUndefined();
    });

    it('says nothing more, and registers nothing', async () => {
      const { holder, member } = await pair();
      await member.registry.register(service('a'), 6);
      await member.registry.close();
      await member.registry.register(service('b'), 6);
      await vi.waitFor(() => expect(holder.registry.memberCount).toBe(0));
      expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002', 'delete a -> 127.0.0.1:4002']);
      expect(member.take()).toEqual([]);
    });
  });
});
