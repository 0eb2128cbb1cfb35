// One benchmark of a larger run: started as anybody would, and read as JSON.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Report } from '../measuring/rows';

/** Its report; what it says besides goes where ours does. `progress` stands before its line on a terminal. */
export async function collect(name: string, parameters: readonly string[], progress: string): Promise<Report> {
  const file = join(__dirname, '..', `${name}.js`);
  const child = spawn(process.execPath, ['--enable-source-maps', file, ...parameters, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SERVAL_BENCHMARK_PROGRESS: progress },
  });
  const stop = (): boolean => child.kill();
  process.once('exit', stop);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const output = await text(child.stdout);
  const status = await ended;
  process.off('exit', stop);
  if (status !== 0) throw new Error(`${name} failed`);
  return JSON.parse(output) as Report;
}
