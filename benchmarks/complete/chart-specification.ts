// The chart in vega's own language: scales, the axis, and the marks of each row from back to front.

import { VERDICTS, type Verdict } from '../measuring/rows';
import type { Bar } from './chart';

const ROW_HEIGHT = 25;
const PLOT_WIDTH = 540;
const BAR_HEIGHT = 13;
const MARK_HEIGHT = 19;
/** A width that the letters of the font do not exceed by much, on average. */
const LETTER_WIDTH = 6.5;
const MARGIN = 16;
const HEADER_HEIGHT = 92;
const FOOTER_HEIGHT = 52;
const TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif';
const INK = '#1f2328';
const SOFT = '#59636e';
const FAINT = '#e4e8ec';
const COLOURS: Readonly<Record<Verdict, string>> = {
  'aim reached': '#2da44e',
  'bar reached': '#79b8ff',
  'not reached': '#f0883e',
  'no goal': '#b6bec7',
};

export function specificationOf(bars: readonly Bar[], heading: string, subheading: string): object {
  const left = widest(bars.map(({ name }) => name)) + MARGIN * 2;
  const right = widest(bars.map(({ text }) => text)) + MARGIN * 2;
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    background: 'white',
    padding: { left, right, top: HEADER_HEIGHT, bottom: FOOTER_HEIGHT },
    autosize: 'none',
    width: PLOT_WIDTH,
    height: bars.length * ROW_HEIGHT,
    config: { text: { font: FONT, fontSize: 12, fill: INK, baseline: 'middle' } },
    data: [
      { name: 'bars', values: bars },
      { name: 'key', values: keyOf(left) },
    ],
    scales: [
      { name: 'x', type: 'log', domain: domainOf(bars), range: 'width' },
      { name: 'y', type: 'band', domain: { data: 'bars', field: 'name' }, range: 'height' },
      { name: 'colour', type: 'ordinal', domain: VERDICTS, range: VERDICTS.map((verdict) => COLOURS[verdict]) },
    ],
    axes: [axisOf(domainOf(bars))],
    marks: [...headerOf(heading, subheading, left), ...rowMarks(left, right)],
  };
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length)) * LETTER_WIDTH;
}

/** Everything drawn is inside, and 1 is never at the edge. */
function domainOf(bars: readonly Bar[]): [number, number] {
  const ends = bars.flatMap(({ low, high, atLeast = 1, aim = 1 }) => [low, high, atLeast, aim]);
  return [Math.min(0.5, ...ends) * 0.9, Math.max(2, ...ends) * 1.1];
}

function axisOf([from, to]: [number, number]): object {
  return {
    scale: 'x',
    orient: 'bottom',
    values: TICKS.filter((tick) => tick >= from && tick <= to),
    format: '~g',
    grid: true,
    gridColor: FAINT,
    domain: false,
    ticks: false,
    labelFont: FONT,
    labelFontSize: 11,
    labelColor: SOFT,
    labelPadding: 6,
    title: 'times as good as the rival, logarithmic (↓ less is better: its inverse; without a rival: times the bar)',
    titleFont: FONT,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titleColor: SOFT,
  };
}

function headerOf(heading: string, subheading: string, left: number): readonly object[] {
  const line = (text: string, y: number, style: object): object => ({
    type: 'text',
    encode: { enter: { x: { value: MARGIN - left }, y: { value: y }, text: { value: text }, ...style } },
  });
  return [
    line(heading, MARGIN - HEADER_HEIGHT + 8, { fontSize: { value: 16 }, fontWeight: { value: 'bold' } }),
    line(subheading, MARGIN - HEADER_HEIGHT + 28, { fontSize: { value: 11 }, fill: { value: SOFT } }),
    keyMark('symbol', 'square', { shape: { value: 'square' }, size: { value: 120 }, fill: COLOUR }),
    keyMark('symbol', 'diamond', DIAMOND),
    keyMark('rect', 'tick', {
      xc: KEY_PLACE,
      yc: KEY_LINE,
      width: { value: 2.5 },
      height: { value: MARK_HEIGHT - 4 },
      fill: { value: INK },
    }),
    keyMark('rect', 'range', {
      xc: KEY_PLACE,
      yc: KEY_LINE,
      width: { value: 16 },
      height: { value: 1.2 },
      fill: { value: INK },
    }),
    keyMark('text', undefined, { x: { field: 'x', offset: 13 }, text: { field: 'label' }, fontSize: { value: 11 } }),
  ];
}

const KEY_PLACE = { field: 'x' } as const;
const KEY_LINE = { value: MARGIN - HEADER_HEIGHT + 53 } as const;
const COLOUR = { scale: 'colour', field: 'label' } as const;
const DIAMOND = {
  shape: { value: 'diamond' },
  size: { value: 75 },
  fill: { value: 'white' },
  stroke: { value: INK },
  strokeWidth: { value: 1.5 },
} as const;

/** A mark for each entry of the key that has this sign. */
function keyMark(type: string, sign: string | undefined, style: object): object {
  const shown = sign === undefined ? {} : { opacity: { signal: `datum.sign === '${sign}' ? 1 : 0` } };
  return { type, from: { data: 'key' }, encode: { enter: { x: KEY_PLACE, y: KEY_LINE, ...style, ...shown } } };
}

function keyOf(left: number): readonly object[] {
  const entries = [
    ...VERDICTS.map((label) => ({ label, sign: 'square' })),
    { label: 'at least', sign: 'tick' },
    { label: 'aim', sign: 'diamond' },
    { label: 'range of the pairs', sign: 'range' },
  ];
  let x = MARGIN - left + 8;
  return entries.map((entry) => {
    const place = { ...entry, x };
    x += entry.label.length * LETTER_WIDTH + 34;
    return place;
  });
}

function rowMarks(left: number, right: number): readonly object[] {
  const middle = { scale: 'y', field: 'name', band: 0.5 };
  const at = (field: string): object => ({ scale: 'x', field });
  const one = { scale: 'x', value: 1 };
  const ink = { value: INK };
  const width = (value: number): object => ({ value });
  const mark = (type: string, enter: object): object => ({ type, from: { data: 'bars' }, encode: { enter } });
  const cap = (field: string): object =>
    mark('rect', { xc: at(field), yc: middle, width: width(1.2), height: width(7), fill: ink });
  const ifThere = (field: string): object => ({ opacity: { signal: `isValid(datum.${field}) ? 1 : 0` } });
  return [
    mark('rule', {
      x: { value: MARGIN - left },
      x2: { value: PLOT_WIDTH + right - MARGIN },
      y: { scale: 'y', field: 'name' },
      stroke: { value: FAINT },
    }),
    mark('rect', {
      x: one,
      x2: at('median'),
      yc: middle,
      height: width(BAR_HEIGHT),
      fill: { scale: 'colour', field: 'verdict' },
    }),
    { type: 'rule', encode: { enter: { x: one, y: { value: 0 }, y2: { signal: 'height' }, stroke: ink } } },
    mark('rule', { x: at('low'), x2: at('high'), y: middle, stroke: ink, strokeWidth: width(1.2) }),
    cap('low'),
    cap('high'),
    mark('rect', {
      xc: at('atLeast'),
      yc: middle,
      width: width(2.5),
      height: width(MARK_HEIGHT),
      fill: ink,
      ...ifThere('atLeast'),
    }),
    mark('symbol', { x: at('aim'), y: middle, ...DIAMOND, ...ifThere('aim') }),
    mark('text', { x: { value: -MARGIN }, y: middle, align: { value: 'right' }, text: { field: 'name' } }),
    mark('text', { x: { value: PLOT_WIDTH + MARGIN }, y: middle, text: { field: 'text' } }),
  ];
}
