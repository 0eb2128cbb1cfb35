// Where two processes are measured: on loopback, and on two hosts that a veth pair joins. As root each has
// network namespaces of its own, so that nothing else of the machine takes part and its settings may be changed.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

export const PATH_NAMES = ['loopback', 'namespaces'] as const;
export type PathName = (typeof PATH_NAMES)[number];

export type End = 'server' | 'client';

/** One of the two ends: how its programs are started, and what serval is told there. */
export interface PathEnd {
  /** What stands before the program in its command. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface MeasuredPath extends Readonly<Record<End, PathEnd>> {
  readonly name: PathName;
  readonly description: string;
  readonly serverAddress: string;
  close(): void;
}

/** Why a path cannot be had here; `undefined` when it can. */
export function pathMissing(name: PathName): string | undefined {
  if (name === 'loopback' || canMakeNamespaces()) return undefined;
  return 'it needs root and the ip command, to make network namespaces';
}

export function openPath(name: PathName): MeasuredPath {
  return name === 'loopback' ? loopback() : namespaces();
}

/** Whether each end gets a processor of its own: left to the scheduler both often share one. */
export const isPinned =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;

function loopback(): MeasuredPath {
  const folder = mkdtempSync(join(tmpdir(), 'serval-bench-'));
  const namespace = canMakeNamespaces() ? addNamespace('l') : undefined;
  const end = { ...COMMON, SERVAL_REGISTRY: join(folder, 'registry') };
  return {
    name: 'loopback',
    description: namespace === undefined ? 'loopback of this machine' : 'loopback of a network namespace',
    serverAddress: '127.0.0.1',
    server: { command: commandIn(namespace, 'server'), environment: end },
    client: { command: commandIn(namespace, 'client'), environment: end },
    close: closing(namespace === undefined ? [] : [namespace], folder),
  };
}

function namespaces(): MeasuredPath {
  const folder = mkdtempSync(join(tmpdir(), 'serval-bench-'));
  const server = addNamespace('s');
  const client = addNamespace('c');
  ip('link', 'add', 'eth0', 'netns', server, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', client);
  for (const [namespace, address] of [[server, SERVER_ADDRESS] as const, [client, CLIENT_ADDRESS] as const]) {
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }
  return {
    name: 'namespaces',
    description: 'two network namespaces, veth with MTU 1500 and its default offloads',
    serverAddress: SERVER_ADDRESS,
    server: {
      command: commandIn(server, 'server'),
      environment: { ...COMMON, SERVAL_REGISTRY: join(folder, 'server') },
    },
    client: {
      command: commandIn(client, 'client'),
      environment: { ...COMMON, SERVAL_REGISTRY: join(folder, 'client'), SERVAL_ROUTER: SERVER_ADDRESS },
    },
    close: closing([server, client], folder),
  };
}

/** The sender has the first processor, the receiver the second. */
function commandIn(namespace: string | undefined, end: End): readonly string[] {
  const enter = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
  const pin = isPinned ? ['taskset', '-c', end === 'client' ? '0' : '1'] : [];
  return [...enter, ...pin];
}

function addNamespace(letter: string): string {
  const name = `svbench${process.pid}${letter}`;
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  // Thousands of short connections: `net` must not run out of ports because ended ones still hold them.
  for (const setting of ['net.ipv4.tcp_max_tw_buckets=500', 'net.ipv4.ip_local_port_range=1024 65000']) {
    ip('netns', 'exec', name, 'sysctl', '-q', '-w', setting);
  }
  return name;
}

/** Also when the process ends before it is called. */
function closing(names: readonly string[], folder: string): () => void {
  const close = (): void => {
    process.off('exit', close);
    for (const name of names) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', close);
  return close;
}

let namespacesPossible: boolean | undefined;

function canMakeNamespaces(): boolean {
  namespacesPossible ??= probeNamespaces();
  return namespacesPossible;
}

function probeNamespaces(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const name = `svbench${process.pid}p`;
  if (spawnSync('ip', ['netns', 'add', name], { stdio: 'ignore' }).status !== 0) return false;
  spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  return true;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

const SERVER_ADDRESS = '10.77.0.1';
const CLIENT_ADDRESS = '10.77.0.2';
/** Nobody else's host is joined, and nobody is asked by broadcast. */
const COMMON = { SERVAL_PORT: String(40_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
