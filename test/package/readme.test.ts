// The examples of the README run as they stand there, each program a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder: string;
const running: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serval-readme-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve('.'), join(folder, 'node_modules/serval'));
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1]!);
  expect(blocks).toHaveLength(3);
  for (const [index, name] of ['server', 'client', 'datagrams'].entries()) {
    writeFileSync(join(folder, `${name}.cjs`), blocks[index]!);
  }
});

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

it('HTTP by name reaches every replica', async () => {
  const replicas = [run('server'), run('server')];
  const expected = replicas.map((child) => `hello from ${child.pid}\n`).sort();
  const answers = new Set<string>();
  // The choice among replicas is by chance: ask until both have answered. A replica that still starts is no error.
  for (let request = 0; request < 60 && answers.size < 2; request++) {
    const answer = await outputOf(run('client'));
    if (answer === '') await pause(50);
    else answers.add(answer);
  }
  expect([...answers].sort()).toEqual(expected);
}, 60_000);

it('datagrams by name are answered', async () => {
  const answer = await outputOf(run('datagrams'));
  expect(answer).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\n$/);
});

function run(name: string): ChildProcess {
  // A host of its own: nobody else's well-known port, nobody else's segment.
  const env = { ...process.env, SERVAL_PORT: String(20_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
  const child = spawn(process.execPath, [`${name}.cjs`], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(child);
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  return output;
}
