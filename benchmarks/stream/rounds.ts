// The order of a whole comparison: path by path, and in each round every measurement of one contender directly
// before or behind the same of the other, so that what else the machine does meets both.

import { openPath, type PathName } from '../measuring/paths';
import { type Summary, summarize } from '../measuring/rounds';
import { CONTENDER_NAMES, type ContenderName } from './contenders';
import { type Figure, figures } from './figures';
import type { MeasureName } from './messages';
import { observe } from './run';

export interface ComparisonOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly measures: readonly MeasureName[];
  readonly profiles: string | undefined;
}

/** One line of the table. */
export interface Row {
  readonly path: PathName;
  readonly figure: string;
  readonly unit: string;
  readonly decimals: number;
  readonly betterIs: Figure['betterIs'];
  /** One value a round. */
  readonly serval: readonly number[];
  readonly net: readonly number[];
  /** serval over net, of values of the same round. */
  readonly ratios: Summary;
}

export interface Comparison {
  readonly description: string;
  /** What carried serval's packets. */
  readonly link: string;
  readonly rows: readonly Row[];
}

/** `progress` is told what is being measured, and how far it is from 0 to 1. */
export async function comparePath(
  name: PathName,
  options: ComparisonOptions,
  progress: (text: string, done: number) => void,
): Promise<Comparison> {
  const path = openPath(name);
  try {
    const rows: Row[] = [];
    const steps = options.measures.reduce((sum, measure) => sum + roundsOf(measure, options), 0) * 2;
    let step = 0;
    let link = '';
    for (const measure of options.measures) {
      const values = emptyValues(measure);
      for (let round = 0; round < roundsOf(measure, options); round++) {
        for (const contender of round % 2 === 0 ? CONTENDER_NAMES : CONTENDER_NAMES.toReversed()) {
          progress(`${name}, ${measure}, round ${round + 1}, ${contender}`, step++ / steps);
          const observation = await observe({ ...options, path, contender, measure });
          if (contender === 'serval') link = observation.link;
          for (const [index, figure] of figures[measure].entries()) {
            values[contender][index]!.push(figure.of(observation, options.connections));
          }
        }
      }
      rows.push(...figures[measure].map((figure, index) => rowOf(name, figure, values, index)));
    }
    return { description: path.description, link, rows };
  } finally {
    path.close();
  }
}

/** By contender and figure: one value a round. */
type Values = Readonly<Record<ContenderName, number[][]>>;

function emptyValues(measure: MeasureName): Values {
  return { serval: figures[measure].map(() => []), net: figures[measure].map(() => []) };
}

function rowOf(path: PathName, figure: Figure, values: Values, index: number): Row {
  const { unit, decimals, betterIs } = figure;
  const serval = values.serval[index]!;
  const net = values.net[index]!;
  const ratios = summarize(serval.map((value, round) => value / net[round]!));
  return { path, figure: figure.name, unit, decimals, betterIs, serval, net, ratios };
}

/** Memory does not swing with the load of a machine, and ten thousand handshakes take their time. */
function roundsOf(measure: MeasureName, { rounds }: ComparisonOptions): number {
  return measure === 'idle' ? 1 : rounds;
}
