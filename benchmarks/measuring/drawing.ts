// Pictures drawn by vega: what stands where is said by each figure, this has their common hand.

import { loadPackage } from './packages';

/** An SVG document; wants a package that is not installed everywhere. */
export async function drawingOf(specification: object): Promise<string> {
  const vega = await loadPackage<Vega>('vega');
  return new vega.View(vega.parse(specification), { renderer: 'none' }).toSVG();
}

export const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif';
export const INK = '#1f2328';
export const SOFT = '#59636e';
export const FAINT = '#e4e8ec';
export const BLUE = '#0969da';
export const ORANGE = '#d9730d';
export const GREEN = '#1a7f37';
export const RED = '#cf222e';

/** Settings of every drawing: the margin holds axes and headings. */
export function canvasOf(width: number, height: number, margin: Margin): object {
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    background: 'white',
    padding: margin,
    autosize: 'none',
    width,
    height,
    config: { text: { font: FONT, fontSize: 12, fill: INK } },
  };
}

export interface Margin {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The style of what stands beside. */
export const SMALL = { fontSize: { value: 11 } } as const;

export function textMark(text: string, x: number, y: number, style: object = {}): object {
  return { type: 'text', encode: { enter: { x: { value: x }, y: { value: y }, text: { value: text }, ...style } } };
}

/** A name with a piece of its line before it, beginning at `x`. */
export function legendMarks(entries: readonly LegendEntry[], x: number, y: number): readonly object[] {
  return entries.flatMap(({ text, colour, dash, at }) => [
    {
      type: 'rule',
      encode: {
        enter: {
          x: { value: x + at },
          x2: { value: x + at + LEGEND_LINE },
          y: { value: y - LEGEND_RISE },
          stroke: { value: colour },
          strokeWidth: { value: 2 },
          ...(dash === undefined ? {} : { strokeDash: { value: dash } }),
        },
      },
    },
    textMark(text, x + at + LEGEND_LINE + LEGEND_GAP, y, { fontSize: { value: 11 } }),
  ]);
}

export interface LegendEntry {
  readonly text: string;
  readonly colour: string;
  readonly dash?: readonly number[];
  /** How far from the first one. */
  readonly at: number;
}

export function axis(orient: 'left' | 'bottom', scale: string, tickCount: number, others: object = {}): object {
  const plain = { domain: false, ticks: false, labelFont: FONT, labelColor: SOFT, gridColor: FAINT };
  const grid = orient === 'left' ? { grid: true, gridScale: 'x' } : { grid: false };
  return { orient, scale, ...grid, tickCount, ...plain, ...others };
}

export function lineMark(data: string, colour: string, others: object = {}): object {
  return {
    type: 'line',
    clip: true,
    from: { data },
    encode: {
      enter: {
        x: { scale: 'x', field: 'x' },
        y: { scale: 'y', field: 'y' },
        stroke: { value: colour },
        strokeWidth: { value: 1.8 },
        ...others,
      },
    },
  };
}

/** A part of the drawing with a place and scales of its own. */
export function panel(x: number, y: number, width: number, height: number, content: object): object {
  const place = { x: { value: x }, y: { value: y }, width: { value: width }, height: { value: height } };
  return { type: 'group', encode: { enter: place }, ...content };
}

const LEGEND_LINE = 18;
const LEGEND_GAP = 5;
const LEGEND_RISE = 4;

/** What is used of vega. */
interface Vega {
  parse(specification: object): object;
  readonly View: new (runtime: object, options: { readonly renderer: 'none' }) => { toSVG(): Promise<string> };
}
