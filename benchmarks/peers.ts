// Connections of serval next to those of the npm packages a user could pick instead, on loopback between two processes:
// throughput, and new connections a second. Arguments: [--rounds N] [--seconds N] [--rival LIST] [--measure LIST] [--json].

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { namesArgument, numberArgument } from './measuring/arguments';
import { installPackages } from './measuring/packages';
import { alternate } from './measuring/pairs';
import { type MeasuredPath, openPath } from './measuring/paths';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import { type Goal, type Report, type Row, rowOf, type SkippedRow } from './measuring/rows';
import { type Observation, observe, verify } from './measuring/two-ends';
import { type ContenderName, contenders, RIVAL_NAMES, type RivalName } from './peers/contenders';
import { MEASURE_NAMES, type MeasureName, type Task } from './peers/task';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    rival: { type: 'string', default: RIVAL_NAMES.join(',') },
    measure: { type: 'string', default: MEASURE_NAMES.join(',') },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const seconds = numberArgument(values.seconds, '--seconds');
const rivals = namesArgument(values.rival, RIVAL_NAMES, '--rival');
const measures = namesArgument(values.measure, MEASURE_NAMES, '--measure');

/** Why a rival does not take part any more. */
const failures = new Map<RivalName, string>();

async function measure(): Promise<Report> {
  installPackages();
  const path = openPath('loopback');
  try {
    await verifyAll(path);
    const rows: Row[] = [];
    for (const name of measures) rows.push(...(await compare(path, name)));
    clearProgress();
    const skipped = measures.flatMap((name) => [...failures].map(([rival, reason]) => skippedRow(name, rival, reason)));
    return { benchmark: 'peers', rows, skipped: skipped.filter(({ name }) => rows.every((row) => row.name !== name)) };
  } finally {
    path.close();
  }
}

/** serval must get its bytes across; a rival that cannot here is left out, and its rows say why. */
async function verifyAll(path: MeasuredPath): Promise<void> {
  for (const contender of ['serval', ...rivals] as const) {
    showProgress(`SHA-256, ${contender}`, 0);
    await unlessRivalFails(contender, () => verify({ path, ...launches(path, contender, 'verify') }));
  }
}

async function compare(path: MeasuredPath, name: MeasureName): Promise<readonly Row[]> {
  const taking = rivals.filter((rival) => !failures.has(rival));
  const found = await alternate(['serval', ...taking] as const, rounds, async (contender, round) => {
    if (failures.has(contender as RivalName)) return undefined;
    showProgress(
      `${name}, round ${round + 1}, ${contender}`,
      (measures.indexOf(name) + round / rounds) / measures.length,
    );
    const launch = { path, during: { seconds }, ...launches(path, contender, name) };
    return unlessRivalFails(contender, async () => {
      const figure = figureOf[name](await observe(launch));
      if (figure === 0) throw new Error('nothing got through in the measured time');
      return figure;
    });
  });
  const isWhole = (figures: readonly (number | undefined)[]): figures is readonly number[] =>
    !figures.includes(undefined);
  return taking.flatMap((rival) => {
    const [serval, theirs] = [found.serval, found[rival]];
    return isWhole(serval) && isWhole(theirs) ? [rowOf(goalOf(name, rival), serval, theirs)] : [];
  });
}

/** A rival has a second try: one that stalls once is not broken. */
async function unlessRivalFails<Result>(contender: ContenderName, run: () => Promise<Result>) {
  if (contender === 'serval') return run();
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === 1) continue;
      failures.set(contender, (error as Error).message);
      return undefined;
    }
  }
}

function launches({ serverAddress: address }: MeasuredPath, contender: ContenderName, name: Task['measure']) {
  const task: Task = { contender, measure: name, address };
  const launch = (end: string) => ({ file: join(__dirname, 'peers', `${end}.js`), task });
  return { server: launch('server'), client: launch('client') };
}

const figureOf: Readonly<Record<MeasureName, (observation: Observation) => number>> = {
  throughput: ({ server: { before, after } }) => ((after.bytes - before.bytes) * 8) / (after.at - before.at) / 1e6,
  connections: ({ client: { before, after } }) =>
    ((after.operations - before.operations) / (after.at - before.at)) * 1000,
};

const goals = {
  throughput: { name: 'throughput', unit: 'Gbit/s', decimals: 3 },
  connections: { name: 'connect, 64 B and back, close', unit: '1/s', decimals: 0 },
} as const;

function goalOf(measured: MeasureName, rival: RivalName): Goal {
  const { name, ...units } = goals[measured];
  return { ...units, name: nameNextTo(name, rival), path: 'loopback', rival, betterIs: 'more', atLeast: 1, aim: 5 };
}

function skippedRow(measured: MeasureName, rival: RivalName, reason: string): SkippedRow {
  return { name: nameNextTo(goals[measured].name, rival), path: 'loopback', reason };
}

/** Who encrypts does more than serval does here, and every row says so. */
function nameNextTo(name: string, rival: RivalName): string {
  return `${name}; ${rival}${contenders[rival].isEncrypted ? ', which encrypts' : ''}`;
}

runBenchmark(measure, { json: values.json });
