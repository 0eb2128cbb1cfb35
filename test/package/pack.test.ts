// The tarball of `npm pack` installs into an empty folder and two processes there reach each other by service
// name: with the prebuilt binary, with one that was compiled in the checkout, and with none.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canCompile } from './compiler';

const COMPILED = 'build/Release/serval.node';
const PLATFORM = `${process.platform}-${process.arch}`;
let folder: string;
let checkout: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serval-pack-'));
  checkout = join(folder, 'checkout');
  copyCheckout(checkout);
  npm(checkout, 'run', 'build:ts');
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the installed package', () => {
  it('without a binary, installed with --ignore-scripts: the TypeScript link', async () => {
    const app = install('bare', pack('bare', '--ignore-scripts'), '--ignore-scripts');
    expect(binaries(app)).toEqual([]);
    expect(await talk(app)).toEqual({ reply: 'hello from packed/echo', links: ['udp-dgram'] });
  }, 120_000);

  it.runIf(canCompile())(
    'with the binary that was compiled in the checkout: the native link',
    async () => {
      if (!existsSync(join(checkout, COMPILED))) npm(checkout, 'run', 'build:addon');
      execFileSync(process.execPath, ['scripts/stage-addon.mjs'], { cwd: checkout, stdio: 'pipe' });
      const app = install('compiled', pack('compiled', '--ignore-scripts'), '--ignore-scripts');
      expect(binaries(app)).toEqual([`prebuilds/${PLATFORM}/serval.node`]);
      expect(await talk(app)).toEqual({ reply: 'hello from packed/echo', links: ['udp'] });
    },
    240_000,
  );

  it.runIf(canCompile())(
    'with the prebuilt binary: the native link',
    async () => {
      for (const output of ['build', 'prebuilds']) rmSync(join(checkout, output), { recursive: true, force: true });
      npm(checkout, 'run', 'prebuildify');
      const app = install('prebuilt', pack('prebuilt', '--ignore-scripts'), '--ignore-scripts');
      expect(binaries(app)).toEqual([expect.stringMatching(`^prebuilds/${PLATFORM}/serval\\.(glibc|musl)\\.node$`)]);
      expect(await talk(app)).toEqual({ reply: 'hello from packed/echo', links: ['udp'] });
    },
    240_000,
  );
});

/** What `git clone` would give, uncommitted changes included, with the development dependencies of this tree. */
function copyCheckout(target: string): void {
  mkdirSync(target);
  for (const entry of readdirSync('.')) {
    if (/^(\.git|node_modules|dist.*|build|prebuilds|coverage|test|core\..*|.*\.tgz)$/.test(entry)) continue;
    cpSync(entry, join(target, entry), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(resolve('node_modules'), join(target, 'node_modules'));
  // Compiled a moment ago by the build that `npm test` begins with; without that, compiled in the copy.
  if (existsSync(COMPILED)) cpSync(COMPILED, join(target, COMPILED));
}

function pack(name: string, ...options: string[]): string {
  const destination = join(folder, `${name}-tarball`);
  mkdirSync(destination);
  npm(checkout, 'pack', '--pack-destination', destination, ...options);
  return join(destination, readdirSync(destination)[0]!);
}

/** Installs into an empty folder and returns it. */
function install(name: string, tarball: string, ...options: string[]): string {
  const app = join(folder, name);
  mkdirSync(app);
  npm(app, 'install', '--prefer-offline', '--no-audit', '--no-fund', ...options, tarball);
  return app;
}

function binaries(app: string): string[] {
  const installed = join(app, 'node_modules/serval');
  for (const absent of ['binding.gyp', 'src-native', 'lib', 'build']) {
    expect(existsSync(join(installed, absent))).toBe(false);
  }
  return readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.node'));
}

function npm(cwd: string, ...options: string[]): void {
  // What the surrounding `npm test` exports must not reach into the other folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
  execFileSync('npm', ['--loglevel=error', ...options], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** One process serves, the other connects by name; what the client got and over which link. */
async function talk(app: string): Promise<unknown> {
  cpSync('test/package/echo-by-name.cjs', join(app, 'echo-by-name.cjs'));
  const server = start(app, 'serve');
  try {
    await firstLine(server);
    const client = start(app, 'connect');
    const line = firstLine(client);
    await once(client, 'exit');
    return JSON.parse(await line);
  } finally {
    server.kill();
  }
}

function start(app: string, role: string) {
  // A host of its own: nobody else's well-known port, nobody else's segment.
  const env = { ...process.env, SERVAL_PORT: String(40_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
  return spawn(process.execPath, ['echo-by-name.cjs', role], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function firstLine(child: ReturnType<typeof start>): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the program ended without a word');
}
