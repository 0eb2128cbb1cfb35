// Figure 10 as a picture: what the client had received around one move, as the paper draws it, for each of who may move; and
// below it how long the stream stood still beyond the time without a network, by that time.

import { canvasOf, drawingOf, legendMarks, SMALL, SOFT, textMark } from '../measuring/drawing';
import { STREAM_TITLES, type StreamContender } from '../measuring/movable-streams';
import type { Found } from './conclusions';
import { MOVERS, type Mover } from './moves';
import { SILENCE_HEIGHT, silenceMarks } from './silence-panel';
import { CONTENDER_COLOURS, CONTENDER_DASHES, drawnDarkness, tracePanel } from './trace-panels';

/** `patience` in milliseconds; `subheading` is one line. */
export function figureOf(found: Found, patience: number, subheading: string): Promise<string> {
  return drawingOf(specificationOf(found, patience, subheading));
}

const WIDTH = 760;
const BELOW = 320;
const MARGIN = { left: 64, right: 24, top: 90, bottom: 64 };

export function specificationOf(found: Found, patience: number, subheading: string): object {
  const all = [...found.values()].flat();
  const movers = (Object.keys(MOVERS) as Mover[]).filter((mover) => all.some((each) => each.mover === mover));
  return {
    ...canvasOf(WIDTH, BELOW + SILENCE_HEIGHT, MARGIN),
    marks: [
      ...header(subheading, drawnDarkness(all)),
      ...movers.map((mover, index) => tracePanel(found, mover, index)),
      ...silenceMarks(found, patience, WIDTH, BELOW),
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
    textMark(`KB that the client has received, ${darkness} ms without a network (shaded):`, -48, -26, SMALL),
    ...legendMarks(legend, 350, -26),
  ];
}
