// One transfer over two paths at once (§4.4), next to the kernel's MPTCP on the same paths: the mixes of simult_flows.sh,
// in both directions. Arguments: [--rounds N] [--json].

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { numberArgument } from './measuring/arguments';
import { alternate } from './measuring/pairs';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import { type Report, type Row, rowOf, type SkippedRow } from './measuring/rows';
import type { EndReport, EndTask } from './multipath/end';
import { type Lab, labMissing, mptcpMissing, openLab, type Place } from './multipath/lab';
import { contentOf, limitOf, MIXES, type Mix, nameOf, TRANSFER_BYTES } from './multipath/mixes';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const DIRECTIONS = ['up', 'down'] as const;
type Direction = (typeof DIRECTIONS)[number];
const expected = createHash('sha256').update(contentOf(TRANSFER_BYTES)).digest('hex');

async function measure(): Promise<Report> {
  const reason = labMissing();
  if (reason !== undefined) {
    return { benchmark: 'multipath', rows: [], skipped: [{ name: 'two paths at once', path: '', reason }] };
  }
  const rows: Row[] = [];
  for (const mix of MIXES) for (const direction of DIRECTIONS) rows.push(await compare(mix, direction));
  clearProgress();
  const missing = mptcpMissing();
  const skipped: SkippedRow[] = missing === undefined ? [] : [{ name: 'MPTCP', path: '', reason: missing }];
  return { benchmark: 'multipath', rows, skipped };
}

async function compare(mix: Mix, direction: Direction): Promise<Row> {
  const contenders = mptcpMissing() === undefined ? (['serval', 'mptcp'] as const) : (['serval'] as const);
  const found = await alternate<'serval' | 'mptcp', number>(contenders, rounds, async (contender, round) => {
    showProgress(`${nameOf(mix)}, ${direction}, pair ${round + 1}, ${contender}`, round / rounds);
    const lab = await openLab(mix);
    try {
      return await transfer(lab, contender, direction);
    } finally {
      lab.close();
    }
  });
  const goal = {
    name: `16 MiB ${direction}`,
    path: nameOf(mix),
    rival: '',
    unit: 's',
    decimals: 2,
    betterIs: 'less',
    atLeast: limitOf(mix),
  } as const;
  return rowOf(goal, found.serval, found.mptcp ?? []);
}

/** Seconds. Throws when what arrived is not what was sent, or did not use both paths. */
async function transfer(lab: Lab, contender: EndTask['contender'], direction: Direction): Promise<number> {
  const task = { contender, direction, address: lab.address };
  const server = start(lab.server, { ...task, end: 'server' });
  let client: ChildProcess | undefined;
  try {
    await reportOf(server);
    const received = direction === 'up' ? reportOf(server) : undefined;
    client = start(lab.client, { ...task, end: 'client' });
    const { seconds, digest } = await reportOf(client);
    const arrived = received === undefined ? digest : (await received).digest;
    if (arrived !== expected) throw new Error(`${contender}: what arrived is not what was sent`);
    // A path that carried next to nothing would make this a comparison of single paths.
    const least = Math.min(...lab.carriedBytes());
    if (least < LEAST_CARRIED) throw new Error(`${contender}: one of the paths carried ${least} bytes only`);
    return seconds!;
  } finally {
    client?.disconnect();
    server.disconnect();
    await Promise.all([client, server].map((child) => child && child.exitCode === null && once(child, 'exit')));
  }
}

function start({ command, environment }: Place, task: EndTask): ChildProcess {
  const wrapped = task.contender === 'mptcp' ? ['mptcpize', 'run', process.execPath] : [process.execPath];
  const [first, ...rest] = [...command, ...wrapped, join(__dirname, 'multipath', 'end.js'), JSON.stringify(task)];
  return spawn(first!, rest, { stdio: ['ignore', 2, 2, 'ipc'], env: { ...process.env, ...environment } });
}

async function reportOf(child: ChildProcess): Promise<EndReport> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`an end of the transfer exited with ${code}`);
  });
  ended.catch(() => {});
  const [report] = (await Promise.race([once(child, 'message'), ended])) as [EndReport];
  return report;
}

/** The slower path's share is a quarter, but the faster one may be better off without it towards the end. */
const LEAST_CARRIED = TRANSFER_BYTES / 50;

runBenchmark(measure, { json: values.json });
