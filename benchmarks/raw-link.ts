// A stream over the raw IP link (protocol 144) at MTU 1500, next to raw sockets with sendmmsg and recvmmsg in C.
// Arguments: [--rounds N] [--seconds N] [--profiles FOLDER] [--json].

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { numberArgument } from './measuring/arguments';
import { hasCommand } from './measuring/namespaces';
import { alternate } from './measuring/pairs';
import { type End, type MeasuredPath, openPath, pathMissing } from './measuring/paths';
import type { Launch } from './measuring/program';
import { clearProgress, showProgress } from './measuring/progress';
import { runBenchmark } from './measuring/report';
import { type Goal, type Report, rowOf } from './measuring/rows';
import { observe, verify } from './measuring/two-ends';
import { NativeStream } from './raw-link/native-stream';
import type { Task } from './stream/task';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
    profiles: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = numberArgument(values.rounds, '--rounds');
const seconds = numberArgument(values.seconds, '--seconds');

const GOAL: Goal = {
  name: 'throughput of the raw IP link',
  path: 'veth',
  rival: 'raw sockets in C',
  unit: 'Mbit/s',
  decimals: 0,
  betterIs: 'more',
  atLeast: 0.6,
  aim: 0.9,
};

async function measure(): Promise<Report> {
  const reason = pathMissing('veth') ?? (hasCommand('cc') ? undefined : 'it needs cc, to compile the rival');
  if (reason !== undefined) {
    return { benchmark: 'raw-link', rows: [], skipped: [{ name: GOAL.name, path: GOAL.path, reason }] };
  }
  const path = openPath('veth');
  const native = new NativeStream();
  try {
    showProgress('SHA-256, serval', 0);
    await verify({ path, ...launches(path, 'verify') });
    const found = await alternate(['serval', 'native'], rounds, (contender, round) => {
      showProgress(`pair ${round + 1}, ${contender}`, round / rounds);
      return contender === 'serval' ? throughput(path) : native.measure(path, seconds);
    });
    clearProgress();
    return { benchmark: 'raw-link', rows: [rowOf(GOAL, found['serval']!, found['native'])], skipped: [] };
  } finally {
    native.close();
    path.close();
  }
}

/** Mbit/s. */
async function throughput(path: MeasuredPath): Promise<number> {
  const { carrier, server } = await observe({ path, during: { seconds }, ...launches(path, 'throughput') });
  if (carrier !== 'raw') throw new Error(`serval sent by ${carrier}`);
  return ((server.after.bytes - server.before.bytes) * 8) / (server.after.at - server.before.at) / 1000;
}

/** The programs of the benchmark of streams, on another link. */
function launches({ serverAddress: address }: MeasuredPath, name: Task['measure']): Record<End, Launch> {
  const contenders = join(__dirname, 'stream', 'contenders.js');
  const contender = 'serval';
  const task: Task = { contenders, contender, measure: name, address, connections: 0, warmUpBytes: WARM_UP_BYTES };
  const launch = (end: End): Launch => ({
    file: join(__dirname, 'stream', `${end}.js`),
    task,
    environment: { SERVAL_LINKS: 'raw' },
    nodeArguments: profilesOf(name, end),
  });
  return { server: launch('server'), client: launch('client') };
}

/** What is measured with them is too low. */
function profilesOf(name: string, end: End): readonly string[] {
  const { profiles } = values;
  if (profiles === undefined || name === 'verify') return [];
  return ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-name', `raw-link-${end}.cpuprofile`];
}

const WARM_UP_BYTES = 300e6;

runBenchmark(measure, { json: values.json });
