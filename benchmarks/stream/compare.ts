// A comparison of streams on one path: an untimed transfer of each contender first, then measurement by measurement.

import { join } from 'node:path';
import { alternate } from '../measuring/pairs';
import type { MeasuredPath } from '../measuring/paths';
import type { Launch } from '../measuring/program';
import { type Row, rowOf } from '../measuring/rows';
import { observe, verify } from '../measuring/two-ends';
import { figures, goalOf } from './figures';
import type { MeasureName, Task } from './task';

export interface ComparisonOptions {
  /** The compiled file that exports `contenders`; serval is one of them. */
  readonly contenders: string;
  readonly rival: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Opened to measure the memory of an idle one. */
  readonly connections: number;
  readonly measures: readonly MeasureName[];
  /** Where to leave profiles of all processes; what is measured with them is not worth reporting. */
  readonly profiles?: string | undefined;
}

export interface Comparison {
  /** What carried serval's packets. */
  readonly carrier: string;
  readonly rows: readonly Row[];
}

/** `progress` is told what is being measured, and how far it is from 0 to 1. */
export async function compareStreams(
  path: MeasuredPath,
  options: ComparisonOptions,
  progress: (text: string, done: number) => void,
): Promise<Comparison> {
  const names = ['serval', options.rival];
  const { measures, rounds, seconds, connections } = options;
  const steps = names.length * (1 + measures.length * rounds);
  let step = 0;
  let carrier = '';
  for (const contender of names) {
    progress(`${path.name}, SHA-256, ${contender}`, step++ / steps);
    await verify({ path, ...launches(path, options, contender, 'verify') });
    if (measures.includes('spin')) await verify({ path, ...launches(path, options, contender, 'verify', SPINNING) });
  }
  const rows: Row[] = [];
  for (const measure of measures) {
    const found = await alternate(names, rounds, async (contender, round) => {
      progress(`${path.name}, ${measure}, pair ${round + 1}, ${contender}`, step++ / steps);
      const during = measure === 'idle' ? 'idling' : { seconds: measure === 'parallel' ? seconds * FAIR : seconds };
      const observation = await observe({ path, during, ...launches(path, options, contender, measure) });
      if (contender === 'serval') carrier = observation.carrier;
      return figures[measure].map((figure) => figure.of(observation, connections));
    });
    for (const [index, figure] of figures[measure].entries()) {
      const [serval, rivals] = names.map((name) => found[name]!.map((values) => values[index]!));
      rows.push(rowOf(goalOf(figure, path.name, options.rival), serval!, rivals));
    }
  }
  return { carrier, rows };
}

function launches(
  path: MeasuredPath,
  { contenders, connections, profiles }: ComparisonOptions,
  contender: string,
  measure: Task['measure'],
  environment: Launch['environment'] = measure === 'spin' ? SPINNING : {},
): { readonly server: Launch; readonly client: Launch } {
  const warmUpBytes = path.name === '1gbit' ? WARM_UP_SHAPED : WARM_UP_BYTES;
  const task: Task = { contenders, contender, measure, address: path.serverAddress, connections, warmUpBytes };
  const launch = (end: 'server' | 'client'): Launch => ({
    file: join(__dirname, `${end}.js`),
    task,
    environment,
    nodeArguments: [
      ...(measure === 'idle' ? ['--expose-gc'] : []),
      ...(profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles]),
      ...(profiles === undefined ? [] : ['--cpu-prof-name', `${path.name}-${measure}-${contender}-${end}.cpuprofile`]),
    ],
  });
  return { server: launch('server'), client: launch('client') };
}

/** Enough for the code to be compiled and for windows to grow; on a shaped path it would take four seconds. */
const WARM_UP_BYTES = 500e6;
const WARM_UP_SHAPED = 100e6;
/** Times the measured time of others: over how long streams are to have had the same. */
const FAIR = 3;
/** Microseconds that serval polls after traffic; nobody else reads it. */
const SPINNING = { SERVAL_SPIN: '50' };
