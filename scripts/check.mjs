// What CI runs, in one command: build, then the checks side by side, then the tests. Prints what a failing step
// said, the time each took, and the totals as its last line; a failing step counts as one failed test. With
// `--benchmarks` the reduced run of the benchmarks comes behind the tests, when nothing else is running.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const REPORT = 'coverage/test-report.json';
const PACKAGE = 'coverage/package';

const builds = { build: 'npm run build', package: `npm pack --ignore-scripts --pack-destination ${PACKAGE}` };
const checks = {
  'format and lint': 'npx biome ci --colors=off --error-on-warnings',
  types: 'npx tsc -p tsconfig.json',
  'types for users': "npx tsd --typings dist/index.d.ts --files 'test/types/*.test-d.ts'",
  'file sizes': 'node scripts/check-file-sizes.mjs',
  'paper map': 'node scripts/check-paper-map.mjs',
  lockfile: 'node scripts/check-lockfile.mjs',
  publint: `npx publint --strict ${PACKAGE}/*.tgz`,
  'are the types wrong': `npx attw --profile node16 ${PACKAGE}/*.tgz`,
};
const tests = `npm test -- --reporter=default --reporter=json --outputFile.json=${REPORT}`;

rmSync('coverage', { recursive: true, force: true });
mkdirSync(PACKAGE, { recursive: true });

const failed = [];
for (const [name, command] of Object.entries(builds)) await step(name, command);
const waiting = Object.entries(checks);
await Promise.all(Array.from({ length: availableParallelism() }, worker));
const testsPassed = await step('tests', tests, 'inherit');
if (process.argv.includes('--benchmarks')) await step('benchmarks', 'npm run --silent bench -- ci', 'inherit');

const totals = testTotals();
if (!testsPassed && totals.failed === 0) totals.failed = 1;
totals.failed += failed.filter((name) => name !== 'tests').length;
if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);

async function worker() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await step(...next);
}

async function step(name, command, stdout = 'pipe') {
  const started = performance.now();
  const child = spawn(command, { shell: true, stdio: ['ignore', stdout, stdout] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const status = await new Promise((resolve) => child.once('close', resolve));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) failed.push(name);
  if (output !== '' && (status !== 0 || output.includes('warning:'))) console.log(output.replace(/^/gm, '       | '));
  return status === 0;
}

function testTotals() {
  try {
    const report = JSON.parse(readFileSync(REPORT, 'utf8'));
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
