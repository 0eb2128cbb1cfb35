// The sender, sender.c, compiled here and run in the client's namespace.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from '../measuring/namespaces';
import type { PathEnd } from '../measuring/paths';

/** Packets that were written for it. */
export interface Packets {
  readonly file: string;
  readonly size: number;
}

export interface Destination {
  readonly addresses: readonly string[];
  readonly port: number;
}

export class Sender {
  private readonly program: string;
  private files = 0;

  constructor(
    private readonly end: PathEnd,
    private readonly folder: string,
  ) {
    this.program = join(folder, 'sender');
    run('cc', '-O2', '-o', this.program, SOURCE);
  }

  write(bytes: Buffer, size: number): Packets {
    const file = join(this.folder, `packets-${this.files++}`);
    writeFileSync(file, bytes);
    return { file, size };
  }

  /** Sends each packet once, slowly; gives how many there were. */
  async sendOnce(packets: Packets, to: Destination): Promise<number> {
    const child = this.start(packets, to, 0, PAUSE_US);
    const told = await text(child.stdout!);
    if (!(Number(told) > 0)) throw new Error('the sender sent nothing');
    return Number(told);
  }

  /** Sends as fast as it can, until it is ended. */
  startSending(packets: Packets, to: Destination): { end(): Promise<void> } {
    const child = this.start(packets, to, LONGEST_MS, 0);
    return {
      end: async () => {
        if (child.exitCode !== null) throw new Error('the sender ended by itself');
        child.kill('SIGKILL');
        await once(child, 'close');
      },
    };
  }

  private start(
    { file, size }: Packets,
    { port, addresses }: Destination,
    duration: number,
    pause: number,
  ): ChildProcess {
    const numbers = [size, port, duration, pause].map(String);
    const [first, ...rest] = [...this.end.command, this.program, file, ...numbers, ...addresses];
    return spawn(first!, rest, { stdio: ['ignore', 'pipe', 2] });
  }
}

/** If its end is never heard of. */
const LONGEST_MS = 60_000;
/** Between two calls when nothing may be lost. */
const PAUSE_US = 4000;
/** Seen from where this runs: dist-benchmarks/benchmarks/router. */
const SOURCE = resolve(__dirname, '../../../benchmarks/router/sender.c');
