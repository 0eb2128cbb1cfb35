// How long the stream stood still beyond the time without a network, by that time: in the direction that was worse off.

import {
  axis,
  BLUE,
  GREEN,
  INK,
  type LegendEntry,
  legendMarks,
  ORANGE,
  panel,
  RED,
  SMALL,
  SOFT,
  textMark,
} from '../measuring/drawing';
import { STREAM_TITLES } from '../measuring/movable-streams';
import { type Conclusions, type Found, MOVER_TITLES } from './conclusions';
import { MOVERS, type Mover } from './moves';

export const SILENCE_HEIGHT = 190;
const TICKS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
const MOVER_COLOURS = { server: BLUE, client: GREEN, both: RED } as const;

interface Series {
  readonly title: string;
  readonly colour: string;
  readonly cells: readonly Conclusions[];
}

/** With its legend above it, from `y` on. `patience` in milliseconds. */
export function silenceMarks(found: Found, patience: number, width: number, y: number): readonly object[] {
  const series = seriesOf(found);
  const legend: LegendEntry[] = series.map(({ title, colour }, index) => {
    return { text: title, colour, at: index * 180 };
  });
  const what =
    'ms of silence beyond the time without a network, in the worse direction: median (dot) and p99 (end of the line)';
  return [
    textMark(what, -48, y - 44, SMALL),
    ...legendMarks(legend, -48, y - 24),
    panel(0, y, width, SILENCE_HEIGHT, silencePanel(series, width)),
    textMark('ms without a network', width / 2, y + SILENCE_HEIGHT + 30, {
      fill: { value: SOFT },
      align: { value: 'center' },
    }),
    textMark(stalledText(found, patience), -48, y + SILENCE_HEIGHT + 52, { ...SMALL, fill: { value: SOFT } }),
  ];
}

function seriesOf(found: Found): readonly Series[] {
  return [...found].flatMap(([contender, cells]) =>
    (Object.keys(MOVERS) as Mover[]).flatMap((mover): readonly Series[] => {
      const recovered = cells.filter((each) => each.mover === mover && each.recovered > 0);
      if (recovered.length === 0) return [];
      const title = `${STREAM_TITLES[contender]}, ${MOVER_TITLES[mover]}`;
      const colour = contender === 'serval' ? MOVER_COLOURS[mover] : ORANGE;
      return [{ title, colour, cells: recovered }];
    }),
  );
}

function silencePanel(series: readonly Series[], width: number): object {
  const darknesses = [...new Set(series.flatMap(({ cells }) => cells.map(({ darkness }) => darkness)))];
  const values = series.flatMap(({ cells, colour }, index) =>
    cells.map((cell) => {
      const { median, p99 } = cell.worse;
      return { darkness: cell.darkness, index, colour, median, p99 };
    }),
  );
  const most = Math.max(1000, ...values.map(({ p99 }) => p99)) * 1.3;
  const x = { scale: 'x', field: 'darkness', offset: { scale: 'beside', field: 'index' } };
  return {
    data: [{ name: 'values', values }],
    scales: [
      { name: 'x', type: 'point', domain: darknesses, range: [0, width], padding: 0.5 },
      { name: 'beside', type: 'point', domain: series.map((_, index) => index), range: [-36, 36] },
      { name: 'y', type: 'log', domain: [10, most], range: [SILENCE_HEIGHT, 0], clamp: true },
    ],
    axes: [
      axis('left', 'y', 20, { values: TICKS.filter((tick) => tick <= most), format: 'd' }),
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
