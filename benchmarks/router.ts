// A service router next to the kernel's IP forwarding and to nginx: packets a second and throughput of unconnected
// datagrams, each resolved by its service (Table 2 of the paper).
// Arguments: [--rounds N] [--seconds N] [--profiles FOLDER] [--json].

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { numberArgument } from './measuring/arguments';
import { canMakeNamespaces, hasCommand } from './measuring/namespaces';
import { alternate } from './measuring/pairs';
import type { MeasuredPath } from './measuring/paths';
import { Program } from './measuring/program';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import { summarize } from './measuring/rounds';
import { type Goal, type Report, type Row, rowOf } from './measuring/rows';
import { HOPS, Lab, type LabHost, type Pace, ROUTER_ADDRESS } from './router/lab';
import { Nginx } from './router/nginx';
import { DATAGRAM_HEADER_BYTES, packetsFor, SERVICES } from './router/packets';
import { type Destination, type Packets, Sender } from './router/sender';
import type { ReceiverTask, RouterTask } from './router/task';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.8' },
    profiles: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const seconds = numberArgument(values.seconds, '--seconds');

/** 48 bytes of payload, as in the paper; and with the list of the way that the router adds, 1,500 bytes in all. */
const SHORT = 48;
const RECORDED_BYTES = 4 + 2 * 8;
const FULL = 1500 - 28 - RECORDED_BYTES - DATAGRAM_HEADER_BYTES;
const HOP_PORT = 54_325;
const NGINX_PORT = 9000;
const VERIFICATIONS = 3;
const WARM_UP_MS = 250;
/** Code is compiled meanwhile. */
const FIRST_WARM_UP_MS = 1500;

/** What passes the packets on: where they are sent, which they are, and what it spends. */
interface Contender {
  readonly to: Destination;
  readonly prefixes: number;
  /** Processor seconds so far; the kernel has no process to ask. */
  cpu?(): Promise<number>;
}

interface Found {
  /** Packets a second that arrived. */
  readonly rate: number;
  /** Nanoseconds of its process for each. */
  readonly cost: number;
}

const CONTENDERS = ['ip', 'serval', 'nginx', 'ip16', 'serval16', 'serval1k', 'serval100k', 'serval1M'] as const;
type Name = (typeof CONTENDERS)[number];

const TABLES: Readonly<Partial<Record<Name, readonly [prefixes: number, hops: number]>>> = {
  serval: [1, 1],
  serval16: [16, 16],
  serval1k: [1000, 1],
  serval100k: [100_000, 1],
  serval1M: [1_000_000, 1],
};

class Measurement {
  private readonly lab = new Lab();
  private readonly sender = new Sender(this.lab.end('client'), this.lab.folder);
  private readonly contenders = new Map<Name, Contender>();
  private readonly files = new Map<string, Packets>();
  private readonly programs: Program[] = [];
  private readonly warm = new Set<string>();
  private nginx: Nginx | undefined;

  async prepare(): Promise<void> {
    this.contenders.set('ip', { to: { addresses: HOPS.slice(0, 1), port: HOP_PORT }, prefixes: 1 });
    this.contenders.set('ip16', { to: { addresses: HOPS, port: HOP_PORT }, prefixes: 16 });
    if (hasNginx()) {
      const end = this.lab.end('router');
      const [listen, to] = [`${ROUTER_ADDRESS}:${NGINX_PORT}`, `${HOPS[0]}:${HOP_PORT}`];
      const nginx = await Nginx.start(end, this.lab.folder, listen, to);
      this.nginx = nginx;
      this.contenders.set('nginx', {
        to: { addresses: [ROUTER_ADDRESS], port: NGINX_PORT },
        prefixes: 1,
        cpu: async () => nginx.cpu(),
      });
    }
    const tables = Object.entries(TABLES) as [Name, readonly [number, number]][];
    for (const [index, [name, [prefixes, hops]]] of tables.entries()) {
      showProgress(`a table of ${prefixes} prefixes`, 0);
      this.contenders.set(name, await this.startRouter(name, 20_000 + index, prefixes, hops));
    }
    for (const name of this.names) await this.verify(name);
    this.lab.startCounting();
  }

  get names(): readonly Name[] {
    return CONTENDERS.filter((name) => this.contenders.has(name));
  }

  async measure(name: Name, payload: number, pace: Pace): Promise<Found> {
    const contender = this.contenders.get(name)!;
    this.lab.setPace(pace);
    const sending = this.sender.startSending(this.packets(contender.prefixes, payload), contender.to);
    await pause(this.warm.has(name) ? WARM_UP_MS : FIRST_WARM_UP_MS);
    this.warm.add(name);
    const [cpu, from, packets] = [(await contender.cpu?.()) ?? 0, performance.now(), this.lab.packets()];
    await pause(seconds * 1000);
    const [cpuEnd, to, packetsEnd] = [(await contender.cpu?.()) ?? 0, performance.now(), this.lab.packets()];
    await sending.end();
    if (packetsEnd === packets) throw new Error(`${name} passed nothing on`);
    const count = packetsEnd - packets;
    return { rate: (count / (to - from)) * 1000, cost: ((cpuEnd - cpu) / count) * 1e9 };
  }

  async close(): Promise<void> {
    this.nginx?.close();
    for (const program of this.programs) await program.end();
    this.lab.close();
  }

  private async startRouter(name: Name, port: number, prefixes: number, hops: number): Promise<Contender> {
    const registry = join(this.lab.folder, name);
    const task: RouterTask = { port, registry, prefixes, hops: HOPS.slice(0, hops), hopPort: HOP_PORT };
    const program = this.start('router', 'serval-router', task, profilesOf(name));
    await program.next('listening');
    return {
      to: { addresses: [ROUTER_ADDRESS], port },
      prefixes,
      cpu: async () => (await program.mark()).cpu,
    };
  }

  /** Every datagram arrives once, at whichever next hop, with the bytes it had. On a busy machine one may be lost. */
  private async verify(name: Name): Promise<void> {
    showProgress(`whether all arrives, ${name}`, 0);
    const { to, prefixes } = this.contenders.get(name)!;
    for (const payload of [SHORT, FULL]) {
      const packets = this.packets(prefixes, payload);
      let lost = SERVICES;
      for (let attempt = 0; lost > 0 && attempt < VERIFICATIONS; attempt++)
        lost = await this.lose(packets, to, payload);
      if (lost > 0) throw new Error(`${name} lost ${lost} of ${SERVICES} datagrams`);
    }
  }

  private async lose(packets: Packets, to: Destination, payload: number): Promise<number> {
    const task: ReceiverTask = { port: HOP_PORT, registry: join(this.lab.folder, 'receiver'), payload };
    const receiver = this.start('server', 'receiver', task);
    try {
      await receiver.next('listening');
      const sent = await this.sender.sendOnce(packets, to);
      return sent - (await settled(receiver, sent));
    } finally {
      this.programs.splice(this.programs.indexOf(receiver), 1);
      await receiver.end();
    }
  }

  private packets(prefixes: number, payload: number): Packets {
    const key = `${prefixes} ${payload}`;
    const known = this.files.get(key);
    if (known !== undefined) return known;
    const made = this.sender.write(packetsFor(prefixes, payload), DATAGRAM_HEADER_BYTES + payload);
    this.files.set(key, made);
    return made;
  }

  private start(host: LabHost, file: string, task: object, nodeArguments: readonly string[] = []): Program {
    const end = this.lab.end(host);
    const path: MeasuredPath = { name: '', description: '', serverAddress: '', server: end, client: end, close() {} };
    const program = new Program('server', path, { file: join(__dirname, 'router', `${file}.js`), task, nodeArguments });
    this.programs.push(program);
    return program;
  }
}

/** Datagrams that arrived, once no more of them come. */
async function settled(receiver: Program, expected: number): Promise<number> {
  let arrived = -1;
  for (;;) {
    const { operations } = await receiver.mark();
    if (operations === expected || operations === arrived) return operations;
    arrived = operations;
    await pause(100);
  }
}

function goal(name: string, rival: string, atLeast?: number, aim?: number, path = 'veth'): Goal {
  const common = { name, path, rival, unit: 'packets/s', decimals: 0, betterIs: 'more' } as const;
  return { ...common, ...(atLeast === undefined ? {} : { atLeast }), ...(aim === undefined ? {} : { aim }) };
}

async function measure(): Promise<Report> {
  const reason = missing();
  if (reason !== undefined)
    return { benchmark: 'router', rows: [], skipped: [{ name: 'service router', path: 'veth', reason }] };
  const measurement = new Measurement();
  try {
    await measurement.prepare();
    const { names } = measurement;
    const series = async (what: readonly Name[], payload: number, pace: Pace) =>
      alternate(what, rounds, (name, round) => {
        showProgress(`${payload} bytes, ${pace}, pair ${round + 1}, ${name}`, round / rounds);
        return measurement.measure(name, payload, pace);
      });
    const short = await series(names, SHORT, 'saturated');
    const full = await series(['ip', 'serval'], FULL, 'saturated');
    const shaped = await series(['ip', 'serval'], FULL, '1gbit');
    clearProgress();
    if (!values.json) console.log(costs(names, short));
    return { benchmark: 'router', rows: rowsOf(short, full, shaped), skipped: skipped(names) };
  } finally {
    await measurement.close();
  }
}

type Series = Readonly<Partial<Record<Name, readonly Found[]>>>;

function rowsOf(short: Series, full: Series, shaped: Series): readonly Row[] {
  const rates = (series: Series, name: Name): number[] => series[name]!.map(({ rate }) => rate);
  const row = (what: Goal, series: Series, ours: Name, theirs: Name): Row =>
    rowOf(what, rates(series, ours), rates(series, theirs));
  const nginx =
    short.nginx === undefined ? [] : [row(goal('48 bytes, saturated', 'nginx', 3), short, 'serval', 'nginx')];
  return [
    row(goal(`${FULL} bytes`, 'IP forwarding', 0.91, 0.99, '1gbit'), shaped, 'serval', 'ip'),
    row(goal(`${FULL} bytes, saturated`, 'IP forwarding'), full, 'serval', 'ip'),
    row(goal('48 bytes, saturated', 'IP forwarding', 0.6, 0.85), short, 'serval', 'ip'),
    row(goal('48 bytes, saturated, 16 next hops', 'IP forwarding', 0.5, 0.75), short, 'serval16', 'ip16'),
    ...nginx,
    row(goal('48 bytes, 1,000 prefixes', 'one prefix'), short, 'serval1k', 'serval'),
    row(goal('48 bytes, 100,000 prefixes', 'one prefix'), short, 'serval100k', 'serval'),
    row(goal('48 bytes, 1,000,000 prefixes', 'one prefix', 0.8), short, 'serval1M', 'serval'),
  ];
}

/** What its process spends, beside what the kernel does for it in interrupts on the sender's processor. */
function costs(names: readonly Name[], series: Series): string {
  const lines = names.flatMap((name) => {
    const found = series[name]!;
    const cost = Math.round(summarize(found.map((each) => each.cost)).median);
    return cost === 0 ? [] : [`${name} ${cost}`];
  });
  return `\nNanoseconds of its process for a packet of ${SHORT} bytes, median: ${lines.join(', ')}`;
}

function skipped(names: readonly Name[]): Report['skipped'] {
  if (names.includes('nginx')) return [];
  return [
    { name: '48 bytes, saturated, next to nginx', path: 'veth', reason: 'it needs nginx with its stream module' },
  ];
}

function hasNginx(): boolean {
  return hasCommand('nginx');
}

function missing(): string | undefined {
  if (!canMakeNamespaces()) return 'it needs root and the ip command, to make network namespaces';
  const commands = ['tc', 'ethtool', 'cc'].filter((command) => !hasCommand(command));
  return commands.length === 0 ? undefined : `it needs the command ${commands.join(', ')}`;
}

/** What is measured with them is too low. */
function profilesOf(name: string): readonly string[] {
  const { profiles } = values;
  if (profiles === undefined) return [];
  return ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-name', `router-${name}.cpuprofile`];
}

runBenchmark(measure, { json: values.json });
