// Network namespaces of a benchmark's own: nothing else of the machine takes part in them, and its settings may be
// changed there. They need root and the ip command.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function addNamespace(letter: string): string {
  const name = `svbench${process.pid}${letter}`;
  run('ip', 'netns', 'add', name);
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  // Thousands of short connections: `net` must not run out of ports because ended ones still hold them.
  for (const setting of ['net.ipv4.tcp_max_tw_buckets=500', 'net.ipv4.ip_local_port_range=1024 65000']) {
    runIn(name, 'sysctl', '-q', '-w', setting);
  }
  return name;
}

/** Joins two namespaces by a veth pair; its ends are called eth0 in both. */
export function joinByVeth(server: string, client: string, addresses: readonly [string, string], mtu: number): void {
  run('ip', 'link', 'add', 'eth0', 'netns', server, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', client);
  for (const [index, namespace] of [server, client].entries()) {
    run('ip', '-n', namespace, 'address', 'add', `${addresses[index]}/24`, 'dev', 'eth0');
    run('ip', '-n', namespace, 'link', 'set', 'eth0', 'mtu', String(mtu), 'up');
  }
}

/** A folder for the registries of hosts. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'serval-bench-'));
}

/** What takes all of it away; also when the process ends before it is called. */
export function removal(namespaces: readonly string[], folder: string): () => void {
  const remove = (): void => {
    process.off('exit', remove);
    for (const name of namespaces) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return remove;
}

let possible: boolean | undefined;

export function canMakeNamespaces(): boolean {
  possible ??= tryNamespace();
  return possible;
}

function tryNamespace(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const name = `svbench${process.pid}p`;
  if (spawnSync('ip', ['netns', 'add', name], { stdio: 'ignore' }).status !== 0) return false;
  spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  return true;
}

export function hasCommand(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Runs a command, with what it says of an error in the error thrown. */
export function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

export function runIn(namespace: string, command: string, ...args: readonly string[]): void {
  run('ip', 'netns', 'exec', namespace, command, ...args);
}
