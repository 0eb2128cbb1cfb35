// The ways that a first packet takes to its server, each with hosts of its own on one bridge: what stands on them, and
// who is told of whom.

import { join } from 'node:path';
import { Ordered, type Place } from '../measuring/orders';
import { openRack, type Rack, type RackHost } from '../measuring/rack';
import type { ClientOrders, RouterOrders, ServerOrders, Way } from './task';

export interface NamedWay {
  readonly name: string;
  readonly way: Way;
  /** Routers one behind the other; the client knows the first, the server the last. */
  readonly routers: number;
}

export const WAYS: readonly NamedWay[] = [
  { name: '0 routers', way: 'routers', routers: 0 },
  { name: '1 router', way: 'routers', routers: 1 },
  { name: '2 routers', way: 'routers', routers: 2 },
  { name: '3 routers', way: 'routers', routers: 3 },
  { name: 'DELAY', way: 'delay', routers: 0 },
  { name: 'broadcast', way: 'broadcast', routers: 0 },
];

export interface OpenWay {
  readonly client: Ordered<ClientOrders>;
  close(): Promise<void>;
}

/** The server listens, and the client may connect. */
export async function openWay({ way, routers: count }: NamedWay): Promise<OpenWay> {
  const rack = openRack({ clients: 1, servers: 1 + count, rate: Number.POSITIVE_INFINITY });
  const programs: Ordered<never>[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(programs.map((program) => program.end()));
    rack.close();
  };
  try {
    const client = await start(rack, way, count, programs);
    return { client, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  { clients, servers }: Rack,
  way: Way,
  count: number,
  programs: Ordered<never>[],
): Promise<Ordered<ClientOrders>> {
  const serverHost = servers[0]!;
  const routers = servers.slice(1, 1 + count);
  const launch = async <All extends object>(name: string, place: Place): Promise<Ordered<All & OrdersOf<All>>> => {
    const file = join(__dirname, `${name}.js`);
    const program = new Ordered<All & OrdersOf<All>>(`the ${name}`, file, place, { way, address: serverHost.address });
    programs.push(program as unknown as Ordered<never>);
    await program.ready();
    return program;
  };
  for (const [index, host] of [...routers.entries()].toReversed()) {
    const router = await launch<RouterOrders>('router', placed(host, way, routers[index + 1]?.address));
    await router.ask('start', undefined);
  }
  const server = await launch<ServerOrders>('server', {
    ...placed(serverHost, way, routers.at(-1)?.address),
    processor: 1,
  });
  await server.ask('listen', undefined);
  // Without a router between, the server's host is the one that the client asks.
  const first = way === 'routers' ? (routers[0] ?? serverHost).address : undefined;
  return launch<ClientOrders>('client', { ...placed(clients[0]!, way, first), processor: 0 });
}

type OrdersOf<All> = { readonly [Name in keyof All]: { readonly argument: unknown; readonly result: unknown } };

/** With the router that it is told of. */
function placed({ namespace, environment }: RackHost, way: Way, router = ''): Place {
  const broadcast = way === 'broadcast' ? '1' : '0';
  return { namespace, environment: { ...environment, SERVAL_ROUTER: router, SERVAL_BROADCAST: broadcast } };
}
