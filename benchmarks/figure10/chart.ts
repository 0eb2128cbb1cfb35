// Figure 10 as a picture: what the client had received around one move, as the paper draws it, for each of who may move; and
// below it how long the stream stood still beyond the time without a network, by that time.

import {
  axis,
  BLUE,
  canvasOf,
  drawingOf,
  FAINT,
  GREEN,
  INK,
  type LegendEntry,
  legendMarks,
  lineMark,
  ORANGE,
  panel,
  RED,
  SOFT,
  textMark,
} from '../measuring/drawing';
import { STREAM_TITLES, type StreamContender } from '../measuring/movable-streams';
import { type Conclusions, MOVER_TITLES, worseOf } from './conclusions';
import { MOVERS, type Mover } from './moves';

export type Found = ReadonlyMap<StreamContender, readonly Conclusions[]>;

/** `patience` in milliseconds; `subheading` is one line. */
export function figureOf(found: Found, patience: number, subheading: string): Promise<string> {
  return drawingOf(specificationOf(found, patience, subheading));
}

const WIDTH = 760;
const HEIGHT = 190;
const BELOW = 320;
const MARGIN = { left: 64, right: 24, top: 90, bottom: 64 };
const TRACE_WIDTH = 224;
const TRACE_STEP = 268;
const CONTENDER_COLOURS = { serval: BLUE, mptcp: ORANGE, tcp: SOFT } as const;
/** TCP and MPTCP often lie on one another. */
const CONTENDER_DASHES = { serval: [], mptcp: [], tcp: [5, 4] } as const;
const MOVER_COLOURS = { server: BLUE, client: GREEN, both: RED } as const;

export function specificationOf(found: Found, patience: number, subheading: string): object {
  const all = [...found.values()].flat();
  const movers = (Object.keys(MOVERS) as Mover[]).filter((mover) => all.some((each) => each.mover === mover));
  return {
    ...canvasOf(WIDTH, BELOW + HEIGHT, MARGIN),
    marks: [
      ...header(subheading, drawnDarkness(all)),
      ...movers.map((mover, index) => tracePanel(found, mover, index)),
      ...below(found, patience),
    ],
  };
}

function header(subheading: string, darkness: number): readonly object[] {
  const title = 'A host’s only cable goes from one subnet to another';
  const legend = (Object.keys(STREAM_TITLES) as StreamContender[]).map((contender, index) => {
    const dash = CONTENDER_DASHES[contender];
    return { text: STREAM_TITLES[contender], colour: CONTENDER_COLOURS[contender], dash, at: index * 80 };
  });
  return [
    textMark(title, -48, -68, { fontSize: { value: 16 }, fontWeight: { value: 'bold' } }),
    textMark(subheading, -48, -50, { fontSize: { value: 11 }, fill: { value: SOFT } }),
    textMark(`KB that the client has received, ${darkness} ms without a network (shaded):`, -48, -26, small()),
    ...legendMarks(legend, 350, -26),
  ];
}

// ---- around one move ----

/** The one of the paper's stall; another where that was not measured. */
function drawnDarkness(all: readonly Conclusions[]): number {
  return all.some(({ darkness }) => darkness === 300) ? 300 : (all[0]?.darkness ?? 0);
}

function tracePanel(found: Found, mover: Mover, index: number): object {
  const darkness = drawnDarkness([...found.values()].flat());
  const lines = [...found].flatMap(([contender, cells]) => {
    const cell = cells.find((each) => each.mover === mover && each.darkness === darkness);
    return cell === undefined ? [] : [{ contender, cell }];
  });
  const most = Math.max(...lines.flatMap(({ cell }) => cell.trace.map(({ bytes }) => bytes))) / 1000;
  return panel(index * TRACE_STEP, 0, TRACE_WIDTH, HEIGHT, {
    scales: [
      { name: 'x', type: 'linear', domain: [TRACE_FROM, TRACE_TO], range: [0, TRACE_WIDTH] },
      { name: 'y', type: 'linear', domain: [0, most * 1.05], range: [HEIGHT, 0] },
    ],
    data: lines.map(({ contender, cell }) => ({ name: contender, values: traceOf(cell) })),
    axes: [
      axis('left', 'y', 5, { gridColor: FAINT }),
      axis('bottom', 'x', 5, { values: [0, 300, 600, 900, 1200], format: 'd' }),
    ],
    marks: [
      darkMark(lines[0]?.cell.dark ?? 0),
      ...inOrder(lines.map(({ contender }) => contender)).map(traceMark),
      textMark(MOVER_TITLES[mover], 0, -6, { fontWeight: { value: 'bold' } }),
      textMark('ms', TRACE_WIDTH / 2, HEIGHT + 30, { fill: { value: SOFT }, align: { value: 'center' } }),
    ],
  });
}

/** The last one lies on top. */
function inOrder(contenders: readonly StreamContender[]): readonly StreamContender[] {
  return (['mptcp', 'tcp', 'serval'] as const).filter((contender) => contenders.includes(contender));
}

function traceMark(contender: StreamContender): object {
  const dash = { strokeDash: { value: CONTENDER_DASHES[contender] } };
  return lineMark(contender, CONTENDER_COLOURS[contender], { ...dash, interpolate: { value: 'step-after' } });
}

/** What has come stays: a line goes on to the end, also where nothing more came. */
function traceOf({ trace }: Conclusions): readonly object[] {
  const points = trace.map(({ at, bytes }) => ({ x: at, y: bytes / 1000 }));
  const last = points.at(-1);
  return last === undefined ? [] : [...points, { x: TRACE_TO, y: last.y }];
}

function darkMark(dark: number): object {
  return {
    type: 'rect',
    encode: {
      enter: {
        x: { scale: 'x', value: 0 },
        x2: { scale: 'x', value: dark },
        y: { value: 0 },
        y2: { value: HEIGHT },
        fill: { value: FAINT },
      },
    },
  };
}

const TRACE_FROM = -300;
const TRACE_TO = 1200;

// ---- by the time without a network ----

interface Series {
  readonly title: string;
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly cells: readonly Conclusions[];
}

function below(found: Found, patience: number): readonly object[] {
  const series = seriesOf(found);
  const legend: LegendEntry[] = series.map(({ title, colour, dash }, index) => {
    return { text: title, colour, at: index * 180, ...(dash !== undefined && { dash }) };
  });
  const what =
    'ms of silence beyond the time without a network, in the worse direction: median (dot) and p99 (end of the line)';
  return [
    textMark(what, -48, BELOW - 44, small()),
    ...legendMarks(legend, -48, BELOW - 24),
    panel(0, BELOW, WIDTH, HEIGHT, silencePanel(series)),
    textMark('ms without a network', WIDTH / 2, BELOW + HEIGHT + 30, {
      fill: { value: SOFT },
      align: { value: 'center' },
    }),
    textMark(stalledText(found, patience), -48, BELOW + HEIGHT + 52, { ...small(), fill: { value: SOFT } }),
  ];
}

function seriesOf(found: Found): readonly Series[] {
  return [...found].flatMap(([contender, cells]) =>
    (Object.keys(MOVERS) as Mover[]).flatMap((mover): readonly Series[] => {
      const recovered = cells.filter((each) => each.mover === mover && each.recovered > 0);
      if (recovered.length === 0) return [];
      const title = `${STREAM_TITLES[contender]}, ${MOVER_TITLES[mover]}`;
      if (contender === 'serval') return [{ title, colour: MOVER_COLOURS[mover], cells: recovered }];
      return [{ title, colour: ORANGE, cells: recovered, dash: [4, 3] }];
    }),
  );
}

function silencePanel(series: readonly Series[]): object {
  const darknesses = [...new Set(series.flatMap(({ cells }) => cells.map(({ darkness }) => darkness)))];
  const values = series.flatMap(({ cells, colour }, index) =>
    cells.map((cell) => {
      const { median, p99 } = worseOf(cell);
      return { darkness: cell.darkness, index, colour, median, p99: Math.max(p99, median) };
    }),
  );
  const most = Math.max(1000, ...values.map(({ p99 }) => p99)) * 1.3;
  const x = { scale: 'x', field: 'darkness', offset: { scale: 'beside', field: 'index' } };
  return {
    data: [{ name: 'values', values }],
    scales: [
      { name: 'x', type: 'point', domain: darknesses, range: [0, WIDTH], padding: 0.5 },
      { name: 'beside', type: 'point', domain: series.map((_, index) => index), range: [-36, 36] },
      { name: 'y', type: 'log', domain: [10, most], range: [HEIGHT, 0] },
    ],
    axes: [
      axis('left', 'y', 20, { values: [10, 20, 50, 100, 200, 500, 1000, 2000, 5000], format: 'd' }),
      axis('bottom', 'x', 4),
    ],
    marks: [
      {
        type: 'rule',
        from: { data: 'values' },
        encode: {
          enter: {
            x,
            x2: x,
            y: { scale: 'y', field: 'median' },
            y2: { scale: 'y', field: 'p99' },
            stroke: { field: 'colour' },
            strokeWidth: { value: 2 },
          },
        },
      },
      {
        type: 'symbol',
        from: { data: 'values' },
        encode: { enter: { x, y: { scale: 'y', field: 'median' }, fill: { field: 'colour' }, size: { value: 50 } } },
      },
      {
        type: 'text',
        from: { data: 'values' },
        encode: {
          enter: {
            x,
            y: { scale: 'y', field: 'median', offset: 16 },
            text: { signal: "format(datum.median, '.0f')" },
            align: { value: 'center' },
            fontSize: { value: 10 },
            fill: { value: INK },
          },
        },
      },
    ],
  };
}

/** Who has no dot, and why. */
function stalledText(found: Found, patience: number): string {
  const stalled = [...found].flatMap(([contender, cells]) => {
    const movers = (Object.keys(MOVERS) as Mover[]).filter((mover) => {
      const those = cells.filter((each) => each.mover === mover);
      return those.length > 0 && those.every(({ recovered }) => recovered === 0);
    });
    if (movers.length === 0) return [];
    const isAll = movers.length === new Set(cells.map(({ mover }) => mover)).size;
    const when = isAll ? 'whoever moves' : `when ${movers.map((mover) => MOVER_TITLES[mover]).join(', or ')}`;
    return [`${STREAM_TITLES[contender]} ${when}`];
  });
  return stalled.length === 0 ? '' : `Nothing came again within ${patience / 1000} s: ${stalled.join('; ')}.`;
}

function small(): { readonly fontSize: { readonly value: number } } {
  return { fontSize: { value: 11 } };
}
