// One host for the tests of the registry: several registries in this process that meet at one place, and
// clients and servers there that speak by hand.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, vi } from 'vitest';
import { HostRegistry, type HostRegistryOptions } from '../../lib/host/host-registry';
import { REGISTRY_VERSION } from '../../lib/host/registry-message';
import type { ServiceCommand } from '../../lib/stack/control-interface';
import type { ForwardRule } from '../../lib/table/service-rule';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

export const service = (digit: string) => ServicePrefix.of(ServiceID.fromHex(digit.repeat(64))!);
const SERVICE_PORT = 54325;

/** What a test uses of its host. Everything is closed after each test. */
export function oneHost() {
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

  return { fresh, watch, dial, serveByHand, pair, settled };
}

export class Watched {
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
export class Client {
  /** What the holder said, but for its heartbeat. */
  readonly lines: string[] = [];
  asks = 0;
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8');
    let rest = '';
    socket.on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop()!;
      const lines = parts.filter((line) => line !== ASK);
      this.asks += parts.length - lines.length;
      this.lines.push(...lines);
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

const ASK = JSON.stringify({ type: 'ask' });

export const hello = (port: number) => ({
  type: 'hello',
  version: REGISTRY_VERSION,
  pid: 1,
  ports: [{ family: 4, port }],
});
export const register = (id: number, prefix: ServicePrefix) => ({
  type: 'register',
  id,
  prefix: prefix.toString(),
  protocol: 6,
  weight: 1,
});
