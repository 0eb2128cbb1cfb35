// Streams of serval next to `node:net`, alternately in one run: throughput, round trip, connections a second,
// messages, processor time, memory. `npm run bench -- stream --help` tells the arguments, benchmarks/README.md the method.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { namesArgument, numberArgument } from './measuring/arguments';
import { openPath, PATH_NAMES, type PathName, pathMissing } from './measuring/paths';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import type { Report, Row, SkippedRow } from './measuring/rows';
import { type ComparisonOptions, compareStreams } from './stream/compare';
import { figures, pathsOf } from './stream/figures';
import { MEASURE_NAMES, type MeasureName } from './stream/task';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '10000' },
    path: { type: 'string' },
    measure: { type: 'string', default: MEASURE_NAMES.join(',') },
    profiles: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const USAGE = `npm run bench -- stream [options]
  --rounds N        pairs of each measurement; 5
  --seconds N       measured in each, behind up to 4 s of warm-up; 1
  --connections N   that are opened to measure the memory of an idle one; 10000
  --measure LIST    of ${MEASURE_NAMES.join(', ')}; all
  --path LIST       of ${PATH_NAMES.join(', ')}; throughput on all, the others on veth
  --profiles FOLDER leaves a processor profile of each process there (and slows it down)
  --json            prints everything as JSON, every pair's figures included`;

/** What is measured on each path. */
function plan(): readonly (readonly [PathName, readonly MeasureName[]])[] {
  const measures = namesArgument(values.measure, MEASURE_NAMES, '--measure');
  const named = values.path === undefined ? undefined : namesArgument(values.path, PATH_NAMES, '--path');
  const paths = named ?? PATH_NAMES;
  return paths
    .map(
      (path) => [path, measures.filter((measure) => named !== undefined || pathsOf[measure].includes(path))] as const,
    )
    .filter(([, chosen]) => chosen.length > 0);
}

async function measure(): Promise<Report> {
  const options = {
    contenders: join(__dirname, 'stream', 'contenders.js'),
    rival: 'net',
    rounds: numberArgument(values.rounds, '--rounds'),
    seconds: numberArgument(values.seconds, '--seconds'),
    connections: numberArgument(values.connections, '--connections'),
    profiles: values.profiles,
  };
  const planned = plan();
  const weight = planned.reduce((sum, [, measures]) => sum + measures.length, 0);
  const rows: Row[] = [];
  const skipped: SkippedRow[] = [];
  let done = 0;
  for (const [path, measures] of planned) {
    const reason = pathMissing(path);
    const progress = (text: string, part: number) => showProgress(text, (done + part * measures.length) / weight);
    if (reason === undefined) rows.push(...(await compareOn(path, { ...options, measures }, progress)));
    else skipped.push(...measures.flatMap((name) => figures[name]).map(({ name }) => ({ name, path, reason })));
    done += measures.length;
  }
  clearProgress();
  return { benchmark: 'stream', rows: rows.toSorted((a, b) => placeOf(a) - placeOf(b)), skipped };
}

/** Measured path by path, told figure by figure. */
function placeOf({ name }: Row): number {
  return FIGURE_NAMES.indexOf(name);
}

const FIGURE_NAMES = MEASURE_NAMES.flatMap((measure) => figures[measure]).map(({ name }) => name);

async function compareOn(
  name: PathName,
  options: ComparisonOptions,
  progress: (text: string, done: number) => void,
): Promise<readonly Row[]> {
  const path = openPath(name);
  try {
    const { carrier, rows } = await compareStreams(path, options, progress);
    clearProgress();
    if (!values.json) console.log(`${name}: ${path.description}; serval by ${carrier}`);
    return rows;
  } finally {
    path.close();
  }
}

if (values.help) console.log(USAGE);
else runBenchmark(measure, { json: values.json });
