// What a handshake takes by each way that a first packet finds its server: straight, through service routers, through
// DELAY and a directory, by broadcast; next to `net` on the same path. Arguments: [--rounds N] [--connects N] [--json].

import { parseArgs } from 'node:util';
import { CONTENDER_NAMES } from './first-packet/task';
import { type NamedWay, openWay, WAYS } from './first-packet/ways';
import { numberArgument } from './measuring/arguments';
import { alternate } from './measuring/pairs';
import { clearProgress, showProgress } from './measuring/progress';
import { rackMissing } from './measuring/rack';
import { runBenchmark } from './measuring/report';
import { quantile } from './measuring/rounds';
import { type Goal, type Report, type Row, rowOf } from './measuring/rows';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    connects: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const count = numberArgument(values.connects, '--connects');

const QUANTILES = { p50: 0.5, p99: 0.99 } as const;

async function measure(): Promise<Report> {
  const reason = rackMissing();
  if (reason !== undefined)
    return { benchmark: 'first-packet', rows: [], skipped: [{ name: 'handshake', path: '', reason }] };
  const rows: Row[] = [];
  for (const [index, way] of WAYS.entries()) {
    showProgress(`handshake, ${way.name}`, index / WAYS.length);
    rows.push(...(await measureWay(way)));
  }
  clearProgress();
  return { benchmark: 'first-packet', rows, skipped: [] };
}

async function measureWay(way: NamedWay): Promise<readonly Row[]> {
  const { client, close } = await openWay(way);
  try {
    for (const contender of CONTENDER_NAMES) await client.ask('connect', { contender, count: WARM_UP });
    const found = await alternate(CONTENDER_NAMES, rounds, (contender) => client.ask('connect', { contender, count }));
    return Object.entries(QUANTILES).map(([name, fraction]) => {
      const of = (times: readonly number[]): number => quantile(times, fraction);
      return rowOf(goalOf(`handshake, ${way.name}, ${name}`), found.serval.map(of), found.net.map(of));
    });
  } finally {
    await close();
  }
}

/** Shown, not judged: what a router costs is told by the rows one below the other. */
function goalOf(name: string): Goal {
  return { name, path: '', rival: 'net', unit: 'us', decimals: 0, betterIs: 'less' };
}

/** Until the engine has compiled what a handshake runs through; both sides do as many. */
const WARM_UP = 10_000;

runBenchmark(measure, { json: values.json });
