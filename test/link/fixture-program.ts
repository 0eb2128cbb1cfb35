// Programs of test/link/fixtures for tests that need a process of their own: compiled once a test file, for
// Node 20 reads no TypeScript, in a folder from which the addon is found as from the package.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export class FixtureProgram {
  private readonly folder = mkdtempSync(join(tmpdir(), 'serval-link-'));
  private readonly children: ChildProcess[] = [];
  private readonly file: string;

  constructor(name: string) {
    const root = resolve(__dirname, '../..');
    const options = '--module nodenext --target es2022 --lib es2023 --types node --skipLibCheck --ignoreConfig';
    const folders = ['--rootDir', root, '--outDir', this.folder, '--typeRoots', join(root, 'node_modules/@types')];
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const source = join(FIXTURES, `${name}.ts`);
    execFileSync(process.execPath, [compiler, source, ...folders, ...options.split(' ')], { cwd: root });
    for (const entry of ['build', 'prebuilds', 'node_modules', 'package.json']) {
      symlinkSync(join(root, entry), join(this.folder, entry));
    }
    this.file = join(this.folder, 'test/link/fixtures', `${name}.js`);
  }

  /** Starts it, in a network namespace if one is named. */
  start(args: readonly string[], { namespace, env = {} }: { namespace?: string; env?: NodeJS.ProcessEnv } = {}) {
    const command = [process.execPath, this.file, ...args];
    const [file, ...rest] = namespace === undefined ? command : ['ip', 'netns', 'exec', namespace, ...command];
    const child = spawn(file!, rest, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.children.push(child);
    return child;
  }

  /** Path of a library, compiled from C++; a compiler is there wherever the addon is built. */
  compileLibrary(name: string): string {
    const library = join(this.folder, `${name}.so`);
    execFileSync('g++', ['-O2', '-std=c++17', '-shared', '-fPIC', '-o', library, join(FIXTURES, `${name}.cc`)]);
    return library;
  }

  remove(): void {
    for (const child of this.children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const FIXTURES = join(__dirname, 'fixtures');

/** The exit code, or the signal that killed it. */
export function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
}
