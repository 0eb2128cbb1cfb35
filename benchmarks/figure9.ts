// Figure 9 of the paper (§6.3): a server with two lines, of which two clients use one, takes one of the flows to the
// other line. Next to the kernel's MPTCP in the same lab. Leaves figure9.json and figure9.svg.
// Arguments: [--contender LIST] [--rounds N] [--rate MBIT] [--reduced] [--output FOLDER] [--json].

import { parseArgs } from 'node:util';
import { figureOf, type Panel } from './figure9/chart';
import { type Conclusions, conclude } from './figure9/conclusions';
import { rowsOf, TITLES } from './figure9/figures';
import { openLab, ROUND_TRIP } from './figure9/lab';
import { type Extent, record } from './figure9/run';
import { BIN, type Direction } from './figure9/task';
import { namesArgument, numberArgument } from './measuring/arguments';
import { leaveFigure } from './measuring/figure-files';
import { STREAM_TITLES } from './measuring/movable-streams';
import { alternate } from './measuring/pairs';
import { clearProgress, showProgress } from './measuring/progress';
import { mptcpMissing, relayMissing } from './measuring/relayed-lines';
import { runBenchmark } from './measuring/report';
import type { Report, Row, SkippedRow } from './measuring/rows';

const { values } = parseArgs({
  options: {
    contender: { type: 'string', default: 'serval,mptcp' },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '50' },
    reduced: { type: 'boolean', default: false },
    output: { type: 'string', default: 'benchmarks/results' },
    json: { type: 'boolean', default: false },
  },
});
const DIRECTIONS = ['up', 'down'] as const satisfies readonly Direction[];
const CONTENDERS = ['serval', 'mptcp'] as const;
type Contender = (typeof CONTENDERS)[number];
type Found = Readonly<Record<Contender, readonly Conclusions[]>>;
/** Whether all of it works is seen on slow lines in a short time. */
const REDUCED_RATE = 10e6;
const REDUCED: Extent = { before: 2_000, after: 2_500 };
/** As in the paper. */
const WHOLE: Extent = { before: 6_000, after: 6_000 };

const chosen = namesArgument(values.contender, CONTENDERS, '--contender');
const rounds = values.reduced ? 1 : numberArgument(values.rounds, '--rounds');
const rate = values.reduced ? REDUCED_RATE : numberArgument(values.rate, '--rate') * 1e6;
const extent = values.reduced ? REDUCED : WHOLE;
const path = `two lines of ${rate / 1e6} Mbit/s, ${ROUND_TRIP} ms there and back`;

/** Never a row of its own: there is nothing that could be measured. */
const QUIC: SkippedRow = {
  name: 'QUIC',
  path: '',
  reason: 'its server cannot move a connection: clients alone may migrate (RFC 9000, section 9)',
};

async function measure(): Promise<Report> {
  const reason = relayMissing();
  if (reason !== undefined) return { benchmark: 'figure9', rows: [], skipped: [{ name: 'figure 9', path, reason }] };
  const missing = chosen.includes('mptcp') ? mptcpMissing() : undefined;
  const contenders = chosen.filter((contender) => contender === 'serval' || missing === undefined);
  const found = new Map<Direction, Found>();
  const rows: Row[] = [];
  for (const direction of DIRECTIONS) {
    const runs = await alternate(contenders, rounds, (contender, round) => run(contender, direction, round));
    const both = { serval: runs.serval ?? [], mptcp: runs.mptcp ?? [] };
    found.set(direction, both);
    if (both.serval.length > 0) rows.push(...rowsOf(direction, rate, both.serval, both.mptcp));
  }
  clearProgress();
  await leave(found);
  if (!values.json) console.log(`${path} (${roundTripsOf(found)} ms measured); serval, and in brackets MPTCP`);
  const skipped = missing === undefined ? [QUIC] : [{ name: 'MPTCP', path: '', reason: missing }, QUIC];
  return { benchmark: 'figure9', rows, skipped };
}

async function run(contender: Contender, direction: Direction, round: number): Promise<Conclusions> {
  showProgress(`${TITLES[direction]}, pair ${round + 1}, ${STREAM_TITLES[contender]}`, round / rounds);
  const lab = await openLab(rate);
  try {
    return conclude(await record(lab, { contender, direction }, extent));
  } finally {
    lab.close();
  }
}

function leave(found: ReadonlyMap<Direction, Found>): Promise<void> {
  const note = `QUIC: no panel; ${QUIC.reason}`;
  const draw = (machine: string) => figureOf(panelsOf(found), rate, `${path}; ${machine}`, note);
  return leaveFigure({
    name: 'figure9',
    output: values.output,
    results: { rate, bin: BIN, runs: Object.fromEntries(found), quic: QUIC.reason },
    draw: values.reduced ? undefined : draw,
  });
}

/** Of each contender the run that took the median time to fill both lines. */
function panelsOf(found: ReadonlyMap<Direction, Found>): Panel[] {
  return [...found].flatMap(([direction, runs]) =>
    CONTENDERS.flatMap((contender) => {
      const sorted = runs[contender].toSorted((a, b) => a.filledAfter - b.filledAfter);
      const conclusions = sorted[sorted.length >> 1];
      return conclusions === undefined ? [] : [{ title: titleOf(contender, direction), conclusions }];
    }),
  );
}

function titleOf(contender: Contender, direction: Direction): string {
  const what =
    contender === 'serval' ? 'one flow moves' : 'the server tells of its second address, each flow has a subflow more';
  return `${STREAM_TITLES[contender]}, ${TITLES[direction]}: ${what}`;
}

function roundTripsOf(found: ReadonlyMap<Direction, Found>): string {
  const times = [...found.values()].flatMap(({ serval, mptcp }) => [...serval, ...mptcp]).map((each) => each.roundTrip);
  return `${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)}`;
}

runBenchmark(measure, { json: values.json });
