// Rows as a picture: how many times as good as its rival serval is, on a logarithmic axis, one bar for each row, with
// the range of its pairs and what it is to reach. Drawn by vega; what stands where is said here.

import { loadPackage } from '../measuring/packages';
import { type Row, type Verdict, verdictOf } from '../measuring/rows';
import { figureText, nameOf } from '../measuring/table';
import { specificationOf } from './chart-specification';

/** What is drawn of a row. All of it in the direction in which more is better. */
export interface Bar {
  readonly name: string;
  readonly text: string;
  readonly verdict: Verdict;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly atLeast?: number;
  readonly aim?: number;
}

/** An SVG document. `heading` and `subheading` are one line each. */
export async function chartOf(rows: readonly Row[], heading: string, subheading: string): Promise<string> {
  const vega = await loadPackage<Vega>('vega');
  const specification = specificationOf(rows.map(barOf), heading, subheading);
  return new vega.View(vega.parse(specification), { renderer: 'none' }).toSVG();
}

/** Of a figure that should be small the inverse; of one that stands alone how many times the bar it is. */
export function barOf(row: Row): Bar {
  const { betterIs, judged, rival, decimals, unit, atLeast, aim } = row;
  const whole = rival === '' ? (atLeast ?? 1) : 1;
  const good = (value: number): number => (betterIs === 'more' ? value / whole : whole / value);
  const [low, high] = [good(judged.minimum), good(judged.maximum)].sort((a, b) => a - b) as [number, number];
  const figure =
    rival === '' ? `${figureText(judged.median, decimals)} ${unit}` : `${twoDigits(judged.median)} × ${rival}`;
  return {
    name: betterIs === 'more' ? nameOf(row) : `${nameOf(row)} ↓`,
    text: figure.trim(),
    verdict: verdictOf(row),
    median: good(judged.median),
    low,
    high,
    ...(atLeast === undefined ? {} : { atLeast: good(atLeast) }),
    ...(aim === undefined ? {} : { aim: good(aim) }),
  };
}

/** Two digits that mean something, and no more than a ratio has. */
function twoDigits(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** What is used of vega. */
interface Vega {
  parse(specification: object): object;
  readonly View: new (runtime: object, options: { readonly renderer: 'none' }) => { toSVG(): Promise<string> };
}
