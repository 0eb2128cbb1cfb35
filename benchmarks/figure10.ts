// Figure 10 of the paper (§6.3): a host's only cable goes from one subnet to another while a stream runs both ways; the
// server's, the client's, or both at the same time. Next to the kernel's MPTCP and TCP. Leaves figure10.json and figure10.svg.
// Arguments: [--moves N] [--contender LIST] [--mover LIST] [--darkness LIST] [--patience SECONDS] [--reduced] [--output FOLDER] [--json].

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { figureOf } from './figure10/chart';
import { type Conclusions, conclude, type Found, MOVER_TITLES } from './figure10/conclusions';
import { rowsOf } from './figure10/figures';
import { LINE_RATE, ROUND_TRIP } from './figure10/lab';
import { type Extent, MOVERS, type Mover, Moves } from './figure10/moves';
import { movesTable } from './figure10/moves-table';
import { namesArgument, numberArgument } from './measuring/arguments';
import { leaveFigure } from './measuring/figure-files';
import { STREAM_TITLES, type StreamContender } from './measuring/movable-streams';
import { clearProgress, showProgress } from './measuring/progress';
import { mptcpMissing, relayMissing } from './measuring/relayed-lines';
import { runBenchmark } from './measuring/report';
import type { Report, SkippedRow } from './measuring/rows';

const CONTENDERS = Object.keys(STREAM_TITLES) as StreamContender[];
const MOVER_NAMES = Object.keys(MOVERS) as Mover[];
const { values } = parseArgs({
  options: {
    moves: { type: 'string' },
    contender: { type: 'string', default: CONTENDERS.join(',') },
    mover: { type: 'string', default: MOVER_NAMES.join(',') },
    darkness: { type: 'string' },
    patience: { type: 'string' },
    reduced: { type: 'boolean', default: false },
    output: { type: 'string', default: 'benchmarks/results' },
    json: { type: 'boolean', default: false },
  },
});
/** Of each end, in bits a second: a packet now and then of a line that has room for ten times as much. */
const STREAM_RATE = 5e6;
const { moves, darkness, patience } = values.reduced
  ? { moves: '2', darkness: '0,300', patience: '5', ...given() }
  : { moves: '50', darkness: '0,60,300,1000', patience: '10', ...given() };

const extent: Extent = {
  moves: numberArgument(moves, '--moves'),
  attempts: values.reduced ? 1 : 2,
  patience: numberArgument(patience, '--patience') * 1000,
  rate: STREAM_RATE,
  isTraced: !values.reduced,
};
const contenders = namesArgument(values.contender, CONTENDERS, '--contender');
const movers = namesArgument(values.mover, MOVER_NAMES, '--mover');
const darknesses = darkness.split(',').map(Number);
const path = `${LINE_RATE / 1e6} Mbit/s, ${ROUND_TRIP} ms there and back; ${STREAM_RATE / 1e6} Mbit/s each way`;

async function measure(): Promise<Report> {
  const reason = relayMissing();
  if (reason !== undefined) return { benchmark: 'figure10', rows: [], skipped: [{ name: 'figure 10', path, reason }] };
  const found = new Map<StreamContender, readonly Conclusions[]>();
  const skipped: SkippedRow[] = [];
  for (const contender of contenders) {
    const missing = contender === 'mptcp' ? mptcpMissing() : undefined;
    if (missing !== undefined) skipped.push({ name: STREAM_TITLES[contender], path: '', reason: missing });
    else found.set(contender, await run(contender));
  }
  await leave(found);
  return { benchmark: 'figure10', rows: rowsOf(found.get('serval') ?? [], found.get('mptcp') ?? []), skipped };
}

async function run(contender: StreamContender): Promise<readonly Conclusions[]> {
  const plays = await Moves.open(contender, extent);
  const found: Conclusions[] = [];
  try {
    const roundTrip = await plays.roundTrip();
    for (const mover of movers) {
      for (const each of darknesses) {
        const done = found.length / (movers.length * darknesses.length);
        showProgress(`${STREAM_TITLES[contender]}, ${MOVER_TITLES[mover]}, ${each} ms dark`, done);
        found.push(conclude(await plays.play(mover, each)));
      }
    }
    clearProgress();
    const heading = `${STREAM_TITLES[contender]}, ${path} (${roundTrip.toFixed(1)} ms measured)${boundOf(contender)}`;
    if (!values.json) console.log(`\n${heading}\n${movesTable(found, extent.patience)}`);
    return found;
  } finally {
    await plays.close();
  }
}

/** How long the kernel's TCP would go on asking, by its own account. */
function boundOf(contender: StreamContender): string {
  if (contender !== 'tcp') return '';
  const retries = readFileSync('/proc/sys/net/ipv4/tcp_retries2', 'utf8').trim();
  return `; it asks ${retries} times more and ends after about a quarter of an hour (tcp_retries2)`;
}

function leave(found: Found): Promise<void> {
  const draw = (machine: string) => figureOf(found, extent.patience, `${path}; ${machine}`);
  return leaveFigure({
    name: 'figure10',
    output: values.output,
    results: { path, ...extent, contenders: Object.fromEntries(found) },
    draw: values.reduced ? undefined : draw,
  });
}

function given(): { moves?: string; darkness?: string; patience?: string } {
  const { moves, darkness, patience } = values;
  return {
    ...(moves !== undefined && { moves }),
    ...(darkness !== undefined && { darkness }),
    ...(patience !== undefined && { patience }),
  };
}

runBenchmark(measure, { json: values.json });
