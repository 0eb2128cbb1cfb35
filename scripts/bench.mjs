// `npm run bench -- NAME [arguments]`: compiles lib/ and benchmarks/ as they are released (tsc, no bundler, no
// transformer) into dist-benchmarks/ and runs NAME there. Without NAME: lists what there is.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const OUTPUT = 'dist-benchmarks';
const [name, ...rest] = process.argv.slice(2);
const names = readdirSync('benchmarks')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .sort();

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [arguments]\nNAME: ${names.join(', ') || '(none yet)'}`);
  process.exit(2);
}
run('node scripts/build-addon.mjs');
run('npx tsc -p tsconfig.bench.json');
// The addon's loader looks beside package.json, as in the package.
for (const entry of ['package.json', 'build', 'prebuilds']) link(entry);
const result = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(OUTPUT, 'benchmarks', `${name}.js`), ...rest],
  {
    stdio: 'inherit',
  },
);
process.exit(result.status ?? 1);

function run(command) {
  const { status } = spawnSync(command, { shell: true, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

function link(entry) {
  const path = join(OUTPUT, entry);
  mkdirSync(OUTPUT, { recursive: true });
  if (isLink(path)) return;
  rmSync(path, { recursive: true, force: true });
  if (existsSync(entry)) symlinkSync(join('..', entry), path);
}

function isLink(path) {
  try {
    return readlinkSync(path) !== undefined;
  } catch {
    return false;
  }
}
