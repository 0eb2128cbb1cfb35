// What figure7 concludes from what it recorded, and the DNS server that one of its contenders asks.

import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { specificationOf } from '../../benchmarks/figure7/chart';
import { conclude, jain } from '../../benchmarks/figure7/conclusions';
import { DnsServer } from '../../benchmarks/figure7/dns-server';
import { rowsOf } from '../../benchmarks/figure7/figures';
import type { Recording } from '../../benchmarks/figure7/recording';
import { BIN, type Failure } from '../../benchmarks/figure7/task';
import { verdictOf } from '../../benchmarks/measuring/rows';

const ORIGIN = 1000;
const PHASE = 5000;
const COUNTS = [[0], [0, 1], [0, 1, 2, 3], [2, 3], [2, 3, 4]];

/** A run in which each server gives `bytesOf` in each bin of the phases that it serves in. */
function recorded(bytesOf: (server: number, phase: number) => number, failures: readonly Failure[] = []): Recording {
  const bins = PHASE / BIN;
  const bytes = Array.from({ length: 5 }, (_, server) =>
    COUNTS.flatMap((servers, phase) => Array(bins).fill(servers.includes(server) ? bytesOf(server, phase) : 0)),
  );
  const phases = COUNTS.map((servers, index) => {
    return { begin: ORIGIN + index * PHASE, end: ORIGIN + (index + 1) * PHASE, servers };
  });
  const end = ORIGIN + COUNTS.length * PHASE;
  return {
    contender: 'serval',
    origin: ORIGIN,
    phases,
    joins: [
      { server: 1, listeningAt: 2000, firstConnectionAt: 2005 },
      { server: 4, listeningAt: 3000, firstConnectionAt: 3012 },
    ],
    killed: { at: end, server: 2 },
    end,
    clients: [{ bytes, answered: [100, 1], failures }],
    probes: [{ probes: [{ startedAt: 0, connected: 3, server: 0 }], failures: [] }],
    observed: Array.from({ length: 25 }, () => ({ idle: 0.5, carried: 10 })),
  };
}

describe('figure7 concludes', () => {
  it('that each phase gives as many times one server as it has servers', () => {
    const { oneHost, levels, deviation, worstFairness } = conclude(recorded(() => 1000));
    expect(oneHost).toBe(80_000);
    expect(levels).toEqual([1, 1, 1, 1]);
    expect(deviation).toBe(0);
    expect(worstFairness).toBe(1);
  });

  it('which phase is farthest off', () => {
    const { deviation } = conclude(recorded((_, phase) => (phase === 2 ? 900 : 1000)));
    expect(deviation).toBeCloseTo(0.1);
  });

  it('how even the servers are, in the worst second and over those that serve', () => {
    const { worstFairness, medianFairness } = conclude(recorded((server) => (server === 4 ? 500 : 1000)));
    expect(worstFairness).toBeCloseTo(jain([1000, 1000, 500]));
    expect(medianFairness).toBe(1);
  });

  it('how long the slowest join took beyond a round trip', () => {
    expect(conclude(recorded(() => 1000)).firstRequest).toBe(9);
  });

  it('what the router carried for each byte', () => {
    // Ten bytes a second, beside 20 to 40 thousand: the steady seconds of phases 2, 4, 2 and 3.
    expect(conclude(recorded(() => 1000)).carried).toBeCloseTo(10 / ((2 + 4 + 2 + 3) * 2500), 5);
  });

  it('which failures belong to a change, to a request in flight at the kill, and to one begun later', () => {
    const killedAt = ORIGIN + COUNTS.length * PHASE;
    const failure = (startedAt: number, failedAt: number): Failure => {
      return { startedAt, failedAt, reason: 'ECONNRESET', server: undefined };
    };
    const failures = [
      failure(2000, 2500),
      failure(killedAt - 100, killedAt + 900),
      failure(killedAt + 40, killedAt + 50),
      failure(killedAt + 70, killedAt + 80),
    ];
    const { failed, requests, afterKill } = conclude(recorded(() => 1000, failures));
    expect(failed).toBe(1);
    expect(requests).toBe(105);
    expect(afterKill).toEqual({ inFlight: 1, later: 2, lastLater: 70 });
  });

  it('rows of which only serval is judged', () => {
    const found = conclude(recorded(() => 1000));
    const rows = rowsOf(
      new Map([
        ['serval', found],
        ['nginx', { ...found, failed: 7 }],
      ]),
      '',
    );
    const failed = rows.filter(({ name }) => name.startsWith('requests failed'));
    expect(failed.map((row) => [row.judged.median, verdictOf(row)])).toEqual([
      [0, 'bar reached'],
      [7, 'no goal'],
    ]);
    expect(verdictOf(rowsOf(new Map([['serval', { ...found, failed: 1 }]]), '')[2]!)).toBe('not reached');
  });
});

it("Jain's index is 1 for equal shares and 1/n where one has everything", () => {
  expect(jain([5, 5, 5])).toBe(1);
  expect(jain([0, 0, 0, 8])).toBe(0.25);
  expect(jain([])).toBeNaN();
});

describe('the DNS server', () => {
  it('answers with all addresses in turns, and with their time to live', async () => {
    const server = new DnsServer(5);
    await server.listen('127.0.0.1', 0);
    server.setAddresses(['10.0.0.1', '10.0.0.2']);
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${server.port}`]);
    const ask = () => resolver.resolve4('web.figure7.test', { ttl: true });
    const answers = [await ask(), await ask()];
    server.close();
    const first = [
      { address: '10.0.0.1', ttl: 5 },
      { address: '10.0.0.2', ttl: 5 },
    ];
    expect(answers).toEqual([first, first.toReversed()]);
  });
});

it('the picture has a panel for each contender, and levels that are nine tenths of the links', () => {
  const found = conclude(recorded(() => 1000));
  const { marks } = specificationOf(
    new Map([
      ['serval', found],
      ['dns', found],
    ]),
    100e6,
    '',
  ) as { marks: { type: string; data?: { name: string; values: { level: number }[] }[] }[] };
  const panels = marks.filter(({ type }) => type === 'group');
  expect(panels).toHaveLength(2);
  const levels = panels[0]!.data!.find(({ name }) => name === 'levels')!.values;
  expect(levels.map(({ level }) => level)).toEqual([90, 180, 360, 180, 270]);
});
