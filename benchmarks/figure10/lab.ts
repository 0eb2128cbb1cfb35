// Two hosts with one cable each, far apart: a line with a delay between the routers that they are plugged in at. A service
// router stands beside the server's. Each host has two subnets to be plugged into.

import type { StreamContender } from '../measuring/movable-streams';
import { addNamespace, removal, run, runIn, temporaryFolder } from '../measuring/namespaces';
import type { Place } from '../measuring/orders';
import { RelayedLines } from '../measuring/relayed-lines';
import { Cable } from './cable';

export interface Lab {
  readonly client: Place;
  readonly server: Place;
  readonly router: Place;
  readonly cables: Readonly<Record<'client' | 'server', Cable>>;
  close(): void;
}

/** Milliseconds, there and back. */
export const ROUND_TRIP = 20;
/** Of the line, in bits a second. */
export const LINE_RATE = 50e6;

export async function openLab(contender: StreamContender): Promise<Lab> {
  const folder = temporaryFolder();
  const namespaces = ['c', 's', 'r', 'p', 'q'].map(addNamespace);
  const [client, server, router, near, far] = namespaces as [string, string, string, string, string];
  const remove = removal(namespaces, folder);
  const lines = new RelayedLines(folder);
  const cables: Cable[] = [];
  const close = (): void => {
    for (const cable of cables) cable.close();
    lines.close();
    remove();
  };
  try {
    for (const namespace of [near, far]) runIn(namespace, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
    await joinRouters(lines, near, far);
    attachRouter(router, far);
    const cableOf = {
      client: new Cable(client, near, CLIENTS, contender, 'subflow'),
      server: new Cable(server, far, SERVERS, contender, 'signal'),
    };
    cables.push(cableOf.client, cableOf.server);
    for (const [cable, host] of [
      [cableOf.client, client],
      [cableOf.server, server],
    ] as const) {
      await cable.lay(host);
      await cable.plug();
    }
    const environmentOf = (name: string, upstream: string): Place['environment'] => {
      return { ...COMMON, SERVAL_REGISTRY: `${folder}/${name}`, SERVAL_ROUTER: upstream };
    };
    return {
      client: { namespace: client, processor: 0, environment: environmentOf('client', ROUTER) },
      server: { namespace: server, processor: 1, environment: environmentOf('server', ROUTER) },
      router: { namespace: router, environment: environmentOf('router', '') },
      cables: cableOf,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function joinRouters(lines: RelayedLines, near: string, far: string): Promise<void> {
  const queueBytes = (LINE_RATE * ROUND_TRIP) / 8000;
  await lines.join(near, far, { name: 'line', rate: LINE_RATE, delay: ROUND_TRIP / 2, queueBytes });
  run('ip', '-n', near, 'address', 'add', '10.83.0.1/30', 'dev', 'line');
  run('ip', '-n', far, 'address', 'add', '10.83.0.2/30', 'dev', 'line');
  run('ip', '-n', near, 'route', 'add', 'default', 'via', '10.83.0.2');
  run('ip', '-n', far, 'route', 'add', 'default', 'via', '10.83.0.1');
}

function attachRouter(router: string, far: string): void {
  run('ip', 'link', 'add', 'eth0', 'netns', router, 'type', 'veth', 'peer', 'name', 'services', 'netns', far);
  run('ip', '-n', router, 'address', 'add', `${ROUTER}/24`, 'dev', 'eth0');
  run('ip', '-n', far, 'address', 'add', '10.82.0.254/24', 'dev', 'services');
  run('ip', '-n', router, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', far, 'link', 'set', 'services', 'up');
  run('ip', '-n', router, 'route', 'add', 'default', 'via', '10.82.0.254');
}

const CLIENTS = '10.80';
const SERVERS = '10.81';
const ROUTER = '10.82.0.1';
/** Nobody else's host is joined, and nobody is asked by broadcast. */
const COMMON = { SERVAL_PORT: String(40_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
