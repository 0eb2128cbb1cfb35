// Figure 7 of the paper (§6.1) in a minute: what a service gives while its servers come and go, through a service router
// and through what is used instead. Leaves figure7.json and figure7.svg.
// Arguments: [--contender LIST] [--seconds N] [--factor N] [--reduced] [--output FOLDER] [--json].

import { parseArgs } from 'node:util';
import { figureOf } from './figure7/chart';
import { type Conclusions, conclude } from './figure7/conclusions';
import { CONTENDER_NAMES, type ContenderName } from './figure7/contenders';
import { rowsOf, TITLES } from './figure7/figures';
import { middleMissing } from './figure7/middle';
import { type Extent, play } from './figure7/schedule';
import { secondsTable } from './figure7/seconds-table';
import { namesArgument, numberArgument } from './measuring/arguments';
import { leaveFigure } from './measuring/figure-files';
import { clearProgress } from './measuring/progress';
import { rackMissing } from './measuring/rack';
import { runBenchmark } from './measuring/report';
import type { Report, SkippedRow } from './measuring/rows';

const { values } = parseArgs({
  options: {
    contender: { type: 'string', default: CONTENDER_NAMES.join(',') },
    seconds: { type: 'string', default: '12' },
    factor: { type: 'string', default: '2' },
    reduced: { type: 'boolean', default: false },
    output: { type: 'string', default: 'benchmarks/results' },
    json: { type: 'boolean', default: false },
  },
});
const FILE_BYTES = 300_000;
const TIME_TO_LIVE = 5;
/** The reduced run: whether all of it works is seen in short phases with little to carry. */
const REDUCTION = 5;
const REDUCED_SECONDS = 3;
const chosen = namesArgument(values.contender, CONTENDER_NAMES, '--contender');
/** By how much less than the 100 Mbit/s the links are shaped, so that they are the limit and not the processors. */
const factor = numberArgument(values.factor, '--factor') * (values.reduced ? REDUCTION : 1);
const seconds = values.reduced ? REDUCED_SECONDS : numberArgument(values.seconds, '--seconds');

const extent: Extent = {
  rate: 100e6 / factor,
  fileBytes: FILE_BYTES / (values.reduced ? REDUCTION : 1),
  seconds,
  timeToLive: TIME_TO_LIVE,
};
const path = `${extent.rate / 1e6} Mbit/s a link`;

async function measure(): Promise<Report> {
  const found = new Map<ContenderName, Conclusions>();
  const skipped: SkippedRow[] = [];
  for (const contender of chosen) {
    const reason = rackMissing() ?? middleMissing(contender);
    const conclusions = reason === undefined ? await run(contender) : reason;
    clearProgress();
    if (typeof conclusions === 'string') {
      skipped.push({ name: TITLES[contender], path, reason: conclusions });
      continue;
    }
    found.set(contender, conclusions);
    if (!values.json) console.log(`\n${TITLES[contender]}, ${path} (factor ${factor})\n${secondsTable(conclusions)}`);
  }
  if (found.size > 0) await leave(found);
  return { benchmark: 'figure7', rows: rowsOf(found, ''), skipped };
}

/** Why a rival could not be run, where that is so; serval has to. */
async function run(contender: ContenderName): Promise<Conclusions | string> {
  try {
    return conclude(await play(contender, extent));
  } catch (error) {
    if (contender === 'serval') throw error;
    return (error as Error).message;
  }
}

function leave(found: ReadonlyMap<ContenderName, Conclusions>): Promise<void> {
  const draw = (machine: string) => figureOf(found, extent.rate, `${path}; ${machine}`);
  return leaveFigure({
    name: 'figure7',
    output: values.output,
    results: { factor, ...extent, contenders: Object.fromEntries(found) },
    indentation: 2,
    draw: values.reduced ? undefined : draw,
  });
}

runBenchmark(measure, { json: values.json });
