// Servers are restarted one after the other, and the service router, under load, and no client notices (§6.1, §4.3).
// SERVAL_RESTARTS=100 SERVAL_ROUTER_RESTARTS=20 is the full size, which goes on to 100,000 requests and takes minutes.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Lab, type LabHost } from './lab';
import { describeWithNamespaces } from './require-root';

const SERVICE = 'restarts/web';
const SERVERS = 4;
const CLIENTS = 2;
const CONCURRENCY = 4;
const RESTARTS = Number(process.env['SERVAL_RESTARTS'] ?? 8);
const ROUTER_RESTARTS = Number(process.env['SERVAL_ROUTER_RESTARTS'] ?? 4);
/** Made by the time that all restarts are over; the full size goes on until it has as many as the issue asks for. */
const requestsFor = (restarts: number, full: number): number => (restarts >= full ? 100_000 : restarts * 20);
/** Milliseconds; a machine that others use makes a hundred requests a second. */
const patienceFor = (restarts: number, requests: number): number => 30_000 + restarts * 10_000 + requests * 10;
const REQUESTS = requestsFor(RESTARTS, 100);
const ROUTER_REQUESTS = requestsFor(ROUTER_RESTARTS, 20);

interface Load {
  readonly requests: number;
  readonly failures: readonly object[];
  /** Processes that answered. */
  readonly servers: readonly number[];
  readonly slowest: number;
}

/** A program that speaks: what it said is kept until somebody asks for it. */
class Speaker {
  readonly exited: Promise<unknown>;
  private readonly said: Record<string, unknown>[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    this.exited = once(child, 'exit').then(([code, signal]) => code ?? signal);
    child.on('message', (message) => {
      this.said.push(message as Record<string, unknown>);
      for (const wake of this.listeners) wake();
    });
  }

  /** The first message that has `key` and was not asked for yet; a server may be asked before it listens. Rejects when the program ends first. */
  async says<T extends object>(key: string, fits: (message: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const index = this.said.findIndex((message) => key in message && fits(message as T));
      if (index >= 0) return this.said.splice(index, 1)[0] as T;
      await Promise.race([
        new Promise<void>((resolve) => this.listeners.add(resolve)),
        this.exited.then((code) => {
          throw new Error(`the program ended with ${code} and had not said ${key}`);
        }),
      ]);
      this.listeners.clear();
    }
  }

  tell(order: string): void {
    this.child.send(order);
  }
}

describeWithNamespaces('restarts under load', () => {
  let lab: Lab;
  let routerHost: LabHost;
  let serverHosts: readonly LabHost[];
  let router: Speaker;
  let servers: Speaker[];
  let clients: readonly Speaker[];
  const pids = new Set<number>();

  beforeEach(async () => {
    lab = new Lab();
    const hosts = Array.from({ length: 1 + SERVERS + CLIENTS }, (_, index) => lab.host(`h${index}`));
    lab.segment(...hosts.map((host, index) => [host, [`10.9.0.${index + 1}/24`]] as const));
    routerHost = hosts[0]!;
    serverHosts = hosts.slice(1, 1 + SERVERS);
    await Promise.all(hosts.map((host) => host.isUp('eth0')));
    pids.clear();
    router = await startRouter();
    servers = await Promise.all(serverHosts.map(startServer));
    clients = hosts.slice(1 + SERVERS).map((host) => start(host, 'loading-client.cjs', [SERVICE, String(CONCURRENCY)]));
    await Promise.all(servers.map((server) => server.says('asked')));
  });

  afterEach(() => lab.close());

  function start(host: LabHost, program: string, args: readonly string[] = []): Speaker {
    const settings = { SERVAL_PORT: '54399', SERVAL_BROADCAST: '0', SERVAL_REGISTRY: lab.path(host.namespace) };
    const upstream = host === routerHost ? {} : { SERVAL_ROUTER: '10.9.0.1' };
    return new Speaker(host.start(program, args, { ...settings, ...upstream }));
  }

  async function startRouter(): Promise<Speaker> {
    const program = start(routerHost, 'service-router.cjs');
    await program.says('ready');
    return program;
  }

  async function startServer(host: LabHost): Promise<Speaker> {
    const program = start(host, 'restarted-server.cjs', [SERVICE]);
    await program.says('listening');
    pids.add(program.child.pid!);
    return program;
  }

  /** What both clients did. */
  async function load(order: 'report' | 'stop'): Promise<Load> {
    for (const client of clients) client.tell(order);
    const loads = await Promise.all(clients.map((client) => client.says<Load>('requests')));
    return {
      requests: loads.reduce((sum, { requests }) => sum + requests, 0),
      failures: loads.flatMap(({ failures }) => failures),
      servers: [...new Set(loads.flatMap((each) => each.servers))],
      slowest: Math.max(...loads.map(({ slowest }) => slowest)),
    };
  }

  async function loadOf(requests: number): Promise<Load> {
    for (;;) {
      const { requests: made } = await load('report');
      if (made >= requests) return load('stop');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it(
    `of ${SERVERS} servers, ${RESTARTS} in turn: no request fails`,
    async () => {
      for (let restart = 0; restart < RESTARTS; restart++) {
        const index = restart % SERVERS;
        servers[index]!.tell('drain');
        expect(await servers[index]!.says('drained')).toMatchObject({ drained: { cut: 0 } });
        expect(await servers[index]!.exited).toBe(0);
        servers[index] = await startServer(serverHosts[index]!);
        await servers[index]!.says('asked');
      }
      const found = await loadOf(REQUESTS);
      console.info(`${RESTARTS} restarts of servers: ${told(found)}`);
      expect(found.failures).toEqual([]);
      expect(found.requests).toBeGreaterThanOrEqual(REQUESTS);
      // Each process that there was has served somebody.
      expect(found.servers.toSorted()).toEqual([...pids].toSorted());
    },
    patienceFor(RESTARTS, REQUESTS),
  );

  it(
    `of the router, ${ROUTER_RESTARTS} in turn, half of them by kill -9: no request fails`,
    async () => {
      for (let restart = 0; restart < ROUTER_RESTARTS; restart++) {
        if (restart % 2 === 0) router.tell('close');
        else router.child.kill('SIGKILL');
        await router.exited;
        router = await startRouter();
        // All servers have registered with the one that took its place.
        await router.says<{ instances: number }>('instances', ({ instances }) => instances === SERVERS);
        const { requests } = await load('report');
        await loadBeyond(requests);
      }
      const found = await loadOf(ROUTER_REQUESTS);
      console.info(`${ROUTER_RESTARTS} restarts of the router: ${told(found)}`);
      expect(found.failures).toEqual([]);
    },
    patienceFor(ROUTER_RESTARTS, ROUTER_REQUESTS),
  );

  /** Requests are answered again, some hundred of them. */
  async function loadBeyond(requests: number): Promise<void> {
    for (;;) {
      const { requests: made } = await load('report');
      if (made >= requests + 100) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

function told({ requests, failures, servers, slowest }: Load): string {
  return `${requests} requests to ${servers.length} processes, ${failures.length} failed, the slowest took ${Math.round(slowest)} ms`;
}
