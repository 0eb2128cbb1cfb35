// Everything that has a goal, one benchmark after the other; `npm run bench` without a name. Prints one table, and leaves
// results.json and chart.svg. Arguments: [--output FOLDER] [--json] [NAME,NAME...].

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chartOf } from './complete/chart';
import { collect } from './complete/collect';
import { plan } from './complete/plan';
import { namesArgument } from './measuring/arguments';
import { describeMachine, type Machine, machineLine } from './measuring/machine';
import { isPinned } from './measuring/pinning';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import type { Report, Row, SkippedRow } from './measuring/rows';

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, output: { type: 'string', default: 'benchmarks/results' } },
  allowPositionals: true,
});

/** A benchmark that fails is told, and the others go on; the run then fails in the end. */
async function measure(): Promise<Report> {
  const names = plan.map(({ name }) => name);
  const chosen = positionals.length === 0 ? names : namesArgument(positionals.join(','), names, 'NAME');
  const machine = describeMachine();
  const reports: Report[] = [];
  const failed: SkippedRow[] = [];
  for (const [index, name] of chosen.entries()) {
    const { arguments: parameters } = plan.find((planned) => planned.name === name)!;
    const begun = performance.now();
    // Until it tells more itself.
    showProgress(`${index + 1}/${chosen.length} ${name}`, index / chosen.length);
    try {
      const report = await collect(name, parameters, `${index + 1}/${chosen.length} ${name}: `);
      reports.push(report);
      clearProgress();
      console.error(`${name}: ${report.rows.length} rows in ${Math.round((performance.now() - begun) / 1000)} s`);
    } catch (error) {
      failed.push({ name, path: '', reason: (error as Error).message });
      process.exitCode = 1;
    }
  }
  const rows = reports.flatMap((report) => report.rows);
  const skipped = [...reports.flatMap((report) => report.skipped), ...failed];
  await leave(machine, rows, { date: new Date().toISOString(), machine, isPinned, rows, skipped });
  return { benchmark: 'complete', rows, skipped };
}

async function leave(machine: Machine, rows: readonly Row[], results: object): Promise<void> {
  mkdirSync(values.output, { recursive: true });
  writeFileSync(join(values.output, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  if (rows.length === 0) return;
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  try {
    const chart = await chartOf(
      rows.filter(isDrawn),
      `serval ${version} next to what a user would pick`,
      `${new Date().toISOString().slice(0, 10)}; ${machineLine(machine)}`,
    );
    writeFileSync(join(values.output, 'chart.svg'), chart);
  } catch (error) {
    console.error(`there is no chart: ${(error as Error).message}`);
  }
}

/** A figure that has a goal on one path is drawn there only. */
function isDrawn({ name, atLeast }: Row, _index: number, rows: readonly Row[]): boolean {
  return atLeast !== undefined || !rows.some((row) => row.name === name && row.atLeast !== undefined);
}

runBenchmark(measure, { json: values.json });
