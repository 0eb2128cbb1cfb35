// What a client makes of a test's figures: the object for programs, the text for people.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../lib/cli/perf/client-options';
import type { Outcome } from '../../lib/cli/perf/client-test';
import type { StreamReport } from '../../lib/cli/perf/end-report';
import { IntervalClock, intervalReport } from '../../lib/cli/perf/intervals';
import { PerfErrorCode } from '../../lib/cli/perf/perf-error';
import { createReport, jainIndex, type PerfReport } from '../../lib/cli/perf/perf-report';
import { ProgressLine } from '../../lib/cli/perf/progress-line';
import { describeTest, intervalLine, summaryLines } from '../../lib/cli/perf/text-report';
import { formatBytes, formatMilliseconds, formatPercent, formatRate } from '../../lib/cli/perf/units';

const processor = { user: 3, system: 2, elapsed: 10 };
const end = (...streams: StreamReport[]) => ({ streams, processor });
const intervals = [intervalReport([{ bytes: 0 }], [{ bytes: 125e6 }], 0, 1)];

function reportOf(options: object, outcome: Partial<Outcome>): PerfReport {
  const { parameters, interval } = checkOptions(options);
  const test = { ...parameters, interval };
  const facts = { service: 'acme/perf', links: ['udp'], startedAt: new Date(0), test };
  return createReport(facts, { intervals, interrupted: false, ...outcome });
}

const sent = (bytes: number): StreamReport => ({
  bytes,
  seconds: 10,
  retransmittedBytes: 1000,
  roundTripMinimum: 1,
  roundTripMean: 2,
  roundTripMaximum: 3,
  congestionWindowMaximum: 50_000,
});

describe('units', () => {
  it('are three digits and powers of 1000', () => {
    const bytes = [0, 1, 999, 999.4, 999.5, 1000, 12_345, 999_499, 999_500, 1.5e9, 2e15, -3000];
    expect(bytes.map(formatBytes)).toEqual([
      '0 B',
      '1 B',
      '999 B',
      '999 B',
      '1.00 kB',
      '1.00 kB',
      '12.3 kB',
      '999 kB',
      '1.00 MB',
      '1.50 GB',
      '2.00 PB',
      '-3.00 kB',
    ]);
    expect(formatRate(9.412e9)).toBe('9.41 Gbit/s');
    expect([0.0512, 9.996, 123.4].map(formatMilliseconds)).toEqual(['0.05 ms', '10.0 ms', '123 ms']);
    expect([0, 0.01234, 1].map(formatPercent)).toEqual(['0.00 %', '1.23 %', '100 %']);
  });
});

describe("Jain's index", () => {
  it.each([
    [[5], 1],
    [[3, 3, 3], 1],
    [[1, 0, 0, 0], 0.25],
    [[1, 3], 0.8],
    [[], null],
    [[0, 0], null],
  ])('of %j is %s', (shares, index) => expect(jainIndex(shares)).toBe(index));
});

describe('the report', () => {
  it('tells both ends of each stream and of all, whichever end sent', () => {
    const [sender, receiver] = [
      end(sent(1000), sent(3000)),
      end({ bytes: 900, seconds: 9 }, { bytes: 2700, seconds: 12 }),
    ];
    const forward = reportOf({ parallel: '2' }, { own: sender, other: receiver });
    const reverse = reportOf({ parallel: '2', reverse: true }, { own: receiver, other: sender });
    expect(reverse.streams).toEqual(forward.streams);
    expect(reverse.sum).toEqual(forward.sum);
    expect(forward.streams[0]).toEqual({
      sender: { ...sent(1000), bitsPerSecond: 800 },
      receiver: { bytes: 900, seconds: 9, bitsPerSecond: 800 },
    });
    expect(forward.sum).toEqual({
      sender: { ...sent(4000), retransmittedBytes: 2000, congestionWindowMaximum: 100_000, bitsPerSecond: 3200 },
      receiver: { bytes: 3600, seconds: 12, bitsPerSecond: 2400 },
    });
    expect(forward.fairness).toBeCloseTo(0.8);
    expect(forward.processor).toEqual({ client: processor, server: processor });
  });

  it('counts as lost what was sent and did not come, the last ones included', () => {
    const received = { bytes: 9, seconds: 1, datagrams: 90, outOfOrder: 2, duplicates: 5, jitter: 0.5 };
    const options = { datagram: true, parallel: '2' };
    const sending = end({ bytes: 10, seconds: 1, datagrams: 100, refused: 0 }, { bytes: 0, seconds: 1, datagrams: 0 });
    const receiving = end(received, { ...received, datagrams: 0, jitter: 1 });
    const { streams, sum } = reportOf(options, { own: sending, other: receiving });
    expect(streams[0]!.receiver).toMatchObject({ lost: 10, lostFraction: 0.1 });
    expect(streams[1]!.receiver).toMatchObject({ lost: 0, lostFraction: 0 });
    expect(sum!.receiver).toMatchObject({ datagrams: 90, lost: 10, lostFraction: 0.1, duplicates: 10, jitter: 0.75 });
  });

  it('has the same members when a test did not come about, or one end did not tell', () => {
    const error = { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED acme/perf' };
    const failed = reportOf({}, { error });
    expect(failed).toMatchObject({ peer: null, streams: [], sum: null, fairness: null, error });
    const halved = reportOf({}, { own: end(sent(1000)), interrupted: true });
    expect(halved.streams).toEqual([{ sender: { ...sent(1000), bitsPerSecond: 800 }, receiver: null }]);
    expect(halved).toMatchObject({ interrupted: true, error: null, processor: { server: null } });
    expect(Object.keys(failed).sort()).toEqual(Object.keys(halved).sort());
    expect(JSON.parse(JSON.stringify(failed))).toEqual(failed);
  });
});

it('docs/perf.md describes every member of the report, and every error', () => {
  const received = { bytes: 1, seconds: 1, datagrams: 1, outOfOrder: 0, duplicates: 0, jitter: 0 };
  const own = end({ ...sent(1), datagrams: 1, refused: 0 });
  const peer = { address: '127.0.0.1', port: 1 };
  const error = { code: 'PERF_ENDED', message: '' };
  const lanes = [{ bytes: 0, datagrams: 0, missing: 0, outOfOrder: 0, jitter: 0, retransmittedBytes: 0 }];
  const busy = [intervalReport(lanes, [{ ...lanes[0]!, roundTrip: 1, congestionWindow: 1 }], 0, 1)];
  const report = reportOf({}, { own, other: end(received), peer, error, intervals: busy });
  const document = readFileSync('docs/perf.md', 'utf8');
  const missing = [...namesIn(report), ...Object.values(PerfErrorCode)].filter(
    (name) => !document.includes(`\`${name}\``),
  );
  expect(missing).toEqual([]);
});

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(namesIn);
  return Array.isArray(value) ? inside : [...Object.keys(value), ...inside];
}

describe('the text', () => {
  it('says what is measured', () => {
    const described = [
      {},
      { parallel: '4', time: '2.5', reverse: true },
      { bytes: '1G', parallel: '2' },
      { datagram: true, rate: '5M', length: '100' },
    ].map((options) => describeTest(checkOptions(options).parameters));
    expect(described).toEqual([
      '1 stream for 10 s, the client sends',
      '4 streams for 2.5 s, the server sends',
      '2 streams of 1.00 GB in all, the client sends',
      '1 flow of 100-byte datagrams for 10 s at 5.00 Mbit/s, the client sends',
    ]);
  });

  it('of an interval has what its end knows', () => {
    const before = [
      { bytes: 0, retransmittedBytes: 0 },
      { bytes: 0, retransmittedBytes: 7 },
    ];
    const after = [
      { bytes: 1e6, retransmittedBytes: 10, roundTrip: 1, congestionWindow: 1000 },
      { bytes: 1e6, retransmittedBytes: 7, roundTrip: 3, congestionWindow: 1000 },
    ];
    expect(intervalLine(intervalReport(before, after, 1, 3))).toBe(
      '    1.00-3.00 s    2.00 MB   8.00 Mbit/s  retransmitted 10 B  rtt 2.00 ms  window 2.00 kB',
    );
    const datagrams = { bytes: 1200, datagrams: 1, missing: 3, outOfOrder: 1, jitter: 0.25 };
    expect(intervalLine(intervalReport([{ bytes: 0 }], [datagrams], 0, 1))).toBe(
      '    0.00-1.00 s    1.20 kB   9.60 kbit/s  datagrams 1  lost 3  out of order 1  jitter 0.25 ms',
    );
  });

  it('of the summary is a table', () => {
    const [sender, receiver] = [
      end(sent(1e6), sent(3e6)),
      end({ bytes: 1e6, seconds: 10 }, { bytes: 3e6, seconds: 10 }),
    ];
    expect(summaryLines(reportOf({ parallel: '2' }, { own: sender, other: receiver }))).toEqual([
      '     end       seconds  transferred      bitrate  retransmitted  round trip   window',
      '1    sender      10.00      1.00 MB   800 kbit/s        1.00 kB     2.00 ms  50.0 kB',
      '1    receiver    10.00      1.00 MB   800 kbit/s',
      '2    sender      10.00      3.00 MB  2.40 Mbit/s        1.00 kB     2.00 ms  50.0 kB',
      '2    receiver    10.00      3.00 MB  2.40 Mbit/s',
      'SUM  sender      10.00      4.00 MB  3.20 Mbit/s        2.00 kB     2.00 ms   100 kB',
      'SUM  receiver    10.00      4.00 MB  3.20 Mbit/s',
      'fairness (Jain) 0.800',
      'processor: client 50 % (user 30 %, system 20 %), server 50 % (user 30 %, system 20 %)',
    ]);
  });

  it('of the summary says what an end did not tell, and nothing without figures', () => {
    const lines = summaryLines(
      reportOf({ datagram: true, reverse: true }, { own: end({ bytes: 1200, seconds: 1, datagrams: 1 }) }),
    );
    expect(lines.slice(1)).toEqual([
      '1  sender    not told',
      '1  receiver      1.00      1.20 kB  9.60 kbit/s          1',
      'processor: client 50 % (user 30 %, system 20 %)',
    ]);
    expect(summaryLines(reportOf({}, {}))).toEqual([]);
  });
});

describe('the line of a running test', () => {
  const interval = intervals[0]!;
  const line = '    0.00-1.00 s     125 MB   1.00 Gbit/s';

  function show(output: object): string {
    const written: string[] = [];
    const write = (text: string): boolean => written.push(text) > 0;
    const progress = new ProgressLine({ ...output, write } as ConstructorParameters<typeof ProgressLine>[0]);
    progress.show(interval);
    progress.show(interval);
    progress.end();
    return written.join('');
  }

  it('is rewritten on a terminal, no wider than that, and gone at the end', () => {
    expect(show({ isTTY: true, columns: 200 })).toBe(`\r${line}\x1b[K\r${line}\x1b[K\r\x1b[K`);
    expect(show({ isTTY: true, columns: 0 })).toContain(`\r${line}\x1b[K`);
    expect(show({ isTTY: true, columns: 21 })).toContain(`\r${line.slice(0, 20)}\x1b[K\r`);
  });

  it('is a line for each interval elsewhere', () => expect(show({ isTTY: false })).toBe(`${line}\n${line}\n`));
});

it('the last interval ends with the test, and is left out when nothing is left', () => {
  let seconds = 0.3;
  const running = { elapsed: 5, snapshot: () => [{ bytes: 1000 }], report: () => end({ bytes: 1000, seconds }) };
  const reports: number[][] = [];
  const clock = new IntervalClock(running, 60, (report) => reports.push([report.start, report.end]));
  clock.end();
  seconds = 0.31;
  clock.end();
  expect(reports).toEqual([[0, 0.3]]);
});
