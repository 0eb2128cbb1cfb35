// Two namespaces that two relays join: two paths, each with a rate, a delay and a queue of its own, the same for all.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { addNamespace, canMakeNamespaces, hasCommand, removal, run } from '../measuring/namespaces';
import { pinnedTo } from '../measuring/pinning';
import type { Line, Mix } from './mixes';

export interface Lab {
  /** What stands before a program in its command, and what is in its environment besides. */
  readonly server: Place;
  readonly client: Place;
  /** Of the server, on the first path. */
  readonly address: string;
  /** What each path has carried so far, both ways. */
  carriedBytes(): readonly number[];
  close(): void;
}

export interface Place {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const MTU = 1500;
const SEED = 1;
/** Milliseconds that a full queue takes to drain, and the least that it holds. */
const QUEUE_TIME = 100;
const QUEUE_BYTES_MINIMUM = 60_000;

/** Why there can be none here; `undefined` when there can. */
export function labMissing(): string | undefined {
  if (!canMakeNamespaces()) return 'it needs root and the ip command, to make network namespaces';
  return hasCommand('g++') ? undefined : 'it needs g++, to compile the relay';
}

/** Why MPTCP cannot be had here. */
export function mptcpMissing(): string | undefined {
  return hasCommand('mptcpize') ? undefined : 'it needs mptcpize, which gives programs MPTCP sockets';
}

export async function openLab(mix: Mix): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'serval-bench-'));
  const [server, client] = [addNamespace('s'), addNamespace('c')];
  const remove = removal([server, client], folder);
  const relays: ChildProcess[] = [];
  const close = (): void => {
    process.off('exit', close);
    for (const relay of relays) relay.kill('SIGKILL');
    remove();
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', close);
  try {
    const program = join(folder, 'relay');
    run('g++', '-O2', '-std=c++17', '-o', program, RELAY_SOURCE);
    for (const [index, line] of mix.entries()) relays.push(await joinByRelay(program, server, client, line, index));
    allowMptcp(server, client);
    return {
      server: place(server, 1, { SERVAL_REGISTRY: `${folder}/server` }),
      client: place(client, 0, { SERVAL_REGISTRY: `${folder}/client`, SERVAL_ROUTER: addressOf(0, 's') }),
      address: addressOf(0, 's'),
      carriedBytes: () => mix.map((_line, index) => carriedBy(client, index)),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function joinByRelay(
  program: string,
  server: string,
  client: string,
  line: Line,
  index: number,
): Promise<ChildProcess> {
  const device = `path${index}`;
  const queue = Math.max((line.rate * 1e6 * QUEUE_TIME) / 8000, QUEUE_BYTES_MINIMUM);
  const numbers = [MTU, line.delay, 0, 0, SEED, line.rate, queue].map(String);
  const relay = spawn(program, [server, client, ...numbers, device], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(relay.stdout, 'data');
  for (const [namespace, own, other] of [
    [server, addressOf(index, 's'), addressOf(index, 'c')],
    [client, addressOf(index, 'c'), addressOf(index, 's')],
  ] as const) {
    run('ip', '-n', namespace, 'address', 'add', `${own}/32`, 'dev', device);
    run('ip', '-n', namespace, 'link', 'set', device, 'mtu', String(MTU), 'txqueuelen', '10000', 'up');
    // CUBIC stands in the route: a namespace may not choose it as its default where the machine's own does not allow it.
    run('ip', '-n', namespace, 'route', 'add', other, 'dev', device, 'src', own, 'congctl', 'cubic');
  }
  return relay;
}

function carriedBy(namespace: string, index: number): number {
  const said = execFileSync('ip', ['-n', namespace, '-s', '-j', 'link', 'show', 'dev', `path${index}`], {
    encoding: 'utf8',
  });
  const [{ stats64 }] = JSON.parse(said) as [{ stats64: Record<'rx' | 'tx', { bytes: number }> }];
  return stats64.rx.bytes + stats64.tx.bytes;
}

/** The server tells of its second address, and the client opens a subflow to it: as MPTCP's users set it up. */
function allowMptcp(server: string, client: string): void {
  if (mptcpMissing() !== undefined) return;
  run('ip', '-n', server, 'mptcp', 'limits', 'set', 'subflow', '2', 'add_addr_accepted', '0');
  run('ip', '-n', server, 'mptcp', 'endpoint', 'add', addressOf(1, 's'), 'dev', 'path1', 'signal');
  run('ip', '-n', client, 'mptcp', 'limits', 'set', 'subflow', '2', 'add_addr_accepted', '2');
}

function place(namespace: string, processor: number, environment: Place['environment']): Place {
  const common = { SERVAL_PORT: String(40_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
  const command = ['ip', 'netns', 'exec', namespace, ...pinnedTo(processor)];
  return { command, environment: { ...common, ...environment } };
}

function addressOf(path: number, end: 's' | 'c'): string {
  return `10.78.${path}.${end === 's' ? 1 : 2}`;
}

/** Seen from where this runs: dist-benchmarks/benchmarks/multipath. */
const RELAY_SOURCE = resolve(__dirname, '../../../test/lab/relay/relay.cc');
