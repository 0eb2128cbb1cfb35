// One measurement: two fresh processes, traffic between them, and what both had counted at two marks.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { End, MeasuredPath } from '../measuring/paths';
import type { ContenderName } from './contenders';
import type { Mark, MeasureName, Report, Task } from './messages';

export interface RunOptions {
  readonly path: MeasuredPath;
  readonly contender: ContenderName;
  readonly measure: MeasureName;
  readonly seconds: number;
  readonly connections: number;
  /** Where to leave profiles of both processes; what is measured with them is not worth reporting. */
  readonly profiles: string | undefined;
}

/** What both ends had counted when the measured time began and when it ended. */
export interface Observation {
  /** What carried the bytes. */
  readonly link: string;
  readonly server: { readonly before: Mark; readonly after: Mark };
  readonly client: { readonly before: Mark; readonly after: Mark };
}

export async function observe(options: RunOptions): Promise<Observation> {
  const { measure, seconds } = options;
  const server = new Program('server', options);
  let client: Program | undefined;
  try {
    const { target, link } = await server.next('listening');
    const isIdle = measure === 'idle';
    // The memory of a server is counted from before its first connection.
    if (isIdle) await pause(SETTLE);
    const idleBefore = isIdle ? await server.mark() : undefined;
    client = new Program('client', options, target);
    await client.next('running');
    if (isIdle) await pause(SETTLE);
    const [clientBefore, serverBefore] = await Promise.all([client.mark(), idleBefore ?? server.mark()]);
    if (!isIdle) await pause(seconds * 1000);
    const [clientAfter, serverAfter] = await Promise.all([client.mark(), server.mark()]);
    return {
      link,
      server: { before: serverBefore, after: serverAfter },
      client: { before: clientBefore, after: clientAfter },
    };
  } finally {
    await client?.end();
    await server.end();
  }
}

class Program {
  private readonly child: ChildProcess;

  constructor(
    private readonly side: End,
    options: RunOptions,
    target?: string,
  ) {
    const { contender, measure, path, connections, profiles } = options;
    const task: Task = {
      contender,
      measure,
      address: path.serverAddress,
      connections,
      ...(target === undefined ? {} : { target }),
    };
    const { command, environment } = path[side];
    const profiling =
      profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles, ...nameOf(options, side)];
    const collecting = measure === 'idle' ? ['--expose-gc'] : [];
    const [first, ...rest] = [
      ...command,
      process.execPath,
      ...profiling,
      ...collecting,
      join(__dirname, `${side}.js`),
      JSON.stringify(task),
    ];
    this.child = spawn(first!, rest, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...environment },
    });
  }

  /** The next report, which must be of this kind. */
  async next<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    const waiting = new AbortController();
    const { signal } = waiting;
    const ended = once(this.child, 'exit', { signal }).then(([code, by]) => {
      throw new Error(`the ${this.side} ended with ${code ?? by}`);
    });
    const late = pause(PATIENCE, undefined, { signal }).then(() => {
      throw new Error(`the ${this.side} said nothing for ${PATIENCE / 1000} s`);
    });
    try {
      const [report] = (await Promise.race([once(this.child, 'message', { signal }), ended, late])) as [Report];
      if (report.kind === 'failed') throw new Error(`the ${this.side} failed: ${report.reason}`);
      if (report.kind !== kind) throw new Error(`the ${this.side} said ${report.kind} instead of ${kind}`);
      return report as Extract<Report, { kind: Kind }>;
    } finally {
      waiting.abort();
      ended.catch(() => {});
      late.catch(() => {});
    }
  }

  async mark(): Promise<Mark> {
    this.child.send('mark');
    return (await this.next('mark')).mark;
  }

  /** It exits when it is let go. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    const overdue = setTimeout(() => this.child.kill('SIGKILL'), END_MAXIMUM);
    await exited;
    clearTimeout(overdue);
  }
}

function nameOf({ path, contender, measure }: RunOptions, end: End): readonly string[] {
  return ['--cpu-prof-name', `${path.name}-${measure}-${contender}-${end}.cpuprofile`];
}

/** Milliseconds for what is left of the start, or of ten thousand handshakes, to be over. */
const SETTLE = 500;
const PATIENCE = 30_000;
const END_MAXIMUM = 3_000;
