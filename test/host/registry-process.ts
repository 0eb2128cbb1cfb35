// A process that takes part in a registry, for tests that kill processes: forked, it runs one HostRegistry
// and tells its parent all that it learns. `forkRegistry` compiles it first: Node 20 reads no TypeScript.

import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What the process tells, each with the time of the system's clock in milliseconds. */
export type Told =
  | { readonly kind: 'role'; readonly role: string; readonly at: number }
  | { readonly kind: 'command'; readonly text: string; readonly at: number }
  | { readonly kind: 'problem'; readonly text: string; readonly at: number };

export interface RegistryProcessSettings {
  readonly endpoint: string;
  readonly port: number;
  /** 64 hex digits each. */
  readonly services: readonly string[];
}

/** Builds what the processes run, once a test file; call the result when done with it. */
export function compileRegistryProcess(): { readonly path: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'serval-registry-'));
  const root = resolve(__dirname, '../..');
  const options = '--module nodenext --target es2022 --lib es2023 --types node --skipLibCheck --ignoreConfig';
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      join(__dirname, 'fixtures/registry-main.ts'),
      '--rootDir',
      root,
      '--outDir',
      directory,
      '--typeRoots',
      join(root, 'node_modules/@types'),
      ...options.split(' '),
    ],
    { cwd: root, stdio: 'pipe' },
  );
  return {
    path: join(directory, 'test/host/fixtures/registry-main.js'),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

export class RegistryProcess {
  readonly told: Told[] = [];
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;

  constructor(
    path: string,
    readonly settings: RegistryProcessSettings,
  ) {
    this.child = fork(path, [JSON.stringify(settings)]);
    this.child.on('message', (told: Told) => this.told.push(told));
    this.ended = new Promise((done) => this.child.once('exit', () => done()));
  }

  get role(): string | undefined {
    return this.told.findLast((told) => told.kind === 'role')?.role;
  }

  /** The FORWARD rules it has by now: `SERVICE -> ADDRESS`, sorted. */
  get rules(): string[] {
    const rules = new Set<string>();
    for (const told of this.told) {
      if (told.kind !== 'command') continue;
      const [verb, rule] = [told.text.slice(0, told.text.indexOf(' ')), told.text.slice(told.text.indexOf(' ') + 1)];
      if (verb === 'addRule') rules.add(rule);
      else if (verb === 'deleteRule') rules.delete(rule);
    }
    return [...rules].sort();
  }

  /** When it told a command for the last time. */
  toldAt(text: string): number | undefined {
    return this.told.findLast((told) => told.kind === 'command' && told.text === text)?.at;
  }

  /** Ends it as a crash does. Returns the time just before. */
  kill(): number {
    const at = Date.now();
    this.child.kill('SIGKILL');
    return at;
  }

  /** Has its event loop stuck until `resume`. Returns the time just before. */
  stop(): number {
    const at = Date.now();
    this.child.kill('SIGSTOP');
    return at;
  }

  resume(): number {
    const at = Date.now();
    this.child.kill('SIGCONT');
    return at;
  }

  /** Lets it leave in order. */
  leave(): void {
    this.child.send('leave');
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}
