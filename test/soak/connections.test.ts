// Many connections at once, and many one after another, with real processes: nothing may be lost, and nothing
// may be left. The memory of an idle connection is printed beside that of node:net.

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nextMessage } from '../lab/lab';

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

interface ServerReport {
  readonly open: number;
  readonly accepted: number;
  readonly memory: Memory;
}

const children: ChildProcess[] = [];
/** Not the port of whatever else runs on this machine. */
const PORT = String(40_000 + (process.pid % 10_000));

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(...args: string[]): ChildProcess {
  const child = fork(join(__dirname, 'connections.cjs'), args, {
    execArgv: ['--expose-gc'],
    env: { ...process.env, SERVAL_PORT: PORT, SERVAL_BROADCAST: '0' },
  });
  children.push(child);
  return child;
}

async function ask({ process: server }: Server): Promise<ServerReport> {
  const answer = nextMessage<ServerReport>(server);
  server.send('report');
  return answer;
}

const IDLE = 10_000;
const RATE = 1000;
const SECONDS = 30;

describe('many connections', () => {
  it('10,000 idle ones stay open, work, and leave nothing behind', { timeout: 180_000 }, async () => {
    const net = await openMany(await startServer('net'));
    const server = await startServer('serval');
    const first = await openMany(server);
    const freed = await untilFreed(server, Number.POSITIVE_INFINITY);
    // Code, pools and tables have their size now: a second time must not add to it.
    await openMany(server);
    await untilFreed(server, freed.memory.heapUsed + IDLE * 100);
    const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
    console.log(`memory of an idle connection at the server (RSS): serval ${kilobytes(first)}, net ${kilobytes(net)}`);
  });

  it('1,000 a second for 30 s: none fails, and memory does not grow', { timeout: 180_000 }, async () => {
    const server = await startServer('serval');
    const before = await ask(server);
    const client = start('serval', 'churn', '0', String(RATE), String(SECONDS));
    const report = await nextMessage<{ done: number; failed: number; samples: number[]; seconds: number }>(client);
    expect(report).toMatchObject({ done: RATE * SECONDS, failed: 0 });
    const after = await untilFreed(server, before.memory.heapUsed + 16_000_000);
    expect(after.accepted).toBe(RATE * SECONDS);
    // TIME-WAIT is bounded: what is held then is not held for each connection that ever was.
    const [, , third, , , last] = report.samples as [number, number, number, number, number, number];
    const growth = last - third;
    expect(growth).toBeLessThan(8_000_000);
    console.log(
      `${report.done} connections in ${report.seconds.toFixed(1)} s; heap grew by ${(growth / 1e6).toFixed(2)} MB over ` +
        `the second half at the client, by ${((after.memory.heapUsed - before.memory.heapUsed) / 1e6).toFixed(2)} MB in all at the server`,
    );
  });
});

interface Server {
  readonly kind: 'net' | 'serval';
  readonly process: ChildProcess;
  readonly port: number;
}

async function startServer(kind: 'net' | 'serval'): Promise<Server> {
  const server = start(kind, 'server');
  const { port } = await nextMessage<{ port: number }>(server);
  return { kind, process: server, port };
}

/** Opens, uses and closes IDLE connections; returns the bytes of RSS that each cost the server. */
async function openMany(server: Server): Promise<number> {
  const before = await ask(server);
  const client = start(server.kind, 'idle', String(server.port), String(IDLE));
  expect(await nextMessage(client)).toMatchObject({ connected: IDLE });
  // A kernel says "connected" before the server has accepted.
  const during = await until(server, ({ open }) => open === IDLE);
  const answer = nextMessage<{ right: number }>(client);
  client.send('use them all');
  expect(await answer).toEqual({ right: IDLE });
  return (during.memory.rss - before.memory.rss) / IDLE;
}

/** Asks until all connections are gone, TIME-WAIT too, and the heap is no larger than `bound`. */
function untilFreed(server: Server, bound: number): Promise<ServerReport> {
  return until(server, ({ open, memory }) => open === 0 && memory.heapUsed < bound);
}

async function until(server: Server, isReached: (report: ServerReport) => boolean): Promise<ServerReport> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const report = await ask(server);
    if (isReached(report)) return report;
    if (performance.now() > deadline) throw new Error(`the server stays at ${JSON.stringify(report)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
