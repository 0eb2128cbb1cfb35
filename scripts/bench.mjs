// `npm run bench -- NAME [arguments]`: compiles lib/ and benchmarks/ as they are released (tsc, no bundler, no
// transformer) into dist-benchmarks/ and runs NAME there. Without NAME: everything that has a goal.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const OUTPUT = 'dist-benchmarks';
const EVERYTHING = 'complete';
const [first = EVERYTHING, ...others] = process.argv.slice(2);
const [name, rest] = first.startsWith('--') ? [EVERYTHING, [first, ...others]] : [first, others];
const names = readdirSync('benchmarks')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .sort();

if (!names.includes(name)) {
  console.error(`usage: npm run bench [-- NAME [arguments]]\nNAME: ${names.join(', ')}; without one ${EVERYTHING}`);
  process.exit(2);
}
run('node scripts/build-addon.mjs');
run('npx tsc -p tsconfig.bench.json');
// The addon's loader looks beside package.json, as in the package; rivals are found where benchmarks/ has them.
for (const entry of ['package.json', 'build', 'prebuilds']) link(entry, join(OUTPUT, entry));
link('benchmarks/node_modules', join(OUTPUT, 'benchmarks', 'node_modules'));
const program = join(OUTPUT, 'benchmarks', `${name}.js`);
const result = spawnSync(process.execPath, ['--enable-source-maps', program, ...rest], { stdio: 'inherit' });
process.exit(result.status ?? 1);

/** What a build says matters when it fails, and when it goes on without the addon. */
function run(command) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${command}`);
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8' });
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  if (status !== 0) {
    console.error(`${stdout}${stderr}`);
    process.exit(status ?? 1);
  }
  for (const line of stderr.split('\n')) if (line.startsWith('serval: ')) console.error(line);
}

/** Also to what is not there yet: packages are installed when a benchmark asks for them. */
function link(target, path) {
  if (isLink(path)) return;
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(relative(dirname(path), target), path);
}

function isLink(path) {
  try {
    return readlinkSync(path) !== undefined;
  } catch {
    return false;
  }
}
