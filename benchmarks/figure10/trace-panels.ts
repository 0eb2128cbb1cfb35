// What the client had received around one move, as the paper draws it: a panel for each of who may move.

import { axis, BLUE, FAINT, lineMark, ORANGE, panel, SOFT, textMark } from '../measuring/drawing';
import type { StreamContender } from '../measuring/movable-streams';
import { type Conclusions, type Found, MOVER_TITLES } from './conclusions';
import type { Mover } from './moves';

export const TRACE_HEIGHT = 190;
export const CONTENDER_COLOURS = { serval: BLUE, mptcp: ORANGE, tcp: SOFT } as const;
/** TCP and MPTCP often lie on one another. */
export const CONTENDER_DASHES = { serval: [], mptcp: [], tcp: [5, 4] } as const;

const WIDTH = 224;
const STEP = 268;
/** Milliseconds. */
const FROM = -300;
const TO = 1200;

/** A stall that can be seen; another where that was not measured. */
export function drawnDarkness(all: readonly Conclusions[]): number {
  return all.some(({ darkness }) => darkness === 300) ? 300 : (all[0]?.darkness ?? 0);
}

export function tracePanel(found: Found, mover: Mover, index: number): object {
  const darkness = drawnDarkness([...found.values()].flat());
  const lines = [...found].flatMap(([contender, cells]) => {
    const cell = cells.find((each) => each.mover === mover && each.darkness === darkness);
    return cell === undefined ? [] : [{ contender, cell }];
  });
  const most = Math.max(...lines.flatMap(({ cell }) => cell.trace.map(({ bytes }) => bytes))) / 1000;
  return panel(index * STEP, 0, WIDTH, TRACE_HEIGHT, {
    scales: [
      { name: 'x', type: 'linear', domain: [FROM, TO], range: [0, WIDTH] },
      { name: 'y', type: 'linear', domain: [0, most * 1.05], range: [TRACE_HEIGHT, 0] },
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
      textMark('ms', WIDTH / 2, TRACE_HEIGHT + 30, { fill: { value: SOFT }, align: { value: 'center' } }),
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
  return last === undefined ? [] : [...points, { x: TO, y: last.y }];
}

function darkMark(dark: number): object {
  return {
    type: 'rect',
    encode: {
      enter: {
        x: { scale: 'x', value: 0 },
        x2: { scale: 'x', value: dark },
        y: { value: 0 },
        y2: { value: TRACE_HEIGHT },
        fill: { value: FAINT },
      },
    },
  };
}
