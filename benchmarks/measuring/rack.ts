// The paper's rack (§6.1): hosts on one bridge, each with a link of its own, with the same rate in both directions.

import { execFileSync } from 'node:child_process';
import { addNamespace, canMakeNamespaces, hasCommand, removal, run, runIn, temporaryFolder } from './namespaces';
import type { Place } from './orders';

export interface RackHost extends Place {
  readonly address: string;
}

export interface Rack {
  readonly router: RackHost;
  readonly clients: readonly RackHost[];
  readonly servers: readonly RackHost[];
  /** For configurations and the like. */
  readonly folder: string;
  /** What the host's device has carried since it is there: the greater of both directions, what is passed on once. */
  carried(host: RackHost): number;
  close(): void;
}

export interface RackSize {
  readonly clients: number;
  readonly servers: number;
  /** Of each link, in bits a second; Infinity: as fast as it is. */
  readonly rate: number;
}

/** Why it cannot be had here; `undefined` when it can. */
export function rackMissing(): string | undefined {
  if (!canMakeNamespaces()) return 'it needs root and the ip command, to make network namespaces';
  return hasCommand('tc') ? undefined : 'it needs the command tc';
}

export function openRack({ clients, servers, rate }: RackSize): Rack {
  const folder = temporaryFolder();
  const names = ['r', ...numbered('c', clients), ...numbered('s', servers)];
  const namespaces: string[] = [];
  const close = removal(namespaces, folder);
  const add = (letter: string): string => {
    const name = addNamespace(letter);
    namespaces.push(name);
    return name;
  };
  const bridge = add('b');
  run('ip', '-n', bridge, 'link', 'add', 'bridge0', 'type', 'bridge');
  run('ip', '-n', bridge, 'link', 'set', 'bridge0', 'up');
  const hosts = names.map((name, index) => {
    const namespace = add(name);
    const address = `${NETWORK}.${index + 1}`;
    plug(namespace, address, bridge, `port${index}`, rate);
    return { namespace, address, environment: { ...COMMON, SERVAL_REGISTRY: `${folder}/${name}` } };
  });
  return {
    router: { ...hosts[0]!, environment: { ...hosts[0]!.environment, SERVAL_ROUTER: '' } },
    clients: hosts.slice(1, clients + 1),
    servers: hosts.slice(clients + 1),
    folder,
    carried,
    close,
  };
}

function numbered(letter: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index}`);
}

/** A host's cable: what it sends is shaped at its device, what it gets at the bridge's port. */
function plug(namespace: string, address: string, bridge: string, port: string, rate: number): void {
  run('ip', 'link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', port, 'netns', bridge);
  run('ip', '-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', bridge, 'link', 'set', port, 'master', 'bridge0', 'up');
  if (!Number.isFinite(rate)) return;
  const shaper = ['root', 'tbf', 'rate', `${Math.round(rate / 1000)}kbit`, 'burst', BURST, 'limit'];
  runIn(namespace, 'tc', 'qdisc', 'add', 'dev', 'eth0', ...shaper, HOST_QUEUE);
  runIn(bridge, 'tc', 'qdisc', 'add', 'dev', port, ...shaper, PORT_QUEUE);
}

function carried({ namespace }: RackHost): number {
  const text = execFileSync('ip', ['-n', namespace, '-json', '-s', 'link', 'show', 'eth0'], { encoding: 'utf8' });
  const [{ stats64 }] = JSON.parse(text) as [{ stats64: Record<'rx' | 'tx', { bytes: number }> }];
  return Math.max(stats64.rx.bytes, stats64.tx.bytes);
}

const NETWORK = '10.77.7';
const ROUTER_ADDRESS = `${NETWORK}.1`;
/** A super-packet goes through whole. */
const BURST = '64kb';
/** What a device holds by default: a thousand packets. */
const HOST_QUEUE = '1500kb';
/** What a port of a small switch holds. */
const PORT_QUEUE = '512kb';
/** Nobody else's host is joined, and nobody is asked by broadcast. */
const COMMON = {
  SERVAL_PORT: String(40_000 + (process.pid % 20_000)),
  SERVAL_BROADCAST: '0',
  SERVAL_ROUTER: ROUTER_ADDRESS,
};
