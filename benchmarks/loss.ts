// Goodput of one stream under random loss, next to the kernel's TCP with CUBIC on the same path; before that both
// without loss, which shows that the path itself can carry its rate for either. Arguments: [--rounds N] [--seconds N] [--json].

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lossyPathMissing, openLossyPath, RATE_MBIT } from './loss/path';
import { numberArgument } from './measuring/arguments';
import { alternate } from './measuring/pairs';
import type { MeasuredPath } from './measuring/paths';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import { type Goal, type Report, type Row, rowOf } from './measuring/rows';
import { observe, verify } from './measuring/two-ends';
import type { Task } from './stream/task';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const seconds = numberArgument(values.seconds, '--seconds');

const CONTENDERS = ['serval', 'net'] as const;

const WITH_LOSS: Goal = {
  name: 'goodput with 1 % random loss',
  path: `${RATE_MBIT} Mbit/s, 20 ms`,
  rival: 'net, CUBIC',
  unit: 'Mbit/s',
  decimals: 1,
  betterIs: 'more',
  atLeast: 0.95,
  aim: 1.1,
};
/** Not judged: it says what the path can carry. */
const { atLeast: _bar, aim: _aim, ...shown } = WITH_LOSS;
const WITHOUT_LOSS: Goal = { ...shown, name: 'goodput without loss' };

async function measure(): Promise<Report> {
  const reason = lossyPathMissing();
  if (reason !== undefined) {
    return { benchmark: 'loss', rows: [], skipped: [{ name: WITH_LOSS.name, path: WITH_LOSS.path, reason }] };
  }
  const calibration = { rounds: Math.min(rounds, 2), seconds: Math.min(seconds, 2) };
  const rows = [await compare(WITHOUT_LOSS, 0, calibration), await compare(WITH_LOSS, 0.01, { rounds, seconds })];
  return { benchmark: 'loss', rows, skipped: [] };
}

interface Extent {
  readonly rounds: number;
  readonly seconds: number;
}

async function compare(goal: Goal, loss: number, { rounds: pairs, seconds: measured }: Extent): Promise<Row> {
  const path = await openLossyPath(loss);
  try {
    for (const contender of CONTENDERS) {
      showProgress(`${goal.name}, SHA-256, ${contender}`, 0);
      await verify({ path, ...launches(path, contender, 'verify') });
    }
    const found = await alternate(CONTENDERS, pairs, async (contender, round) => {
      showProgress(`${goal.name}, pair ${round + 1}, ${contender}`, round / pairs);
      const during = { seconds: measured };
      const { server } = await observe({ path, during, ...launches(path, contender, 'throughput') });
      return ((server.after.bytes - server.before.bytes) * 8) / (server.after.at - server.before.at) / 1000;
    });
    const { passed, lost, overflowed } = await path.end();
    clearProgress();
    const told = `${passed} packets passed, ${lost} lost, ${overflowed} found the queue full`;
    if (!values.json) console.log(`${path.description}: ${told}`);
    return rowOf(goal, found.serval, found.net);
  } finally {
    path.close();
  }
}

/** The programs of the benchmark of streams. */
function launches({ serverAddress: address }: MeasuredPath, contender: string, name: Task['measure']) {
  const contenders = join(__dirname, 'stream', 'contenders.js');
  const task: Task = { contenders, contender, measure: name, address, connections: 0, warmUpBytes: WARM_UP_BYTES };
  const launch = (end: string) => ({ file: join(__dirname, 'stream', `${end}.js`), task });
  return { server: launch('server'), client: launch('client') };
}

/** More than is sent: the warm-up is the 4 s that it may take at most, for windows to be where loss keeps them. */
const WARM_UP_BYTES = 500e6;

runBenchmark(measure, { json: values.json });
