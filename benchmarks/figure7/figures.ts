// The rows of figure7: what serval is to reach, and the same figures of those that its users would have instead.

import { type Goal, type Row, rowOf } from '../measuring/rows';
import type { Conclusions } from './conclusions';
import type { ContenderName } from './contenders';

interface Figure extends Pick<Goal, 'name' | 'unit' | 'decimals' | 'betterIs' | 'atLeast' | 'aim'> {
  of(found: Conclusions): number;
}

const FIGURES: readonly Figure[] = [
  {
    name: 'one server',
    unit: 'Mbit/s',
    decimals: 1,
    betterIs: 'more',
    of: ({ oneHost }) => oneHost / 1e6,
  },
  {
    name: 'total, off 2:4:2:3 servers',
    unit: '',
    decimals: 3,
    betterIs: 'less',
    atLeast: 0.05,
    aim: 0.02,
    of: ({ deviation }) => deviation,
  },
  {
    name: 'requests failed at joins and leaves',
    unit: '',
    decimals: 0,
    betterIs: 'less',
    atLeast: 0,
    of: ({ failed }) => failed,
  },
  {
    name: 'fairness, the worst second',
    unit: '',
    decimals: 4,
    betterIs: 'more',
    atLeast: 0.98,
    aim: 0.99,
    of: ({ worstFairness }) => worstFairness,
  },
  {
    name: 'fairness, the median second',
    unit: '',
    decimals: 4,
    betterIs: 'more',
    of: ({ medianFairness }) => medianFairness,
  },
  {
    name: 'first request on a new server',
    unit: 'ms',
    decimals: 1,
    betterIs: 'less',
    atLeast: 10,
    of: ({ firstRequest }) => firstRequest,
  },
  {
    name: 'bytes through the router',
    unit: '%',
    decimals: 3,
    betterIs: 'less',
    atLeast: 0.1,
    of: ({ carried }) => carried * 100,
  },
  {
    name: 'kill -9: last failed request begun',
    unit: 'ms',
    decimals: 0,
    betterIs: 'less',
    atLeast: 1000,
    aim: 100,
    of: ({ afterKill }) => afterKill.lastLater,
  },
];

export const TITLES: Readonly<Record<ContenderName, string>> = {
  serval: 'serval',
  haproxy: 'HAProxy, TCP',
  nginx: 'nginx, stream',
  dns: 'DNS round robin',
};

/** Figure by figure: serval's row, which is judged, and below it the same of the others. */
export function rowsOf(found: ReadonlyMap<ContenderName, Conclusions>, path: string): Row[] {
  return FIGURES.flatMap(({ of, atLeast, aim, ...figure }) =>
    [...found].map(([contender, conclusions]) => {
      const name = contender === 'serval' ? figure.name : `${figure.name}, ${TITLES[contender]}`;
      const bar = atLeast === undefined ? {} : { atLeast };
      const goals = contender === 'serval' ? { ...bar, ...(aim === undefined ? {} : { aim }) } : {};
      return rowOf({ ...figure, name, path, rival: '', ...goals }, [of(conclusions)]);
    }),
  );
}
