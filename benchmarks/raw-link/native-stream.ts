// The rival: raw-stream.c, compiled here, at both ends of a path.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from '../measuring/namespaces';
import type { End, MeasuredPath } from '../measuring/paths';

export class NativeStream {
  private readonly folder = mkdtempSync(join(tmpdir(), 'serval-bench-'));
  private readonly program = join(this.folder, 'raw-stream');
  private readonly running = new Set<ChildProcess>();

  constructor() {
    process.on('exit', this.close);
    run('cc', '-O2', '-o', this.program, SOURCE);
  }

  /** Mbit/s of payload that arrived in so many seconds. */
  async measure(path: MeasuredPath, seconds: number): Promise<number> {
    const milliseconds = seconds * 1000;
    const receiver = this.start(path, 'server', 'receive', String(WARM_UP_MS), String(milliseconds));
    const sender = this.start(path, 'client', 'send', path.serverAddress);
    const overdue = setTimeout(() => receiver.kill('SIGKILL'), WARM_UP_MS + milliseconds + PATIENCE_MS);
    try {
      const bytes = Number(await text(receiver.stdout!));
      if (!(bytes > 0)) throw new Error('nothing arrived over the raw sockets in C');
      return (bytes * 8) / milliseconds / 1000;
    } finally {
      clearTimeout(overdue);
      sender.kill('SIGKILL');
      await once(sender, 'close');
    }
  }

  readonly close = (): void => {
    process.off('exit', this.close);
    for (const child of this.running) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };

  private start(path: MeasuredPath, end: End, ...task: readonly string[]): ChildProcess {
    const [first, ...rest] = [...path[end].command, this.program, ...task];
    const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 2] });
    this.running.add(child);
    child.once('close', () => this.running.delete(child));
    return child;
  }
}

/** Nothing has to be compiled meanwhile; the first packets wait for ARP. */
const WARM_UP_MS = 300;
const PATIENCE_MS = 5000;
/** Seen from where this runs: dist-benchmarks/benchmarks/raw-link. */
const SOURCE = resolve(__dirname, '../../../benchmarks/raw-link/raw-stream.c');
