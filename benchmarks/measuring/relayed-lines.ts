// Lines with a rate, a delay and a queue between two namespaces: the relay of test/lab, for the kernels of test machines
// have no netem. It is the same for whoever is measured.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { join, resolve } from 'node:path';
import { clock } from './clock';
import { canMakeNamespaces, hasCommand, run } from './namespaces';
import { quantile } from './rounds';

export interface RelayedLine {
  /** Of its device in both namespaces. */
  readonly name: string;
  /** Bits a second, in each direction. */
  readonly rate: number;
  /** Milliseconds, one way. */
  readonly delay: number;
  readonly queueBytes: number;
}

/** Why there can be none here; `undefined` when there can. */
export function relayMissing(): string | undefined {
  if (!canMakeNamespaces()) return 'it needs root and the ip command, to make network namespaces';
  if (!hasCommand('g++')) return 'it needs g++, to compile the relay';
  const controls = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim();
  return controls.split(' ').includes('cubic') ? undefined : `the kernel's TCP has no CUBIC, but ${controls}`;
}

/** Why MPTCP cannot be had here; `undefined` when it can. */
export function mptcpMissing(): string | undefined {
  return hasCommand('mptcpize') ? undefined : 'it needs mptcpize, which gives programs MPTCP sockets';
}

/** Ends with `close`, or with this process. */
export class RelayedLines {
  private readonly program: string;
  private readonly relays: ChildProcess[] = [];

  constructor(folder: string) {
    this.program = join(folder, 'relay');
    run('g++', '-O2', '-std=c++17', '-o', this.program, RELAY_SOURCE);
    process.on('exit', this.close);
  }

  /** The devices are up, without addresses. */
  async join(a: string, b: string, { name, rate, delay, queueBytes }: RelayedLine): Promise<void> {
    const numbers = [MTU, delay, NO_LOSS, NO_REORDER, SEED, rate / 1e6, queueBytes].map(String);
    const relay = spawn(this.program, [a, b, ...numbers, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.relays.push(relay);
    await once(relay.stdout, 'data');
    // The device's own queue is so long that only the relay's ever fills.
    for (const namespace of [a, b]) {
      run('ip', '-n', namespace, 'link', 'set', name, 'mtu', String(MTU), 'txqueuelen', '10000', 'up');
    }
  }

  readonly close = (): void => {
    process.off('exit', this.close);
    for (const relay of this.relays.splice(0)) relay.kill('SIGKILL');
  };
}

/** Milliseconds there and back, as the kernel takes to refuse a connection: to be called at an end of the line. */
export async function roundTripTo(address: string): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < ROUND_TRIPS; count++) {
    const begun = clock();
    const socket = net.connect({ host: address, port: CLOSED_PORT });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    if (error.code !== 'ECONNREFUSED') throw error;
    times.push(clock() - begun);
  }
  return quantile(times, 0.5);
}

const MTU = 1500;
const NO_LOSS = 0;
const NO_REORDER = 0;
const SEED = 1;
const ROUND_TRIPS = 11;
const CLOSED_PORT = 9;
/** Seen from where this runs: dist-benchmarks/benchmarks/measuring. */
const RELAY_SOURCE = resolve(__dirname, '../../../test/lab/relay/relay.cc');
