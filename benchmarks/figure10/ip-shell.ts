// The ip command in a namespace, waiting for what it is to do: a cable is pulled in a millisecond, and it is known when.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export class IpShell {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private output = '';
  private waiting: { resolve(output: string): void; reject(error: Error): void } | undefined;

  constructor(private readonly namespace: string) {
    this.child = spawn('ip', ['-n', namespace, '-details', '-batch', '-'], { stdio: 'pipe' });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      if (!this.output.includes(DONE)) return;
      this.waiting?.resolve(this.output);
      this.output = '';
    });
    let complaint = '';
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    // It ends with the first command that fails.
    this.child.on('close', () => this.waiting?.reject(new Error(`${namespace}: ${complaint.trim()}`)));
  }

  /** Resolves, with what they have printed, when the kernel has done all of them. One call at a time. */
  async run(...commands: readonly string[]): Promise<string> {
    if (this.child.exitCode !== null) throw new Error(`${this.namespace}: its ip command has ended`);
    const done = new Promise<string>((resolve, reject) => (this.waiting = { resolve, reject }));
    this.child.stdin.write([...commands, SAY_DONE, ''].join('\n'));
    const output = await done;
    this.waiting = undefined;
    return output;
  }

  close(): void {
    this.child.stdin.end();
  }
}

/** A command that prints, and what is in it. */
const SAY_DONE = 'link show dev lo';
const DONE = 'link/loopback';
