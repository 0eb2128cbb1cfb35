// What benchmarks conclude from their figures, and that the package never gets what only they need.

import { existsSync, readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hasFallen, limitOf, readAccepted } from '../../benchmarks/ci/accepted';
import { steps } from '../../benchmarks/ci/steps';
import { barOf } from '../../benchmarks/complete/chart';
import { plan, SECONDS_MAXIMUM } from '../../benchmarks/complete/plan';
import type { Mark } from '../../benchmarks/measuring/measured-program';
import { alternate } from '../../benchmarks/measuring/pairs';
import { quantile } from '../../benchmarks/measuring/rounds';
import { type Goal, rowOf, verdictOf } from '../../benchmarks/measuring/rows';
import { tableOf } from '../../benchmarks/measuring/table';
import type { Observation } from '../../benchmarks/measuring/two-ends';
import { figures, goalOf } from '../../benchmarks/stream/figures';
import { answerDigest, transferAll } from '../../benchmarks/stream/verified-transfer';

const rate: Goal = {
  name: 'rate',
  path: 'veth',
  rival: 'net',
  unit: '1/s',
  decimals: 0,
  betterIs: 'more',
  atLeast: 1,
  aim: 2,
};
const latency: Goal = { ...rate, name: 'latency', unit: 'us', betterIs: 'less', atLeast: 1, aim: 0.5 };
const alone: Goal = { ...rate, name: 'lookups', path: '', rival: '', atLeast: 2e6, aim: 10e6 };

describe('rows', () => {
  it('compare within pairs, not the medians of both sides', () => {
    expect(rowOf(rate, [10, 100, 1000], [10, 50, 4000]).judged).toEqual({ minimum: 0.25, median: 1, maximum: 2 });
  });

  it.each([
    [rate, 0.9, 'not reached'],
    [rate, 1, 'bar reached'],
    [rate, 2, 'aim reached'],
    [latency, 1.1, 'not reached'],
    [latency, 1, 'bar reached'],
    [latency, 0.5, 'aim reached'],
  ] as const)('%# are judged by the median in the direction that is better', (goal, value, verdict) => {
    expect(verdictOf(rowOf(goal, [value, value, 100 * value], [1, 1, 1]))).toBe(verdict);
  });

  it('without a rival are judged by themselves, without a goal not at all', () => {
    expect(verdictOf(rowOf(alone, [3e6]))).toBe('bar reached');
    const { atLeast: _bar, aim: _aim, ...told } = rate;
    expect(verdictOf(rowOf(told, [1], [1]))).toBe('no goal');
  });

  it('that never reach a number reach nothing', () => {
    expect(verdictOf(rowOf(latency, [Number.NaN], [1]))).toBe('not reached');
  });

  it('stand in a table with both sides, the ratio, the goal and why one was skipped', () => {
    const table = tableOf([rowOf(latency, [10, 20, 30], [20, 20, 20])], [{ ...rate, reason: 'it needs root' }]);
    const [, row, skipped] = table.split('\n').map((line) => line.split(/ {3,}/));
    expect(row).toEqual(['latency, veth', '20', '20 net', 'us', '1.00 [0.50-1.50]', '<= 1', '<= 0.5', 'bar reached']);
    expect(skipped).toEqual(['rate, veth', 'skipped: it needs root']);
  });
});

it('contenders take turns, and every second round the other way about', async () => {
  const order: string[] = [];
  const found = await alternate(['a', 'b'], 3, async (name, round) => {
    order.push(name);
    return `${name}${round}`;
  });
  expect(order.join('')).toBe('abbaab');
  expect(found).toEqual({ a: ['a0', 'a1', 'a2'], b: ['b0', 'b1', 'b2'] });
});

it('quantiles are of the sorted values', () => {
  const values = Array.from({ length: 100 }, (_, index) => 99 - index);
  expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([50, 99, 99]);
  expect(quantile([], 0.5)).toBeNaN();
});

describe('the chart', () => {
  it('shows what should be small the other way about, with its goal', () => {
    const bar = barOf(rowOf(latency, [1, 2, 4], [4, 4, 4]));
    expect(bar).toMatchObject({ median: 2, low: 1, high: 4, atLeast: 1, aim: 2, text: '0.50 × net' });
  });

  it('shows a figure without a rival as how many times the bar it is', () => {
    expect(barOf(rowOf(alone, [1e6, 4e6, 5e6]))).toMatchObject({ median: 2, low: 0.5, high: 2.5, atLeast: 1, aim: 5 });
  });
});

describe('the reduced run', () => {
  const accepted = { machine: 'some', ratios: { 'rate, veth': 4, 'latency, veth': 0.5 } };

  it('fails below half of what was accepted', () => {
    expect(hasFallen(rowOf(rate, [2], [1]), accepted)).toBe(false);
    expect(hasFallen(rowOf(rate, [1.99], [1]), accepted)).toBe(true);
    expect(hasFallen(rowOf(latency, [1], [1]), accepted)).toBe(false);
    expect(hasFallen(rowOf(latency, [1.01], [1]), accepted)).toBe(true);
    expect(hasFallen(rowOf(rate, [Number.NaN], [1]), accepted)).toBe(true);
  });

  it('does not judge what nobody accepted', () => {
    expect(limitOf(rowOf({ ...rate, name: 'new' }, [0.1], [1]), accepted)).toBeUndefined();
  });

  it('measures every row that was accepted', () => {
    const measured = steps.flatMap(({ rows }) => rows).map((name) => `${name}, veth`);
    expect(Object.keys(readAccepted().ratios).toSorted()).toEqual(measured.toSorted());
  });
});

it('the complete run is made of what is there, and fits in its time', () => {
  expect(plan.filter(({ name }) => !existsSync(`benchmarks/${name}.ts`))).toEqual([]);
  expect(plan.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThan(SECONDS_MAXIMUM);
});

describe('figures of streams', () => {
  const mark = { at: 0, cpu: 0, bytes: 0, operations: 0, memory: 0, roundTrips: [], streams: [] };

  function observed(before: Partial<Mark>, after: Partial<Mark>): Observation {
    const both = { before: { ...mark, ...before }, after: { ...mark, at: 1000, ...after } };
    return { carrier: 'udp', server: both, client: both, kernel: { before: 1e6, after: 3e6 } };
  }

  it.each([
    ['throughput', 0, observed({ bytes: 1e9 }, { bytes: 2e9 }), 8],
    ['throughput', 1, observed({ bytes: 1e9, cpu: 1 }, { bytes: 2e9, cpu: 2 }), 2],
    ['parallel', 1, observed({ streams: [5, 5] }, { streams: [15, 15] }), 1],
    ['parallel', 1, observed({ streams: [5, 5, 5, 5] }, { streams: [5, 5, 25, 5] }), 0.25],
    ['messages', 0, observed({ operations: 10 }, { operations: 30 }), 20],
    ['idle', 0, observed({ memory: 1e6 }, { memory: 2e6 }), 1000],
    ['idle', 1, observed({ memory: 1e6 }, { memory: 2e6 }), 2000],
  ] as const)('%s, figure %i', (measure, index, observation, value) => {
    expect(figures[measure][index]!.of(observation, 1000)).toBeCloseTo(value);
  });

  it('have goals on the paths that have one', () => {
    expect(goalOf(figures.throughput[0]!, 'wire', 'net')).toMatchObject({ rival: 'net', atLeast: 0.8, aim: 0.95 });
    expect(goalOf(figures.throughput[1]!, 'wire', 'net')).not.toHaveProperty('atLeast');
    expect(goalOf(figures.parallel[1]!, 'veth', 'net')).toMatchObject({ rival: '', atLeast: 0.95 });
  });
});

describe('the untimed transfer', () => {
  const SIZES = [100_000, 5, 1];

  /** Connections on which the client's bytes go through `carry`. */
  function connectThrough(carry: (chunk: Buffer) => Buffer): () => Duplex {
    return () => {
      const [client, server] = pair(carry);
      answerDigest(server);
      return client;
    };
  }

  /** What is written to one comes out of the other. */
  function pair(carry: (chunk: Buffer) => Buffer): readonly [Duplex, Duplex] {
    const make = (other: () => Duplex, change: (chunk: Buffer) => Buffer): Duplex =>
      new Duplex({
        read: () => {},
        write: (chunk, _encoding, done) => {
          other().push(change(chunk));
          done();
        },
        final: (done) => {
          other().push(null);
          done();
        },
      });
    const client = make(() => server, carry);
    const server: Duplex = make(
      () => client,
      (chunk) => chunk,
    );
    return [client, server];
  }

  it('passes when every byte arrives', async () => {
    await transferAll(
      connectThrough((chunk) => chunk),
      SIZES,
    );
  });

  it('fails when one bit is another', async () => {
    const flip = (chunk: Buffer): Buffer => {
      if (chunk.length < 100_000) return chunk;
      const changed = Buffer.from(chunk);
      changed[77_777]! ^= 1;
      return changed;
    };
    await expect(transferAll(connectThrough(flip), SIZES)).rejects.toThrow('100000 bytes did not arrive as they were');
  });

  it('fails when two bytes are the other way about', async () => {
    const swap = (chunk: Buffer): Buffer => (chunk.length === 5 ? Buffer.from(chunk).reverse() : chunk);
    await expect(transferAll(connectThrough(swap), SIZES)).rejects.toThrow('5 bytes did not arrive');
  });
});

describe('packages of the benchmarks', () => {
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string>>;
  const theirs = read('benchmarks/package.json')['dependencies']!;

  it('are exact, and none is one of the package or of its development', () => {
    const { dependencies = {}, devDependencies = {} } = read('package.json');
    expect(Object.values(theirs).filter((version) => !/^\d+\.\d+\.\d+/.test(version))).toEqual([]);
    expect(Object.keys(theirs).filter((name) => name in dependencies || name in devDependencies)).toEqual([]);
  });

  it('are what their lockfile has', () => {
    const lockfile = read('benchmarks/package-lock.json')['packages'] as unknown as Record<string, typeof theirs>;
    expect(lockfile['']!['dependencies']).toEqual(theirs);
  });
});
