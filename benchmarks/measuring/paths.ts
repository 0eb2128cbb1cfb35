// Where two processes are measured: on loopback, and on two hosts that a veth pair joins, set up like different wires.
// As root each path has network namespaces of its own.

import { addNamespace, canMakeNamespaces, hasCommand, joinByVeth, removal, runIn, temporaryFolder } from './namespaces';
import { pinnedTo } from './pinning';

export const PATH_NAMES = ['veth', 'loopback', 'veth9000', 'wire', '1gbit'] as const;
export type PathName = (typeof PATH_NAMES)[number];

export type End = 'server' | 'client';

/** One of the two ends: how its programs are started, and what serval is told there. */
export interface PathEnd {
  /** What stands before the program in its command. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface MeasuredPath extends Readonly<Record<End, PathEnd>> {
  readonly name: string;
  readonly description: string;
  readonly serverAddress: string;
  close(): void;
}

/** A veth pair, and what is changed on it before it is used. */
export interface Veth {
  readonly description: string;
  readonly mtu: number;
  /** Needed besides `ip`. */
  readonly commands?: readonly string[];
  /** Called for each end's namespace, in which the interface is `eth0`. */
  prepare?(namespace: string, end: End): void;
}

/** Why a path cannot be had here; `undefined` when it can. */
export function pathMissing(name: PathName): string | undefined {
  return name === 'loopback' ? undefined : vethMissing(VETHS[name]);
}

export function openPath(name: PathName): MeasuredPath {
  return name === 'loopback' ? openLoopback() : openVeth(name, VETHS[name]);
}

export function vethMissing({ commands = [] }: Veth): string | undefined {
  if (!canMakeNamespaces()) return 'it needs root and the ip command, to make network namespaces';
  const missing = commands.filter((command) => !hasCommand(command));
  return missing.length === 0 ? undefined : `it needs the command ${missing.join(', ')}`;
}

/** For a path that only one benchmark has. */
export function openVeth(name: string, { description, mtu, prepare }: Veth): MeasuredPath {
  return openHosts(name, description, (server, client, addresses) => {
    joinByVeth(server, client, addresses, mtu);
    prepare?.(server, 'server');
    prepare?.(client, 'client');
  });
}

/** Two hosts, each a namespace, that `join` joins: it is told their names and the addresses that they are to have. */
export function openHosts(
  name: string,
  description: string,
  join: (server: string, client: string, addresses: readonly [string, string]) => void,
): MeasuredPath {
  const folder = temporaryFolder();
  const server = addNamespace('s');
  const client = addNamespace('c');
  const close = removal([server, client], folder);
  join(server, client, [SERVER_ADDRESS, CLIENT_ADDRESS]);
  const hosts = { SERVAL_REGISTRY: `${folder}/client`, SERVAL_ROUTER: SERVER_ADDRESS };
  return {
    name,
    description: `two network namespaces, ${description}`,
    serverAddress: SERVER_ADDRESS,
    server: endOf('server', server, { SERVAL_REGISTRY: `${folder}/server` }),
    client: endOf('client', client, hosts),
    close,
  };
}

function openLoopback(): MeasuredPath {
  const folder = temporaryFolder();
  const namespace = canMakeNamespaces() ? addNamespace('l') : undefined;
  const environment = { SERVAL_REGISTRY: `${folder}/registry` };
  return {
    name: 'loopback',
    description: `loopback of ${namespace === undefined ? 'this machine' : 'a network namespace'}`,
    serverAddress: '127.0.0.1',
    server: endOf('server', namespace, environment),
    client: endOf('client', namespace, environment),
    close: removal(namespace === undefined ? [] : [namespace], folder),
  };
}

function endOf(end: End, namespace: string | undefined, environment: PathEnd['environment']): PathEnd {
  const enter = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
  return { command: [...enter, ...pinnedTo(end === 'client' ? 0 : 1)], environment: { ...COMMON, ...environment } };
}

const SERVER_ADDRESS = '10.77.0.1';
const CLIENT_ADDRESS = '10.77.0.2';
/** Nobody else's host is joined, and nobody is asked by broadcast. */
const COMMON = { SERVAL_PORT: String(40_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };

/**
 * What a wire without offloads does to both: the sender's kernel cuts super-packets, the receiver's joins them again.
 * A veth end joins only what a sender without tso gives it, so both ends are set, and gro is said although it is on.
 */
function likeWire(namespace: string): void {
  runIn(namespace, 'ethtool', '-K', 'eth0', 'tso', 'off', 'gso', 'off', 'tx-udp-segmentation', 'off', 'gro', 'on');
}

/** The burst holds two super-packets, the queue 2.5 MB. */
function shapeToGigabit(namespace: string): void {
  const shaper = ['tbf', 'rate', '1gbit', 'burst', '128kb', 'latency', '20ms'];
  runIn(namespace, 'tc', 'qdisc', 'add', 'dev', 'eth0', 'root', ...shaper);
}

const VETHS: Readonly<Record<Exclude<PathName, 'loopback'>, Veth>> = {
  veth: { description: 'veth with MTU 1500 and its default offloads', mtu: 1500 },
  veth9000: { description: 'veth with MTU 9000 and its default offloads', mtu: 9000 },
  wire: {
    description: 'veth with MTU 1500 like a wire: tso, gso and tx-udp-segmentation off, gro on',
    mtu: 1500,
    commands: ['ethtool'],
    prepare: likeWire,
  },
  '1gbit': {
    description: 'veth with MTU 1500 shaped to 1 Gbit/s (tbf)',
    mtu: 1500,
    commands: ['tc'],
    prepare: shapeToGigabit,
  },
};
