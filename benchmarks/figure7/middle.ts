// What stands between clients and servers, on the router's host: the service router, a balancer that every byte goes
// through, or a DNS server. It is told who serves as its operators tell it; a service router is told by the servers.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Ordered } from '../measuring/orders';
import type { Rack } from '../measuring/rack';
import { haproxyConfiguration, nginxConfiguration, nginxModule } from './balancer-configurations';
import { type ContenderName, SERVICE } from './contenders';
import type { MiddleOrders } from './middle-program';

export interface Middle {
  /** What clients connect to. */
  readonly target: string;
  start(servers: readonly string[]): Promise<void>;
  /** Others serve from now on. Of those that leave, resolves when they may close. */
  change(servers: readonly string[]): Promise<void>;
  end(): Promise<void>;
}

/** Why it cannot be had here; `undefined` when it can. */
export function middleMissing(contender: ContenderName): string | undefined {
  if (contender === 'haproxy' && !isThere('haproxy', '-v')) return 'it needs haproxy';
  if (contender !== 'nginx') return undefined;
  if (!isThere('nginx', '-v')) return 'it needs nginx';
  return existsSync(nginxModule) ? undefined : `it needs nginx's stream module, ${nginxModule}`;
}

export function middleOf(contender: ContenderName, rack: Rack, timeToLive: number): Middle {
  switch (contender) {
    case 'serval':
      return serviceRouter(rack);
    case 'dns':
      return dnsServer(rack, timeToLive);
    case 'haproxy':
      // With the master it reloads without a gap: workers take the listening sockets over from those before.
      return balancer(rack, ['haproxy', '-W', '-q', '-db', '-f'], 'SIGUSR2', haproxyConfiguration);
    case 'nginx':
      return balancer(rack, ['nginx', '-g', 'daemon off;', '-c'], 'SIGHUP', nginxConfiguration);
  }
}

function serviceRouter({ router }: Rack): Middle {
  let program: Ordered<MiddleOrders> | undefined;
  return {
    target: SERVICE,
    start: async () => {
      program = await startProgram(router, { kind: 'router' });
    },
    change: async () => {},
    end: async () => program?.end(),
  };
}

function dnsServer({ router }: Rack, timeToLive: number): Middle {
  let program: Ordered<MiddleOrders> | undefined;
  let known: readonly string[] = [];
  const tell = async (servers: readonly string[]): Promise<void> => {
    known = servers;
    await program?.ask('addresses', servers);
  };
  return {
    target: router.address,
    start: async (servers) => {
      program = await startProgram(router, { kind: 'dns', address: router.address, timeToLive });
      await tell(servers);
    },
    change: async (servers) => {
      const isLeaving = known.some((address) => !servers.includes(address));
      await tell(servers);
      // A server that has left the record is asked until the last client has forgotten it.
      if (isLeaving) await pause(timeToLive * 1000 + SETTLE);
    },
    end: async () => program?.end(),
  };
}

async function startProgram(router: Rack['router'], task: object): Promise<Ordered<MiddleOrders>> {
  const program = new Ordered<MiddleOrders>('the router', join(__dirname, 'middle-program.js'), router, task);
  await program.ready();
  await program.ask('start', undefined);
  return program;
}

type Configuration = (address: string, servers: readonly string[], folder: string) => string;

function balancer(
  { router, folder }: Rack,
  command: readonly string[],
  reload: NodeJS.Signals,
  configuration: Configuration,
): Middle {
  const file = join(folder, `${command[0]}.conf`);
  const write = (servers: readonly string[]): void =>
    writeFileSync(file, configuration(router.address, servers, folder));
  let child: ChildProcess | undefined;
  // The master takes its workers along.
  const stop = (): boolean | undefined => child?.kill('SIGTERM');
  return {
    target: router.address,
    start: async (servers) => {
      write(servers);
      process.once('exit', stop);
      child = spawn('ip', ['netns', 'exec', router.namespace, ...command, file], { stdio: ['ignore', 'ignore', 2] });
    },
    change: async (servers) => {
      write(servers);
      child?.kill(reload);
      await pause(SETTLE);
    },
    end: async () => {
      process.off('exit', stop);
      if (child === undefined || child.exitCode !== null) return;
      const exited = once(child, 'exit');
      stop();
      await exited;
    },
  };
}

function isThere(command: string, flag: string): boolean {
  return spawnSync(command, [flag], { stdio: 'ignore' }).error === undefined;
}

/** Milliseconds that a reload takes at most, and a lookup that is under way. */
const SETTLE = 500;
