// The paper's server with two interfaces (§6.3), each on a line of its own to the router that the clients stand behind.
// The lines are what limits; the clients' cables are as fast as they are.

import { addNamespace, removal, run, runIn, temporaryFolder } from '../measuring/namespaces';
import type { Place } from '../measuring/orders';
import { mptcpMissing, RelayedLines } from '../measuring/relayed-lines';

export interface Lab {
  readonly server: Place;
  readonly clients: readonly Place[];
  /** Of the server, on each line. */
  readonly addresses: readonly [string, string];
  /** What makes MPTCP use the second line: from now on the server tells of its second address. */
  announceSecond(): void;
  close(): void;
}

/** Milliseconds, there and back. */
export const ROUND_TRIP = 20;
/**
 * Bandwidth-delay products before each line. Of two flows with CUBIC each has half of line and queue, 0.7 of that behind a
 * loss: from 1.9 on it is enough for the line when the other leaves. With less it would be the growth of CUBIC that is
 * measured, of the flow that nobody touches.
 */
const QUEUES = 2;
const CLIENTS = [0, 1];
const LINES = [0, 1] as const;

/** `rate` is each line's in bits a second. */
export async function openLab(rate: number): Promise<Lab> {
  const folder = temporaryFolder();
  const namespaces = [addNamespace('s'), addNamespace('r'), ...CLIENTS.map((client) => addNamespace(`c${client}`))];
  const [server, router, ...clients] = namespaces as [string, string, ...string[]];
  const remove = removal(namespaces, folder);
  const lines = new RelayedLines(folder);
  const close = (): void => {
    lines.close();
    remove();
  };
  try {
    forward(router);
    const queueBytes = (QUEUES * rate * ROUND_TRIP) / 8000;
    for (const line of LINES) {
      await lines.join(server, router, { name: `path${line}`, rate, delay: ROUND_TRIP / 2, queueBytes });
      attachServer(server, router, line);
    }
    for (const [index, client] of clients.entries()) attachClient(client, router, index);
    allowMptcp(server, clients);
    const environmentOf = (name: string): Place['environment'] => ({ ...COMMON, SERVAL_REGISTRY: `${folder}/${name}` });
    return {
      server: { namespace: server, processor: 1, environment: environmentOf('server') },
      clients: clients.map((namespace, index) => {
        const environment = { ...environmentOf(`client${index}`), SERVAL_ROUTER: serverAddress(0) };
        return { namespace, processor: 0, environment };
      }),
      addresses: [serverAddress(0), serverAddress(1)],
      announceSecond: () =>
        run('ip', '-n', server, 'mptcp', 'endpoint', 'add', serverAddress(1), 'dev', 'path1', 'signal'),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function forward(router: string): void {
  runIn(router, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
}

/** What comes from an address goes out by its interface, as wherever a host has two networks; the first is the default. */
function attachServer(server: string, router: string, line: number): void {
  const device = `path${line}`;
  const gateway = `${SERVER_NETWORK}.${line}.254`;
  runIn(server, 'sysctl', '-q', '-w', `net.ipv4.conf.${device}.rp_filter=0`);
  run('ip', '-n', server, 'address', 'add', `${serverAddress(line)}/24`, 'dev', device);
  run('ip', '-n', router, 'address', 'add', `${gateway}/24`, 'dev', device);
  const way = ['default', 'via', gateway, 'dev', device, 'congctl', 'cubic'];
  const table = String(FIRST_TABLE + line);
  run('ip', '-n', server, 'route', 'add', ...way, 'table', table);
  run('ip', '-n', server, 'rule', 'add', 'from', serverAddress(line), 'table', table);
  if (line === 0) run('ip', '-n', server, 'route', 'add', ...way);
}

/** CUBIC stands in the route: a namespace may not choose it as its default where the machine's own does not allow it. */
function attachClient(client: string, router: string, index: number): void {
  const network = `${CLIENT_NETWORK}.${index}`;
  const port = `port${index}`;
  run('ip', 'link', 'add', 'eth0', 'netns', client, 'type', 'veth', 'peer', 'name', port, 'netns', router);
  run('ip', '-n', client, 'address', 'add', `${network}.1/24`, 'dev', 'eth0');
  run('ip', '-n', router, 'address', 'add', `${network}.254/24`, 'dev', port);
  run('ip', '-n', client, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', router, 'link', 'set', port, 'up');
  run('ip', '-n', client, 'route', 'add', 'default', 'via', `${network}.254`, 'congctl', 'cubic');
}

function allowMptcp(server: string, clients: readonly string[]): void {
  if (mptcpMissing() !== undefined) return;
  for (const namespace of [server, ...clients]) {
    run('ip', '-n', namespace, 'mptcp', 'limits', 'set', 'subflow', '2', 'add_addr_accepted', '2');
  }
}

function serverAddress(line: number): string {
  return `${SERVER_NETWORK}.${line}.1`;
}

const SERVER_NETWORK = '10.79';
const CLIENT_NETWORK = '10.78';
const FIRST_TABLE = 100;
/** Nobody else's host is joined, and nobody is asked by broadcast. */
const COMMON = { SERVAL_PORT: String(40_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
