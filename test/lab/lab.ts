// Hosts for tests: network namespaces joined by veth pairs, or by a relay that delays, loses and reorders.
// Everything has a name of this process's own and goes away with `close`, also when a test fails.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a relay does to each packet, in either direction. */
export interface Impairment {
  /** Milliseconds, one way. */
  readonly delay: number;
  /** Probabilities. */
  readonly loss: number;
  readonly reorder: number;
  readonly seed: number;
  readonly mtu?: number;
  /** Mbit/s, behind a queue of so many bytes; default none. */
  readonly rate?: number;
  readonly queue?: number;
  /** Milliseconds at most, in order. */
  readonly jitter?: number;
  /** Loss comes in fades of so many milliseconds, on average. */
  readonly fade?: number;
  /** The interface at both ends; default `relay0`. */
  readonly device?: string;
}

/** Mbit/s and bytes of a relay that is as fast as it can be. */
const RATE_WITHOUT_LIMIT = 1e6;
const QUEUE_WITHOUT_LIMIT = 1e9;

let labs = 0;

export class Lab {
  private readonly tag = `sv${process.pid}x${labs++}`;
  private readonly hosts: LabHost[] = [];
  private readonly relays: ChildProcess[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'serval-lab-'));
  private cables = 0;

  host(name: string): LabHost {
    const host = new LabHost(`${this.tag}${name}`);
    this.hosts.push(host);
    return host;
  }

  /** A veth pair; addresses as `10.9.0.1/24` or `fd00::1/64`. Interfaces have the same name at both ends. */
  connect(
    a: LabHost,
    aAddresses: readonly string[],
    b: LabHost,
    bAddresses: readonly string[],
    name = `eth${this.cables++}`,
  ): string {
    ip('link', 'add', name, 'netns', a.namespace, 'type', 'veth', 'peer', 'name', name, 'netns', b.namespace);
    a.configure(name, aAddresses);
    b.configure(name, bAddresses);
    return name;
  }

  /** One segment for all: each host has an interface `eth0` on a bridge. */
  segment(...members: readonly (readonly [host: LabHost, addresses: readonly string[]])[]): void {
    const middle = this.host('bridge');
    middle.ip('link', 'add', 'bridge0', 'type', 'bridge');
    middle.ip('link', 'set', 'bridge0', 'up');
    for (const [index, [host, addresses]] of members.entries()) {
      const port = `port${index}`;
      ip(
        'link',
        'add',
        'eth0',
        'netns',
        host.namespace,
        'type',
        'veth',
        'peer',
        'name',
        port,
        'netns',
        middle.namespace,
      );
      middle.ip('link', 'set', port, 'master', 'bridge0', 'up');
      host.configure('eth0', addresses);
    }
  }

  /** A path through the relay: point to point, without broadcast. */
  async relay(
    a: LabHost,
    aAddresses: readonly string[],
    b: LabHost,
    bAddresses: readonly string[],
    path: Impairment,
  ): Promise<void> {
    const { delay, loss, reorder, seed, mtu = 1500, device = 'relay0', jitter = 0, fade = 0 } = path;
    const { rate = RATE_WITHOUT_LIMIT, queue = QUEUE_WITHOUT_LIMIT } = path;
    const numbers = [mtu, delay, loss, reorder, seed, rate, queue, device, jitter, fade].map(String);
    const relay = spawn(this.relayProgram(), [a.namespace, b.namespace, ...numbers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.relays.push(relay);
    await once(relay.stdout, 'data');
    a.configure(device, aAddresses, mtu);
    b.configure(device, bAddresses, mtu);
  }

  /** What the relays did, as they report it when they end. */
  async endRelays(): Promise<Record<string, number>[]> {
    return Promise.all(
      this.relays.splice(0).map(async (relay) => {
        const lines = createInterface({ input: relay.stdout! });
        relay.kill('SIGTERM');
        const [line] = (await once(lines, 'line')) as [string];
        return JSON.parse(line) as Record<string, number>;
      }),
    );
  }

  /** A file of this lab: a registry, a socket. */
  path(name: string): string {
    return join(this.folder, name);
  }

  close(): void {
    for (const relay of this.relays) relay.kill('SIGKILL');
    for (const host of this.hosts) host.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Compiled on first use: a compiler is there wherever the addon is built. */
  private relayProgram(): string {
    const program = join(this.folder, 'relay');
    if (!existsSync(program)) {
      execFileSync('g++', ['-O2', '-std=c++17', '-o', program, join(__dirname, 'relay', 'relay.cc')]);
    }
    return program;
  }
}

export class LabHost {
  private readonly children: ChildProcess[] = [];

  constructor(readonly namespace: string) {
    ip('netns', 'add', namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }

  /** Has the kernel pass packets on, of both families. */
  route(): void {
    for (const key of ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']) {
      execFileSync('ip', ['netns', 'exec', this.namespace, 'sysctl', '-qw', key]);
    }
  }

  /** The `ip` command in this namespace. */
  ip(...args: string[]): void {
    ip('-n', this.namespace, ...args);
  }

  /** A packet filter, in the language of nft. */
  filter(rules: string): void {
    execFileSync('ip', ['netns', 'exec', this.namespace, 'nft', '-f', '-'], { input: rules });
  }

  /** Waits until the kernel says that the interface is up: for a carrier, up to a second after the command. */
  async isUp(networkInterface: string): Promise<void> {
    const show = ['-n', this.namespace, '-json', 'link', 'show', networkInterface];
    for (;;) {
      const [link] = JSON.parse(execFileSync('ip', show, { encoding: 'utf8' })) as { operstate: string }[];
      if (link!.operstate === 'UP') return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  configure(networkInterface: string, addresses: readonly string[], mtu = 1500): void {
    for (const address of addresses) {
      const rest = address.includes(':') ? ['nodad'] : ['broadcast', '+'];
      this.ip('address', 'add', address, 'dev', networkInterface, ...rest);
    }
    this.ip('link', 'set', networkInterface, 'mtu', String(mtu), 'up');
  }

  /** Starts a program of test/lab/programs with an IPC channel. */
  start(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const file = join(__dirname, 'programs', program);
    const child = spawn('ip', ['netns', 'exec', this.namespace, process.execPath, file, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...environment },
    });
    this.children.push(child);
    return child;
  }

  close(): void {
    for (const child of this.children) child.kill('SIGKILL');
    spawnSync('ip', ['netns', 'delete', this.namespace]);
  }
}

/** The next message of a child; rejects when it ends without one. */
export function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', take).off('exit', fail);
    };
    const take = (message: unknown): void => {
      settle();
      resolve(message as T);
    };
    const fail = (code: number | null, signal: string | null): void => {
      settle();
      reject(new Error(`the program ended with ${code ?? signal} before it reported`));
    };
    child.on('message', take).on('exit', fail);
  });
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
