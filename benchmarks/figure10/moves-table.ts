// The moves of a contender as text: a line for who moves and how long there is no network.

import { textTable } from '../measuring/table';
import { type Conclusions, type Interruption, MOVER_TITLES } from './conclusions';

export function movesTable(found: readonly Conclusions[], patience: number): string {
  const heading = [
    '',
    'dark, ms',
    'to the client: median',
    'p99',
    'to the server: median',
    'p99',
    'recovered',
    'lost bytes',
  ];
  return textTable([heading, ...found.map((each) => cells(each, patience))]);
}

function cells(each: Conclusions, patience: number): readonly string[] {
  const { mover, dark, toClient, toServer, recovered, moves, lost, carried } = each;
  const place = [MOVER_TITLES[mover], dark.toFixed(0)];
  const tally = `${recovered} of ${moves}`;
  if (recovered === 0) return [...place, `nothing within ${patience / 1000} s`, '', '', '', tally, ''];
  return [...place, ...figures(toClient), ...figures(toServer), tally, `${lost} of ${carried}`];
}

function figures({ median, p99 }: Interruption): readonly string[] {
  return [median.toFixed(1), p99.toFixed(1)];
}
