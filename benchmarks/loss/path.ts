// A path of 200 Mbit/s that takes 20 ms there and back and loses packets at random: two namespaces with the relay of
// test/lab between them, for the kernels of test machines have no netem.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { canMakeNamespaces, hasCommand, run } from '../measuring/namespaces';
import { type MeasuredPath, openHosts } from '../measuring/paths';

export const RATE_MBIT = 200;
export const ROUND_TRIP_MS = 20;
const MTU = 1500;
/** One bandwidth-delay product before the bottleneck, in each direction. */
const QUEUE_BYTES = (RATE_MBIT * 1e6 * ROUND_TRIP_MS) / 8000;
const SEED = 1;
const NO_REORDER = 0;

export interface LossyPath extends MeasuredPath {
  /** Closes the path; gives what the relay did with the packets. */
  end(): Promise<Readonly<Record<'passed' | 'lost' | 'overflowed', number>>>;
}

/** Why the path cannot be had here; `undefined` when it can. */
export function lossyPathMissing(): string | undefined {
  if (!canMakeNamespaces()) return 'it needs root and the ip command, to make network namespaces';
  if (!hasCommand('g++')) return 'it needs g++, to compile the relay';
  const controls = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim();
  return controls.split(' ').includes('cubic') ? undefined : `the kernel's TCP has no CUBIC, but ${controls}`;
}

/** `loss` is the probability for each packet, in either direction. */
export async function openLossyPath(loss: number): Promise<LossyPath> {
  const folder = mkdtempSync(join(tmpdir(), 'serval-bench-'));
  const hosts: (readonly [namespace: string, address: string])[] = [];
  const path = openHosts('lossy', descriptionOf(loss), (server, client, [first, second]) => {
    hosts.push([server, first], [client, second]);
  });
  let relay: ChildProcess | undefined;
  const close = (): void => {
    process.off('exit', close);
    relay?.kill('SIGKILL');
    path.close();
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', close);
  try {
    relay = await startRelay(
      join(folder, 'relay'),
      hosts.map(([namespace]) => namespace),
      loss,
    );
    for (const [namespace, address] of hosts) configure(namespace, address);
    return { ...path, close, end: () => report(relay!, close) };
  } catch (error) {
    close();
    throw error;
  }
}

async function startRelay(program: string, namespaces: readonly string[], loss: number): Promise<ChildProcess> {
  run('g++', '-O2', '-std=c++17', '-o', program, RELAY_SOURCE);
  const numbers = [MTU, ROUND_TRIP_MS / 2, loss, NO_REORDER, SEED, RATE_MBIT, QUEUE_BYTES].map(String);
  const relay = spawn(program, [...namespaces, ...numbers], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(relay.stdout, 'data');
  return relay;
}

/**
 * The device's own queue is so long that only the relay's ever fills. CUBIC stands in the route: a namespace may not
 * choose it as its default where the machine's own does not allow it.
 */
function configure(namespace: string, address: string): void {
  const device = ['dev', 'relay0'];
  run('ip', '-n', namespace, 'address', 'add', `${address}/32`, ...device);
  run('ip', '-n', namespace, 'link', 'set', 'relay0', 'mtu', String(MTU), 'txqueuelen', '10000', 'up');
  run('ip', '-n', namespace, 'route', 'add', 'default', ...device, 'src', address, 'congctl', 'cubic');
}

async function report(relay: ChildProcess, close: () => void): ReturnType<LossyPath['end']> {
  const told = once(relay.stdout!, 'data');
  relay.kill('SIGTERM');
  const [line] = (await told) as [Buffer];
  close();
  return JSON.parse(line.toString());
}

function descriptionOf(loss: number): string {
  return `${RATE_MBIT} Mbit/s, ${ROUND_TRIP_MS} ms, a queue of ${QUEUE_BYTES / 1000} kB, ${loss * 100} % loss`;
}

/** Seen from where this runs: dist-benchmarks/benchmarks/loss. */
const RELAY_SOURCE = resolve(__dirname, '../../../test/lab/relay/relay.cc');
