// The rows of figure10: what serval is to reach. Its rivals have no row: of most moves they have no figure.

import { quantile } from '../measuring/rounds';
import { type Row, rowOf } from '../measuring/rows';
import { type Conclusions, MOVER_TITLES } from './conclusions';
import { ROUND_TRIP } from './lab';
import type { Mover } from './moves';

/** Serval's, with the cells of MPTCP beside it where they recovered. */
export function rowsOf(serval: readonly Conclusions[], mptcp: readonly Conclusions[]): Row[] {
  const movers = [...new Set(serval.map(({ mover }) => mover))];
  return movers.flatMap((mover) => {
    // Where nothing recovered there is nothing but that to tell.
    const cells = serval.filter((each) => each.mover === mover);
    const rivals = mptcp.filter((each) => each.mover === mover);
    return [
      ...cells.filter(({ recovered }) => recovered > 0).flatMap((cell) => cellRows(cell, rivals)),
      ...wholeRows(mover, cells),
    ];
  });
}

const PLAIN = { rival: '', unit: 'ms', decimals: 1, betterIs: 'less' } as const;

/** Each direction, with all moves: their range ends with the p99 of fifty. */
function cellRows(cell: Conclusions, rivals: readonly Conclusions[]): readonly Row[] {
  const path = `${cell.darkness} ms dark`;
  const goals = cell.mover === 'both' ? {} : { atLeast: ONE_MOVES, aim: EVENT_AIM };
  const rival = rivals.find(({ darkness }) => darkness === cell.darkness);
  return (['toClient', 'toServer'] as const).map((direction) => {
    const name = `${MOVER_TITLES[cell.mover]}, ${DIRECTION_TITLES[direction]}`;
    return rowOf({ ...PLAIN, ...goals, name, path }, cell[direction].all, rival?.[direction].all);
  });
}

function wholeRows(mover: Mover, cells: readonly Conclusions[]): readonly Row[] {
  const title = MOVER_TITLES[mover];
  const worst = quantile(
    cells.flatMap((cell) => cell.worse.all),
    0.99,
  );
  const moves = cells.reduce((sum, cell) => sum + cell.moves, 0);
  const recovered = cells.reduce((sum, cell) => sum + cell.recovered, 0);
  const lost = cells.reduce((sum, cell) => sum + cell.lost, 0);
  return [
    rowOf({ ...PLAIN, name: `${title}, p99 of all`, path: '', atLeast: mover === 'both' ? BOTH_MOVE : ONE_MOVES }, [
      worst,
    ]),
    rowOf({ ...PLAIN, name: `${title}, recovered`, path: '', unit: '', decimals: 3, betterIs: 'more', atLeast: 1 }, [
      recovered / moves,
    ]),
    rowOf({ ...PLAIN, name: `${title}, bytes lost`, path: '', unit: '', decimals: 0, atLeast: 0 }, [lost]),
  ];
}

const DIRECTION_TITLES = { toClient: 'to the client', toServer: 'to the server' } as const;
/** Milliseconds. */
const EVENT_AIM = 1.5 * ROUND_TRIP + 10;
const ONE_MOVES = 100;
const BOTH_MOVE = 2000;
