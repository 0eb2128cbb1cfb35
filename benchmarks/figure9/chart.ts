// Figure 9 as the paper draws it: what each flow carries, over time; a panel for each contender and direction.

import {
  axis,
  BLUE,
  canvasOf,
  drawingOf,
  FAINT,
  legendMarks,
  lineMark,
  ORANGE,
  panel,
  RED,
  SOFT,
  textMark,
} from '../measuring/drawing';
import type { Conclusions } from './conclusions';
import { BIN } from './task';

export interface Panel {
  readonly title: string;
  readonly conclusions: Conclusions;
}

/** `rate` is a line's in bits a second; `subheading` and `note` are one line each. */
export function figureOf(panels: readonly Panel[], rate: number, subheading: string, note: string): Promise<string> {
  return drawingOf(specificationOf(panels, rate, subheading, note));
}

const WIDTH = 760;
const HEIGHT = 120;
const GAP = 40;
/** Bins that one point of a line is the mean of: 100 ms. */
const SMOOTHING = 5;
const MARGIN = { left: 60, right: 20, top: 84, bottom: 62 };

export function specificationOf(panels: readonly Panel[], rate: number, subheading: string, note: string): object {
  const end = Math.max(...panels.map(({ conclusions }) => conclusions.end)) / 1000;
  const height = panels.length * (HEIGHT + GAP);
  return {
    ...canvasOf(WIDTH, height, MARGIN),
    scales: [
      { name: 'x', type: 'linear', domain: [0, Math.floor(end)], range: [0, WIDTH] },
      { name: 'y', type: 'linear', domain: [0, (2.1 * rate) / 1e6], range: [HEIGHT, 0] },
    ],
    marks: [
      ...header(subheading),
      ...panels.map((each, index) => panelOf(each, index)),
      textMark('seconds', WIDTH / 2, height + 22, { fill: { value: SOFT }, align: { value: 'center' } }),
      textMark(note, -44, height + 46, { fontSize: { value: 11 }, fill: { value: SOFT } }),
    ],
  };
}

function header(subheading: string): readonly object[] {
  const title = 'A server takes one of two flows to its other line';
  return [
    textMark(title, -44, -62, { fontSize: { value: 16 }, fontWeight: { value: 'bold' } }),
    textMark(subheading, -44, -44, { fontSize: { value: 11 }, fill: { value: SOFT } }),
    textMark('Mbit/s:', -44, -22, { fontSize: { value: 11 } }),
    ...legendMarks(
      [
        { text: 'the moved flow', colour: BLUE, at: 0 },
        { text: 'the other flow', colour: ORANGE, at: 130 },
        { text: 'both', colour: SOFT, dash: [4, 3], at: 255 },
      ],
      10,
      -22,
    ),
  ];
}

function panelOf({ title, conclusions }: Panel, index: number): object {
  const [moved, other] = conclusions.flows.map(smoothed) as [Point[], Point[]];
  const both = moved.map(({ x, y }, at) => ({ x, y: y + other[at]!.y }));
  const { movedAt } = conclusions;
  return panel(0, index * (HEIGHT + GAP) + GAP / 2, WIDTH, HEIGHT, {
    data: [
      { name: 'moved', values: moved },
      { name: 'other', values: other },
      { name: 'both', values: both },
    ],
    axes: [axis('left', 'y', 4, { gridColor: FAINT }), axis('bottom', 'x', 12)],
    marks: [
      moveMark(movedAt / 1000),
      lineMark('both', SOFT, { strokeDash: { value: [4, 3] }, strokeWidth: { value: 1.4 } }),
      lineMark('other', ORANGE),
      lineMark('moved', BLUE),
      textMark(title, 0, -6, { fontWeight: { value: 'bold' } }),
    ],
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function smoothed(rates: readonly number[]): Point[] {
  return Array.from({ length: Math.floor(rates.length / SMOOTHING) }, (_, at) => {
    const part = rates.slice(at * SMOOTHING, (at + 1) * SMOOTHING);
    const mean = part.reduce((sum, rate) => sum + rate, 0) / SMOOTHING;
    return { x: ((at + 0.5) * SMOOTHING * BIN) / 1000, y: mean };
  });
}

function moveMark(at: number): object {
  const x = { scale: 'x', value: at };
  return {
    type: 'rule',
    encode: {
      enter: {
        x,
        x2: x,
        y: { value: 0 },
        y2: { value: HEIGHT },
        stroke: { value: RED },
        strokeDash: { value: [2, 2] },
      },
    },
  };
}
