// Streams of serval next to `node:net`, alternately in one run: throughput, round trip, connections a second,
// processor time, memory. `npm run bench -- stream --help` tells the arguments, benchmarks/README.md the method.

import { parseArgs } from 'node:util';
import { describeMachine, machineLine } from './measuring/machine';
import { isPinned, PATH_NAMES, type PathName, pathMissing } from './measuring/paths';
import { MEASURE_NAMES } from './stream/messages';
import { type Comparison, comparePath } from './stream/rounds';
import { tableOf } from './stream/table';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '10000' },
    path: { type: 'string', default: PATH_NAMES.join(',') },
    measure: { type: 'string', default: MEASURE_NAMES.join(',') },
    profiles: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const USAGE = `npm run bench -- stream [options]
  --rounds N        of each measurement; 4
  --seconds N       measured in each, behind up to 4 s of warm-up; 1
  --connections N   that are opened to measure the memory of an idle one; 10000
  --path LIST       of ${PATH_NAMES.join(', ')}; all
  --measure LIST    of ${MEASURE_NAMES.join(', ')}; all
  --profiles FOLDER leaves a processor profile of each process there (and slows it down)
  --json            prints everything as JSON, every round's value included`;

interface Result {
  readonly path: PathName;
  readonly comparison?: Comparison;
  /** Why there is none. */
  readonly skipped?: string;
}

async function main(): Promise<void> {
  const paths = listOf(values.path, PATH_NAMES, '--path');
  const options = {
    rounds: numberOf(values.rounds, '--rounds'),
    seconds: numberOf(values.seconds, '--seconds'),
    connections: numberOf(values.connections, '--connections'),
    measures: listOf(values.measure, MEASURE_NAMES, '--measure'),
    profiles: values.profiles,
  };
  const machine = describeMachine();
  if (!values.json) console.log(`${machineLine(machine)}${isPinned ? '' : ', not pinned'}`);
  const results: Result[] = [];
  for (const [index, path] of paths.entries()) {
    const skipped = pathMissing(path);
    const progress = (text: string, done: number) => showProgress(text, (index + done) / paths.length);
    const result: Result =
      skipped === undefined ? { path, comparison: await comparePath(path, options, progress) } : { path, skipped };
    showProgress('', 1);
    results.push(result);
    if (!values.json) printResult(result);
  }
  if (values.json) {
    console.log(JSON.stringify({ benchmark: 'stream', machine, isPinned, options, results }, undefined, 2));
  }
}

function printResult({ path, comparison, skipped }: Result): void {
  if (comparison === undefined) return console.log(`\n${path}: skipped, ${skipped}`);
  const { description, link, rows } = comparison;
  console.log(`\n${path} (${description}); serval by ${link}; median [range] over the rounds\n\n${tableOf(rows)}`);
}

/** One line that is written over; only where somebody watches. */
function showProgress(text: string, done: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(text === '' ? '\r\u001b[K' : `\r\u001b[K${Math.round(done * 100)} % ${text}`);
}

function listOf<Name extends string>(text: string, names: readonly Name[], flag: string): Name[] {
  const list = text.split(',');
  for (const name of list) {
    if (!names.includes(name as Name)) throw new RangeError(`${flag} is a list of ${names.join(', ')}; got ${name}`);
  }
  return names.filter((name) => list.includes(name));
}

function numberOf(text: string, flag: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new RangeError(`${flag} must be a number above 0; got ${text}`);
  return number;
}

if (values.help) console.log(USAGE);
else {
  // What was set up goes away on 'exit'.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
