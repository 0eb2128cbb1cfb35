// The npm packages that only benchmarks need: rivals, and what draws the chart. They stand in benchmarks/package.json
// and are installed there when the first benchmark asks for one; the package itself never has them.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Imports a package; `Shape` is what the caller uses of it, for its types are not there when this is compiled. */
export async function loadPackage<Shape>(name: string): Promise<Shape> {
  installPackages();
  return (await import(name)) as Shape;
}

/** Does nothing when what is installed is what the lockfile says. */
export function installPackages(): void {
  if (textOf('node_modules/.installed') === textOf('package-lock.json')) return;
  console.error('installing the packages of benchmarks/ (npm ci, once)');
  const command = 'npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed';
  const { status } = spawnSync(command, { shell: true, cwd: FOLDER, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm could not install the packages of benchmarks/');
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(resolve(FOLDER, path), 'utf8');
  } catch {
    return undefined;
  }
}

/** benchmarks/ itself, seen from where this runs: dist-benchmarks/benchmarks/measuring. */
const FOLDER = resolve(__dirname, '../../../benchmarks');
