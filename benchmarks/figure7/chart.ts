// Figure 7 as a picture, a panel for each contender: what the clients got, what each server gave, and the levels of the
// paper, nine tenths of the links of as many servers as there were. Drawn by vega; what stands where is said here.

import { loadPackage } from '../measuring/packages';
import type { Conclusions } from './conclusions';
import type { ContenderName } from './contenders';
import { TITLES } from './figures';

/** An SVG document. `rate` is that of a link in bits a second, `subheading` one line. */
export async function figureOf(
  found: ReadonlyMap<ContenderName, Conclusions>,
  rate: number,
  subheading: string,
): Promise<string> {
  const vega = await loadPackage<Vega>('vega');
  return new vega.View(vega.parse(specificationOf(found, rate, subheading)), { renderer: 'none' }).toSVG();
}

const PANEL_HEIGHT = 110;
const PANEL_GAP = 34;
const WIDTH = 760;
const HEADER = 62;
/** The paper's 1800 Mbit/s of two servers with 1 Gbit/s each (§6.1). */
const PAPER_SHARE = 0.9;
const SERVERS_MOST = 4;

const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif';
const INK = '#1f2328';
const SOFT = '#59636e';
const FAINT = '#e4e8ec';
const TOTAL = '#0969da';
const PAPER = '#cf222e';
const SERVERS = ['#79b8ff', '#a5d6a7', '#ffcc80', '#ce93d8', '#b0bec5'];

export function specificationOf(
  found: ReadonlyMap<ContenderName, Conclusions>,
  rate: number,
  subheading: string,
): object {
  const panels = [...found].map(([contender, conclusions], index) =>
    panelOf(TITLES[contender], conclusions, rate, index),
  );
  const end = Math.max(...[...found.values()].map(({ seconds }) => seconds.length));
  const height = panels.length * (PANEL_HEIGHT + PANEL_GAP);
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    background: 'white',
    padding: { left: 60, right: 20, top: HEADER, bottom: 40 },
    autosize: 'none',
    width: WIDTH,
    height,
    config: { text: { font: FONT, fontSize: 12, fill: INK } },
    scales: [
      { name: 'x', type: 'linear', domain: [0, end], range: [0, WIDTH] },
      { name: 'y', type: 'linear', domain: [0, (rate * SERVERS_MOST) / 1e6], range: [PANEL_HEIGHT, 0] },
      { name: 'server', type: 'ordinal', domain: SERVERS.map((_, index) => index), range: SERVERS },
    ],
    marks: [...header(subheading), ...panels, textMark('seconds', WIDTH / 2, height + 14, { fill: { value: SOFT } })],
  };
}

function header(subheading: string): readonly object[] {
  return [
    textMark('Servers join and leave: 1, 2, 4, 2, 3, and one of them is killed', -44, -44, {
      fontSize: { value: 16 },
      fontWeight: { value: 'bold' },
    }),
    textMark(subheading, -44, -26, { fontSize: { value: 11 }, fill: { value: SOFT } }),
    textMark('Mbit/s: all servers (line), each of them (stacked); the levels of the paper (dashed)', -44, -10, {
      fontSize: { value: 11 },
    }),
  ];
}

function panelOf(title: string, { seconds, phases, killedAt }: Conclusions, rate: number, index: number): object {
  const points = seconds.map(({ at, total }) => ({ at: at + 0.5, total: total / 1e6 }));
  const parts = seconds.flatMap(({ at, servers }) =>
    servers.map((bits, server) => ({ at, server, bits: bits / 1e6, under: sumBefore(servers, server) / 1e6 })),
  );
  const levels = phases.map(({ begin, end, servers }) => {
    return { begin, end, level: (servers * rate * PAPER_SHARE) / 1e6 };
  });
  const at = (field: string): object => ({ scale: 'x', field });
  const up = (field: string): object => ({ scale: 'y', field });
  return {
    type: 'group',
    encode: {
      enter: {
        y: { value: index * (PANEL_HEIGHT + PANEL_GAP) + PANEL_GAP / 2 },
        width: { value: WIDTH },
        height: { value: PANEL_HEIGHT },
      },
    },
    data: [
      { name: 'points', values: points },
      { name: 'parts', values: parts },
      { name: 'levels', values: levels },
    ],
    axes: [axis('left', 'y'), axis('bottom', 'x')],
    marks: [
      mark('rect', 'parts', {
        x: at('at'),
        x2: { scale: 'x', signal: 'datum.at + 1' },
        y: { scale: 'y', signal: 'datum.under' },
        y2: { scale: 'y', signal: 'datum.under + datum.bits' },
        fill: { scale: 'server', field: 'server' },
        fillOpacity: { value: 0.55 },
      }),
      mark('line', 'points', {
        x: at('at'),
        y: up('total'),
        stroke: { value: TOTAL },
        strokeWidth: { value: 2 },
        interpolate: { value: 'monotone' },
      }),
      mark('rule', 'levels', {
        x: at('begin'),
        x2: at('end'),
        y: up('level'),
        stroke: { value: PAPER },
        strokeWidth: { value: 1.5 },
        strokeDash: { value: [5, 3] },
      }),
      textMark(title, 6, -4, { fontWeight: { value: 'bold' } }),
      { ...textMark('kill -9', 0, -4, { fill: { value: PAPER } }), encode: killed(killedAt) },
    ],
  };
}

function killed(at: number): object {
  const place = { x: { scale: 'x', value: at }, y: { value: -4 }, text: { value: 'kill -9' } };
  return { enter: { ...place, fill: { value: PAPER }, fontSize: { value: 11 } } };
}

function axis(orient: string, scale: string): object {
  const plain = { domain: false, ticks: false, labelFont: FONT, labelColor: SOFT, gridColor: FAINT };
  return { orient, scale, grid: orient === 'left', tickCount: orient === 'left' ? 4 : 15, ...plain };
}

function mark(type: string, data: string, enter: object): object {
  return { type, from: { data }, encode: { enter } };
}

function textMark(text: string, x: number, y: number, style: object): object {
  return { type: 'text', encode: { enter: { x: { value: x }, y: { value: y }, text: { value: text }, ...style } } };
}

function sumBefore(values: readonly number[], index: number): number {
  return values.slice(0, index).reduce((sum, value) => sum + value, 0);
}

/** What is used of vega. */
interface Vega {
  parse(specification: object): object;
  readonly View: new (runtime: object, options: { readonly renderer: 'none' }) => { toSVG(): Promise<string> };
}
