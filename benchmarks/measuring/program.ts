// One process of a measurement, seen from the one that started it: it runs at one end of a path, reports what it
// does, and answers orders.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mark, ProgramReport } from './measured-program';
import type { End, MeasuredPath } from './paths';

export interface Launch {
  /** The compiled file. */
  readonly file: string;
  /** Given to it as its one argument, as JSON. */
  readonly task: object;
  readonly environment?: Readonly<Record<string, string>>;
  /** Arguments of Node. */
  readonly nodeArguments?: readonly string[];
}

export class Program {
  private readonly child: ChildProcess;

  constructor(
    private readonly side: End,
    path: MeasuredPath,
    { file, task, environment = {}, nodeArguments = [] }: Launch,
  ) {
    const end = path[side];
    const [first, ...rest] = [...end.command, process.execPath, ...nodeArguments, file, JSON.stringify(task)];
    this.child = spawn(first!, rest, {
      // What it prints is not part of our report.
      stdio: ['ignore', 2, 2, 'ipc'],
      env: { ...process.env, ...end.environment, ...environment },
    });
  }

  /** The next report, which must be of this kind. */
  async next<Kind extends ProgramReport['kind']>(kind: Kind): Promise<Extract<ProgramReport, { kind: Kind }>> {
    const waiting = new AbortController();
    const { signal } = waiting;
    const ended = once(this.child, 'exit', { signal }).then(([code, by]) => {
      throw new Error(`the ${this.side} ended with ${code ?? by}`);
    });
    const late = pause(PATIENCE, undefined, { signal }).then(() => {
      throw new Error(`the ${this.side} said nothing for ${PATIENCE / 1000} s`);
    });
    try {
      const [report] = (await Promise.race([once(this.child, 'message', { signal }), ended, late])) as [ProgramReport];
      if (report.kind === 'failed') throw new Error(`the ${this.side} failed: ${report.reason}`);
      if (report.kind !== kind) throw new Error(`the ${this.side} said ${report.kind} instead of ${kind}`);
      return report as Extract<ProgramReport, { kind: Kind }>;
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

/** Milliseconds. */
const PATIENCE = 60_000;
const END_MAXIMUM = 3_000;
