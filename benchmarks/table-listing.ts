// Lists of a large service table over the control interface (docs/control.md): how long they take, what they cost the
// process that has the table, and how long its event loop is held at a time.
// Arguments: [--json] [--rules N].

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { ControlServer } from '../lib/control/control-server';
import type { ControlledHost } from '../lib/control/controlled-host';
import { HostEvents } from '../lib/control/host-events';
import { Stack } from '../lib/stack/stack';
import type { Instant } from '../lib/time/instant';
import { SeededRandom } from '../lib/time/seeded-random';
import { NetworkAddress } from '../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../lib/wire/service-id';
import { describeMachine, machineLine } from './measuring/machine';
import { processorSeconds, quantile } from './measuring/rounds';

interface Listing {
  readonly list: string;
  readonly lines: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Milliseconds: what the event loop was held for, with what other programs took of it. */
  readonly turn: { readonly p999: number; readonly longest: number };
  /** Megabytes of resident memory that it took at most. */
  readonly memory: number;
}

const NOW = 0 as Instant;
const LISTS = ['/table', '/services', '/instances', '/table?prefix=acme/web'];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rules: { type: 'string', default: '1000000' },
    reader: { type: 'string' },
  },
});

async function report(rules: number): Promise<void> {
  const machine = describeMachine();
  const path = join(tmpdir(), `serval-listing-${process.pid}.sock`);
  const server = await serve(path, rules);
  const listings: Listing[] = [];
  for (const list of LISTS) listings.push(await measure(path, list));
  await server.close();
  if (options.json)
    return console.log(JSON.stringify({ benchmark: 'table-listing', machine, rules, listings }, null, 2));
  console.log(machineLine(machine));
  console.log(`A table of ${rules} rules, read by another process:\n`);
  console.table(
    listings.map(({ turn, ...listing }) => ({ ...listing, 'turn p99.9': turn.p999, 'longest turn': turn.longest })),
  );
}

async function serve(path: string, rules: number): Promise<ControlServer> {
  const stack = new Stack({ random: SeededRandom.of(1) });
  const random = SeededRandom.of(2);
  const address = NetworkAddress.parse('192.0.2.1', 54_325)!;
  const terms = { address, link: 0, broadcast: false, scope: 'network', priority: 1, weight: 1 } as const;
  for (let index = 0; index < rules; index++) {
    const prefix = ServicePrefix.of(ServiceID.fromWords(Array.from({ length: 8 }, () => random.uint32())));
    stack.sal.serviceTable.addRule({ action: 'forward', prefix, ...terms }, NOW);
  }
  const endpoint = createServer();
  endpoint.listen(path);
  await once(endpoint, 'listening');
  const host: ControlledHost = {
    stack,
    events: new HostEvents(),
    facts: () => ({ wellKnownPort: 54_325 }) as ReturnType<ControlledHost['facts']>,
    registeredHosts: () => [],
    now: () => NOW,
    command: () => {},
    drain: () => [],
  };
  return new ControlServer(endpoint, host);
}

async function measure(path: string, list: string): Promise<Listing> {
  const reader = fork(__filename, ['--reader', path]);
  await once(reader, 'message');
  const turns = new Turns();
  const [startedAt, processor] = [performance.now(), processorSeconds()];
  reader.send(list);
  const [{ lines, bytes }] = (await once(reader, 'message')) as [{ lines: number; bytes: number }];
  const seconds = (performance.now() - startedAt) / 1000;
  const used = processorSeconds() - processor;
  const { turn, memory } = turns.stop();
  reader.disconnect();
  const megabytes = Math.round(bytes / 1e6);
  return { list, lines, megabytes, seconds: rounded(seconds), processorSeconds: rounded(used), turn, memory };
}

/** Looks at the clock and at the memory in every turn of the event loop. */
class Turns {
  private readonly durations: number[] = [];
  private readonly before = process.memoryUsage.rss();
  private most = this.before;
  private last = performance.now();
  private next = setImmediate(() => this.look());

  stop(): Pick<Listing, 'turn' | 'memory'> {
    clearImmediate(this.next);
    const [p999, longest] = [0.999, 1].map((part) => rounded(quantile(this.durations, part)));
    const memory = Math.round((this.most - this.before) / 1e6);
    return { turn: { p999: p999!, longest: longest! }, memory };
  }

  private look(): void {
    const now = performance.now();
    this.durations.push(now - this.last);
    this.last = now;
    if (this.durations.length % 64 === 0) this.most = Math.max(this.most, process.memoryUsage.rss());
    this.next = setImmediate(() => this.look());
  }
}

/** The process that reads: it counts, and keeps nothing. */
function read(path: string): void {
  process.on('message', (resource: string) => {
    request({ socketPath: path, path: resource }, (response) => {
      let [lines, bytes] = [0, 0];
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
      });
      response.on('end', () => process.send!({ lines, bytes }));
    }).end();
  });
  process.send!('ready');
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

if (options.reader === undefined) void report(Number(options.rules));
else read(options.reader);
