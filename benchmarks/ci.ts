// The reduced run of continuous integration: a minute, fails when a ratio has fallen to less than half of what was
// accepted (accepted.json). Arguments: [--accept], which writes what it finds there instead.

import { parseArgs } from 'node:util';
import { type Accepted, hasFallen, limitOf, readAccepted, writeAccepted } from './ci/accepted';
import { type Step, steps } from './ci/steps';
import { collect } from './complete/collect';
import { describeMachine, machineLine } from './measuring/machine';
import { endOnSignals } from './measuring/report';
import type { Report, Row } from './measuring/rows';
import { nameOf } from './measuring/table';

const SHORT = ['--rounds', '3', '--seconds', '0.4'];
/** For what is accepted, and for a second look: one stall of the machine is not a regression. */
const LONGER = ['--rounds', '7', '--seconds', '0.6'];

const { values } = parseArgs({ options: { accept: { type: 'boolean', default: false } } });

async function accept(): Promise<void> {
  const rows: Row[] = [];
  for (const step of steps) rows.push(...(await measure(step, LONGER)).rows);
  writeAccepted(machineLine(describeMachine()), rows);
}

async function check(): Promise<void> {
  const accepted = readAccepted();
  console.log(`${machineLine(describeMachine())}; accepted on ${accepted.machine}`);
  for (const step of steps) {
    const first = await measure(step, SHORT);
    const { rows, skipped } = first.rows.some((row) => hasFallen(row, accepted)) ? await measure(step, LONGER) : first;
    for (const row of rows) console.log(lineOf(row, accepted));
    for (const { name, path, reason } of skipped) console.log(`skipped ${nameOf({ name, path })}: ${reason}`);
    if (rows.some((row) => hasFallen(row, accepted))) process.exitCode = 1;
    // Where nothing may be skipped, a row that is not there is as bad as one that fell.
    if (skipped.length > 0 && process.env['SERVAL_REQUIRE_NAMESPACES'] === '1') process.exitCode = 1;
  }
}

async function measure({ benchmark, arguments: parameters, rows }: Step, length: readonly string[]): Promise<Report> {
  const report = await collect(benchmark, [...parameters, ...length], 'ci: ');
  return { ...report, rows: report.rows.filter(({ name }) => rows.includes(name)) };
}

function lineOf(row: Row, accepted: Accepted): string {
  const limit = limitOf(row, accepted);
  const bound =
    limit === undefined
      ? 'nothing accepted yet'
      : `${row.betterIs === 'more' ? 'at least' : 'at most'} ${limit.toFixed(2)}`;
  return `${hasFallen(row, accepted) ? 'FELL   ' : 'ok     '} ${nameOf(row)}: ${row.judged.median.toFixed(2)} x ${row.rival}, ${bound}`;
}

endOnSignals();
(values.accept ? accept() : check()).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
