// What the moves of a cell come to: how long the stream stood still beyond the time without a network.

import type { StreamContender } from '../measuring/movable-streams';
import { quantile } from '../measuring/rounds';
import { type Cell, isRecovered, type Mover } from './moves';

export interface Conclusions extends Pick<Cell, 'mover' | 'darkness' | 'lost' | 'carried' | 'trace'> {
  readonly moves: number;
  readonly recovered: number;
  /** Milliseconds without a network, in the median. */
  readonly dark: number;
  readonly toClient: Interruption;
  readonly toServer: Interruption;
  /** Of each move the direction that stood still longer. */
  readonly worse: Interruption;
}

export type Found = ReadonlyMap<StreamContender, readonly Conclusions[]>;

/** Milliseconds beyond the time without a network; of the moves that recovered. */
export interface Interruption {
  readonly all: readonly number[];
  readonly median: number;
  readonly p99: number;
}

export function conclude({ mover, darkness, moves, lost, carried, trace }: Cell): Conclusions {
  return {
    mover,
    darkness,
    lost,
    carried,
    trace,
    moves: moves.length,
    recovered: moves.filter(isRecovered).length,
    dark: quantile(
      moves.map(({ dark }) => dark),
      0.5,
    ),
    toClient: interruptionOf(moves.flatMap(({ toClient }) => toClient ?? [])),
    toServer: interruptionOf(moves.flatMap(({ toServer }) => toServer ?? [])),
    worse: interruptionOf(moves.filter(isRecovered).map(({ toClient, toServer }) => Math.max(toClient!, toServer!))),
  };
}

function interruptionOf(values: readonly number[]): Interruption {
  const all = values.map((value) => Math.round(value * 10) / 10);
  return { all, median: quantile(all, 0.5), p99: quantile(all, 0.99) };
}

export const MOVER_TITLES: Readonly<Record<Mover, string>> = {
  server: 'the server moves',
  client: 'the client moves',
  both: 'both move at once',
};
