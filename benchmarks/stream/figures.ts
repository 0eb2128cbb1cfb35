// What is reported: which figures each measurement gives, and how they follow from what the two ends counted.

import type { MeasureName } from './messages';
import type { Observation } from './run';

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly decimals: number;
  readonly betterIs: 'more' | 'less';
  of(observation: Observation, connections: number): number;
}

export const figures: Readonly<Record<MeasureName, readonly Figure[]>> = {
  throughput: [
    {
      name: 'throughput',
      unit: 'Gbit/s',
      decimals: 2,
      betterIs: 'more',
      of: ({ server: { before, after } }) => ((after.bytes - before.bytes) * 8) / (after.at - before.at) / 1e6,
    },
    { name: 'CPU, both ends', unit: 's/GB', decimals: 2, betterIs: 'less', of: cpuPerGigabyte },
  ],
  'round-trip': [
    {
      name: '64 B round trip, p50',
      unit: 'us',
      decimals: 0,
      betterIs: 'less',
      of: ({ client }) => quantile(client.after.roundTrips, 0.5),
    },
    {
      name: '64 B round trip, p99',
      unit: 'us',
      decimals: 0,
      betterIs: 'less',
      of: ({ client }) => quantile(client.after.roundTrips, 0.99),
    },
  ],
  connections: [
    {
      name: 'connect, 64 B request and response, close',
      unit: '1/s',
      decimals: 0,
      betterIs: 'more',
      of: ({ client: { before, after } }) => ((after.requests - before.requests) / (after.at - before.at)) * 1000,
    },
  ],
  idle: [
    {
      name: 'idle connection at the server',
      unit: 'bytes',
      decimals: 0,
      betterIs: 'less',
      of: ({ server: { before, after } }, connections) => (after.memory - before.memory) / connections,
    },
  ],
};

/** Processor time of both ends over what arrived. The two windows differ by a message's way through a pipe. */
function cpuPerGigabyte({ server, client }: Observation): number {
  const time = server.after.cpu - server.before.cpu + client.after.cpu - client.before.cpu;
  return time / ((server.after.bytes - server.before.bytes) / 1e9);
}

function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(Math.floor(sorted.length * fraction), sorted.length - 1)]!;
}
