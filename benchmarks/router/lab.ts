// Three hosts in a row, each a network namespace: client, router, server. Both wires are veth pairs with MTU 1500. What
// arrives at the server is counted and dropped by a filter of its device, so that no receiver limits anybody.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { addNamespace, removal, run, runIn, temporaryFolder } from '../measuring/namespaces';
import type { PathEnd } from '../measuring/paths';
import { pinnedTo } from '../measuring/pinning';

export type LabHost = 'client' | 'router' | 'server';

/** Next hops: addresses of the server. */
export const HOPS = Array.from({ length: 16 }, (_, index) => `10.78.2.${index + 1}`);
export const ROUTER_ADDRESS = '10.78.1.254';
const ROUTER_INSIDE = '10.78.2.254';
const CLIENT_ADDRESS = '10.78.1.1';

/** `saturated`: as fast as the machine can. */
export type Pace = 'saturated' | '1gbit';

export class Lab {
  readonly folder = temporaryFolder();
  private readonly namespaces: Readonly<Record<LabHost, string>> = {
    client: addNamespace('c'),
    router: addNamespace('r'),
    server: addNamespace('s'),
  };

  private readonly remove = removal(Object.values(this.namespaces), this.folder);
  private pace: Pace = 'saturated';

  constructor() {
    try {
      this.join();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The client and the kernel's work for what it sends have the first processor, everything else the second. */
  end(host: LabHost): PathEnd {
    const enter = ['ip', 'netns', 'exec', this.namespaces[host]];
    return { command: [...enter, ...pinnedTo(host === 'client' ? 0 : 1)], environment: {} };
  }

  setPace(pace: Pace): void {
    if (pace === this.pace) return;
    this.pace = pace;
    const verb = pace === '1gbit' ? ['add'] : ['delete'];
    const shaper = pace === '1gbit' ? ['tbf', 'rate', '1gbit', 'burst', '128kb', 'latency', '20ms'] : [];
    for (const [host, device] of EGRESS) {
      runIn(this.namespaces[host], 'tc', 'qdisc', ...verb, 'dev', device, 'root', ...shaper);
    }
  }

  /** From now on what arrives is counted, and goes no further: one instruction that says drop. */
  startCounting(): void {
    const filter = ['protocol', 'ip', 'bpf', 'direct-action', 'bytecode', '1,6 0 0 2,'];
    runIn(this.namespaces.server, 'tc', 'qdisc', 'add', 'dev', DEVICE, 'clsact');
    runIn(this.namespaces.server, 'tc', 'filter', 'add', 'dev', DEVICE, 'ingress', ...filter);
  }

  /** Packets counted: those of a super-packet each. */
  packets(): number {
    const list = ['tc', '-s', '-j', 'qdisc', 'show', 'dev', DEVICE];
    const text = execFileSync('ip', ['netns', 'exec', this.namespaces.server, ...list], { encoding: 'utf8' });
    const disciplines = JSON.parse(text) as { readonly kind: string; readonly packets: number }[];
    const counting = disciplines.find(({ kind }) => kind === 'clsact');
    if (counting === undefined) throw new Error(`tc does not count: ${text}`);
    return counting.packets;
  }

  readonly close = (): void => {
    this.remove();
    rmSync(this.folder, { recursive: true, force: true });
  };

  private join(): void {
    const { client, router, server } = this.namespaces;
    pair(client, DEVICE, router, 'below');
    pair(router, 'above', server, DEVICE);
    address(client, DEVICE, CLIENT_ADDRESS);
    address(router, 'below', ROUTER_ADDRESS);
    address(router, 'above', ROUTER_INSIDE);
    for (const hop of HOPS) address(server, DEVICE, hop);
    run('ip', '-n', client, 'route', 'add', '10.78.2.0/24', 'via', ROUTER_ADDRESS);
    run('ip', '-n', server, 'route', 'add', '10.78.1.0/24', 'via', ROUTER_INSIDE);
    runIn(router, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
    // What the client sends in super-packets is packets from its device on.
    runIn(client, 'ethtool', '-K', DEVICE, 'tx-udp-segmentation', 'off');
  }
}

const DEVICE = 'eth0';
const EGRESS: readonly (readonly [LabHost, string])[] = [
  ['client', DEVICE],
  ['router', 'above'],
];

function pair(one: string, device: string, other: string, peer: string): void {
  run('ip', 'link', 'add', device, 'netns', one, 'type', 'veth', 'peer', 'name', peer, 'netns', other);
}

function address(namespace: string, device: string, ip: string): void {
  run('ip', '-n', namespace, 'address', 'add', `${ip}/24`, 'dev', device);
  run('ip', '-n', namespace, 'link', 'set', 'dev', device, 'up');
}
