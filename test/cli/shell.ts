// A shell for the tests of the commands: the built `serval` and programs that use it, on a host that nobody else
// shares and with a runtime folder of their own.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { LabHost } from '../lab/lab';

const COMMAND = join(__dirname, '../../dist/cli/serval.js');
const PROGRAM = join(__dirname, 'service-program.cjs');

/** util-linux's `script` makes a terminal of its own. */
export const hasTerminal =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

let lastPort = 20_000 + (process.pid % 20_000);

/** What a test uses. Every process is ended behind it. `on`: the namespace where all of it runs; none for this machine itself. */
export function shell(on: () => LabHost | undefined = () => undefined) {
  const running: Program[] = [];
  let folder: string;
  let environment: NodeJS.ProcessEnv;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'serval-shell-'));
    environment = {
      ...process.env,
      SERVAL_PORT: String(++lastPort),
      SERVAL_BROADCAST: '0',
      XDG_RUNTIME_DIR: folder,
      NO_COLOR: '1',
    };
  });

  afterEach(async () => {
    for (const program of running) program.signal('SIGKILL');
    await Promise.all(running.splice(0).map((program) => program.ended));
    rmSync(folder, { recursive: true });
  });

  const start = (file: string, args: readonly string[], rest: NodeJS.ProcessEnv = {}): Program => {
    const program = new Program(file, args, { ...environment, ...rest }, on());
    running.push(program);
    return program;
  };

  return {
    port: () => Number(environment['SERVAL_PORT']),
    freshPort: () => ++lastPort,
    folder: () => folder,
    /** A command that goes on. */
    begin: (args: string, rest?: NodeJS.ProcessEnv) => start(COMMAND, args.split(' '), rest),
    /** A command that goes on, and takes its output for a terminal. */
    onTerminal: (args: string) => {
      const line = `exec ${process.execPath} ${COMMAND} ${args}`;
      return start('script', ['--quiet', '--return', '--command', line, '/dev/null']);
    },
    /** A command, to its end. */
    async serval(args: string, rest?: NodeJS.ProcessEnv): Promise<Outcome> {
      const program = start(COMMAND, args.split(' '), rest);
      const code = await program.ended;
      return { code, stdout: program.stdout, stderr: program.stderr };
    },
    /** A program that uses serval, once it is so far. */
    async program(role: 'serve' | 'bind' | 'talk' | 'host', name = '', rest?: NodeJS.ProcessEnv): Promise<Program> {
      const program = start(PROGRAM, [role, name], rest);
      await program.printed(/\n/);
      return program;
    },
  };
}

export interface Outcome {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export class Program {
  stdout = '';
  stderr = '';
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly child: ChildProcess;

  constructor(file: string, args: readonly string[], env: NodeJS.ProcessEnv, on: LabHost | undefined) {
    const inNamespace = on === undefined ? [] : ['ip', 'netns', 'exec', on.namespace];
    const program = file === 'script' ? [file] : [process.execPath, file];
    const [command, ...all] = [...inNamespace, ...program, ...args];
    this.child = spawn(command!, all, { env });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => code ?? signal);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Until it has printed that, or ended. */
  async printed(pattern: RegExp): Promise<void> {
    const ended = this.ended.then((code): never => {
      throw new Error(`ended with ${code} before ${pattern}: ${this.stdout}${this.stderr}`);
    });
    ended.catch(() => {});
    while (!pattern.test(this.stdout)) await Promise.race([once(this.child.stdout!, 'data'), ended]);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** The cells of what a command printed as a table: titles first. */
export function cells({ code, stdout, stderr }: Outcome): string[][] {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

/** The objects that a command printed as JSON, one a line. */
export function objects({ code, stdout, stderr }: Outcome): Record<string, unknown>[] {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
