// What is reported: which figures each measurement gives, how they follow from what the two ends counted, and what they
// are to reach.

import type { PathName } from '../measuring/paths';
import { quantile } from '../measuring/rounds';
import type { Goal } from '../measuring/rows';
import type { Observation } from '../measuring/two-ends';
import { type MeasureName, PARALLEL_STREAMS } from './task';

/** The bar and the aim. */
type Marks = readonly [atLeast: number, aim: number];

export interface Figure extends Pick<Goal, 'name' | 'unit' | 'decimals' | 'betterIs'> {
  /** On one path, or wherever it is measured. */
  readonly goals?: Marks | Partial<Readonly<Record<string, Marks>>>;
  /** serval's own figure is judged, not the ratio. */
  readonly isAbsolute?: true;
  of(observation: Observation, connections: number): number;
}

/** Paths on which a measurement is made when none is named. */
export const pathsOf: Readonly<Record<MeasureName, readonly PathName[]>> = {
  throughput: ['veth', 'loopback', 'veth9000', 'wire', '1gbit'],
  parallel: ['veth'],
  'round-trip': ['veth'],
  spin: ['veth'],
  connections: ['veth'],
  messages: ['veth'],
  idle: ['veth'],
};

const bulk = {
  veth: [1.0, 1.5],
  loopback: [1.2, 1.8],
  veth9000: [1.1, 1.5],
  wire: [0.8, 0.95],
  '1gbit': [0.97, 0.985],
} as const satisfies Record<PathName, Marks>;

const rate = { unit: 'Gbit/s', decimals: 2, betterIs: 'more', of: gigabits } as const;
const latency = { unit: 'us', decimals: 0, betterIs: 'less' } as const;
const perSecond = { unit: '1/s', decimals: 0, betterIs: 'more', of: operations } as const;
const memory = { unit: 'bytes', decimals: 0, betterIs: 'less' } as const;

export const figures: Readonly<Record<MeasureName, readonly Figure[]>> = {
  throughput: [
    { ...rate, name: 'throughput', goals: bulk },
    {
      name: 'CPU of both ends',
      unit: 's/GB',
      decimals: 2,
      betterIs: 'less',
      goals: { veth: [1.3, 0.9] },
      of: cpuPerGigabyte,
    },
  ],
  parallel: [
    { ...rate, name: `${PARALLEL_STREAMS} streams, sum`, goals: [1.0, 1.3] },
    {
      name: `${PARALLEL_STREAMS} streams, Jain index`,
      unit: '',
      decimals: 3,
      betterIs: 'more',
      goals: [0.95, 0.99],
      isAbsolute: true,
      of: fairness,
    },
  ],
  'round-trip': [
    { ...latency, name: '64 B round trip, p50', goals: [1.0, 0.8], of: roundTrip(0.5) },
    { ...latency, name: '64 B round trip, p99', goals: [1.2, 0.8], of: roundTrip(0.99) },
  ],
  spin: [{ ...latency, name: '64 B round trip with spin, p50', goals: [0.25, 0.12], of: roundTrip(0.5) }],
  connections: [{ ...perSecond, name: 'connect, 64 B and back, close', goals: [4, 9] }],
  messages: [{ ...perSecond, name: '64 B messages over 256 connections', goals: [4, 12] }],
  idle: [
    { ...memory, name: 'idle connection, resident', goals: [1.0, 0.4], of: idleResident },
    { ...memory, name: 'idle connection, resident and kernel', of: idleInAll },
  ],
};

/** A row's goal: the figure on a path, next to a rival. */
export function goalOf(figure: Figure, path: string, rival: string): Goal {
  const { name, unit, decimals, betterIs, goals } = figure;
  const marks = isMarks(goals) ? goals : goals?.[path];
  const [atLeast, aim] = marks ?? [];
  return {
    name,
    path,
    rival: figure.isAbsolute ? '' : rival,
    unit,
    decimals,
    betterIs,
    ...(atLeast === undefined ? {} : { atLeast }),
    ...(aim === undefined ? {} : { aim }),
  };
}

function isMarks(goals: Figure['goals']): goals is Marks {
  return Array.isArray(goals);
}

function gigabits({ server: { before, after } }: Observation): number {
  return ((after.bytes - before.bytes) * 8) / (after.at - before.at) / 1e6;
}

function operations({ client: { before, after } }: Observation): number {
  return ((after.operations - before.operations) / (after.at - before.at)) * 1000;
}

/** Processor time of both ends over what arrived. The two windows differ by a message's way through a pipe. */
function cpuPerGigabyte({ server, client }: Observation): number {
  const time = server.after.cpu - server.before.cpu + client.after.cpu - client.before.cpu;
  return time / ((server.after.bytes - server.before.bytes) / 1e9);
}

/** Jain's index over what each stream carried: 1 when all had the same, one over their number when one had all. */
function fairness({ server: { before, after } }: Observation): number {
  const shares = after.streams.map((bytes, index) => bytes - (before.streams[index] ?? 0));
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

function roundTrip(fraction: number): Figure['of'] {
  return ({ client }) => quantile(client.after.roundTrips, fraction);
}

function idleResident({ server: { before, after } }: Observation, connections: number): number {
  return (after.memory - before.memory) / connections;
}

/** Of what the kernel took half belongs to the client's end of each connection: both ends are on one machine. */
function idleInAll(observation: Observation, connections: number): number {
  const { before, after } = observation.kernel;
  return idleResident(observation, connections) + (after - before) / 2 / connections;
}
