// Unconnected datagrams of serval next to `node:dgram`: how many a second reach the receiver's 'message' listener while
// the sender sends as fast as it can. Arguments: [--rounds N] [--seconds N] [--path LIST] [--json].

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTENDER_NAMES, type ContenderName } from './datagram/contenders';
import { DATAGRAM_BYTES, type Task } from './datagram/task';
import { namesArgument, numberArgument } from './measuring/arguments';
import { alternate } from './measuring/pairs';
import { type MeasuredPath, openPath, PATH_NAMES, type PathName, pathMissing } from './measuring/paths';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import { type Goal, type Report, type Row, rowOf, type SkippedRow } from './measuring/rows';
import { observe, verify } from './measuring/two-ends';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    path: { type: 'string', default: 'veth' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const seconds = numberArgument(values.seconds, '--seconds');

const NAME = `datagrams of ${DATAGRAM_BYTES} B received`;

async function measure(): Promise<Report> {
  const rows: Row[] = [];
  const skipped: SkippedRow[] = [];
  for (const path of namesArgument(values.path, PATH_NAMES, '--path')) {
    const reason = pathMissing(path);
    if (reason === undefined) rows.push(await compareOn(path));
    else skipped.push({ name: NAME, path, reason });
  }
  clearProgress();
  return { benchmark: 'datagram', rows, skipped };
}

async function compareOn(name: PathName): Promise<Row> {
  const path = openPath(name);
  try {
    for (const contender of CONTENDER_NAMES) {
      showProgress(`${name}, SHA-256, ${contender}`, 0);
      await verify({ path, ...launches(path, contender, 'verify') });
    }
    const found = await alternate(CONTENDER_NAMES, rounds, async (contender, round) => {
      showProgress(`${name}, pair ${round + 1}, ${contender}`, round / rounds);
      const { server } = await observe({ path, during: { seconds }, ...launches(path, contender, 'rate') });
      return ((server.after.operations - server.before.operations) / (server.after.at - server.before.at)) * 1000;
    });
    return rowOf(goalOn(name), found.serval, found.dgram);
  } finally {
    path.close();
  }
}

function launches({ serverAddress: address }: MeasuredPath, contender: ContenderName, measure: Task['measure']) {
  const task: Task = { contender, measure, address };
  const launch = (end: string) => ({ file: join(__dirname, 'datagram', `${end}.js`), task });
  return { server: launch('server'), client: launch('client') };
}

function goalOn(path: PathName): Goal {
  return { name: NAME, path, rival: 'dgram', unit: '1/s', decimals: 0, betterIs: 'more', atLeast: 3, aim: 8 };
}

runBenchmark(measure, { json: values.json });
