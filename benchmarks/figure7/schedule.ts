// The paper's story of §6.1 in a minute: one server to learn what a host gives, then two, four, two and three of them,
// and at the end one that is killed. The clients and what they ask for never change.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../measuring/clock';
import { Ordered } from '../measuring/orders';
import { showProgress } from '../measuring/progress';
import { openRack, type Rack } from '../measuring/rack';
import type { ContenderName } from './contenders';
import { type Middle, middleOf } from './middle';
import type { Join, Observed, RecordedPhase, Recording } from './recording';
import type { ClientOrders, ProbeReport, ServerOrders, Task } from './task';

export interface Extent {
  /** Of each link, in bits a second. */
  readonly rate: number;
  readonly fileBytes: number;
  /** Of each phase. */
  readonly seconds: number;
  /** Of the records of the DNS server, in seconds. */
  readonly timeToLive: number;
}

interface Change {
  readonly join: readonly number[];
  readonly leave: readonly number[];
}

/** 1, 2, 4, 2, 3 servers: the first two leave in the middle, as in the paper, and a fifth comes. */
const CHANGES: readonly Change[] = [
  { join: [0], leave: [] },
  { join: [1], leave: [] },
  { join: [2, 3], leave: [] },
  { join: [], leave: [0, 1] },
  { join: [4], leave: [] },
];
const SERVERS = 5;
const CLIENTS = 4;
const OPEN_REQUESTS = 20;

export async function play(contender: ContenderName, extent: Extent): Promise<Recording> {
  // One more client, which has its link for itself, sees how soon a new server is found.
  const rack = openRack({ clients: CLIENTS + 1, servers: SERVERS, rate: extent.rate });
  const run = new Run(contender, extent, rack);
  try {
    await run.begin();
    return await run.play();
  } finally {
    await run.close();
  }
}

class Run {
  private readonly middle: Middle;
  private readonly servers: readonly Ordered<ServerOrders>[];
  private readonly clients: readonly Ordered<ClientOrders>[];
  private readonly prober: Ordered<ClientOrders>;
  private readonly phases: RecordedPhase[] = [];
  private readonly joins: Join[] = [];
  private readonly probes: ProbeReport[] = [];
  private readonly observed: Observed[] = [];
  private readonly changes: Promise<void>[] = [];
  private serving: readonly number[] = [];
  private observing: NodeJS.Timeout | undefined;

  constructor(
    private readonly contender: ContenderName,
    private readonly extent: Extent,
    private readonly rack: Rack,
  ) {
    const { fileBytes, timeToLive } = extent;
    this.middle = middleOf(contender, rack, timeToLive);
    const taskOf = (index: number, address: string): Task => {
      return { contender, index, address, target: this.middle.target, fileBytes };
    };
    this.servers = rack.servers.map(
      (host, index) => new Ordered(`server ${index}`, join(__dirname, 'server.js'), host, taskOf(index, host.address)),
    );
    const clients = rack.clients.map(
      (host, index) =>
        new Ordered<ClientOrders>(`client ${index}`, join(__dirname, 'client.js'), host, taskOf(index, host.address)),
    );
    this.clients = clients.slice(0, CLIENTS);
    this.prober = clients[CLIENTS]!;
  }

  /** Until the first server can be reached. */
  async begin(): Promise<void> {
    await Promise.all([...this.servers, ...this.clients, this.prober].map((program) => program.ready()));
    const first = CHANGES[0]!.join;
    await this.middle.start(this.addressesOf(first));
    for (const server of first) await this.servers[server]!.ask('listen', undefined);
    this.serving = first;
    await Promise.all([...this.clients, this.prober].map((client) => client.ask('wait', undefined)));
  }

  async play(): Promise<Recording> {
    const origin = clock();
    this.observe();
    const [first, ...others] = CHANGES;
    // One server alone has no more to do than each of two later.
    await this.open(OPEN_REQUESTS / 2, origin);
    await this.playPhase(first!);
    await this.open(OPEN_REQUESTS / 2, origin);
    for (const change of others) await this.playPhase(change);
    const killed = this.kill();
    await pause(AFTER_KILL);
    const end = clock();
    clearInterval(this.observing);
    // Those that leave may still have had something to finish.
    await Promise.all(this.changes);
    const clients = await Promise.all(this.clients.map((client) => client.ask('end', undefined)));
    const { contender, phases, joins, probes, observed } = this;
    return { contender, origin, phases, joins, killed, end, clients, probes, observed };
  }

  async close(): Promise<void> {
    clearInterval(this.observing);
    await Promise.all([...this.clients, this.prober, ...this.servers].map((program) => program.end()));
    await this.middle.end();
    this.rack.close();
  }

  private async open(requests: number, origin: number): Promise<void> {
    await Promise.all(this.clients.map((client) => client.ask('begin', { open: requests, origin })));
  }

  private async playPhase({ join, leave }: Change): Promise<void> {
    const begin = clock();
    const came = join.filter((server) => !this.serving.includes(server));
    const servers = [...this.serving, ...came].filter((server) => !leave.includes(server));
    showProgress(`${this.contender}, ${servers.length} servers`, this.phases.length / CHANGES.length);
    this.serving = servers;
    this.changes.push(this.join(came), this.leave(leave));
    await Promise.race([pause(this.extent.seconds * 1000), firstFailure(this.changes)]);
    this.phases.push({ begin, end: clock(), servers });
  }

  private async join(servers: readonly number[]): Promise<void> {
    if (servers.length === 0) return;
    // It looks from before they listen until each has been found.
    const probed = this.prober.ask('probe', { every: PROBE_EVERY });
    await pause(PROBE_LEAD);
    const begun = await Promise.all(servers.map((server) => this.servers[server]!.ask('listen', undefined)));
    await this.middle.change(this.addressesOf(this.serving));
    const first = await Promise.all(servers.map((server) => this.servers[server]!.ask('firstConnection', undefined)));
    await this.prober.ask('stopProbing', undefined);
    for (const [index, server] of servers.entries()) {
      const { listeningAt } = begun[index]!;
      this.joins.push({ server, listeningAt, firstConnectionAt: first[index]!.at });
    }
    this.probes.push(await probed);
  }

  /** They take their leave of the middle first, where there is one to take leave of; and end when they have closed. */
  private async leave(servers: readonly number[]): Promise<void> {
    if (servers.length === 0) return;
    await this.middle.change(this.addressesOf(this.serving));
    await Promise.all(servers.map((server) => this.servers[server]!.ask('leave', undefined)));
    await Promise.all(servers.map((server) => this.servers[server]!.end()));
  }

  private kill(): Recording['killed'] {
    const server = this.serving[0]!;
    this.servers[server]!.kill();
    return { at: clock(), server };
  }

  private addressesOf(servers: readonly number[]): readonly string[] {
    return servers.map((server) => this.rack.servers[server]!.address);
  }

  private observe(): void {
    let last = { ...processorTimes(), carried: this.rack.carried(this.rack.router) };
    this.observing = setInterval(() => {
      const now = { ...processorTimes(), carried: this.rack.carried(this.rack.router) };
      const idle = (now.idle - last.idle) / Math.max(1, now.all - last.all);
      this.observed.push({ idle, carried: now.carried - last.carried });
      last = now;
    }, 1000);
  }
}

/** Rejects when one of them does, never resolves. */
function firstFailure(changes: readonly Promise<void>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const change of changes) change.catch(reject);
  });
}

/** Of all processors since the machine started, in ticks. */
function processorTimes(): { readonly idle: number; readonly all: number } {
  const [first] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const times = first!.split(/ +/).slice(1, 9).map(Number);
  return { idle: times[3]! + times[4]!, all: times.reduce((sum, time) => sum + time, 0) };
}

/** Milliseconds. */
const AFTER_KILL = 5_000;
const PROBE_EVERY = 1;
const PROBE_LEAD = 100;
