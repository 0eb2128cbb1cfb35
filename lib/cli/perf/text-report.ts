// The text of a test for people: a line for each interval, a table at the end.

import type { ProcessorReport } from './end-report';
import type { IntervalReport, IntervalStream } from './intervals';
import type { BothEnds, Figures, PerfReport } from './perf-report';
import type { TestParameters } from './test-parameters';
import { formatBytes, formatMilliseconds, formatPercent, formatRate } from './units';

/** `4 streams for 10 s, the client sends` */
export function describeTest(parameters: TestParameters): string {
  const { transport, streams, seconds, bytes, rate, length, reverse } = parameters;
  const what = transport === 'stream' ? 'stream' : `flow`;
  const parts = [`${streams} ${what}${streams === 1 ? '' : 's'}`];
  if (transport === 'datagram') parts.push(`of ${length}-byte datagrams`);
  parts.push(bytes === null ? `for ${seconds} s` : `of ${formatBytes(bytes)}${streams === 1 ? '' : ' in all'}`);
  if (rate !== null) parts.push(`at ${formatRate(rate)}${streams === 1 ? '' : ' each'}`);
  return `${parts.join(' ')}, the ${reverse ? 'server' : 'client'} sends`;
}

/** One line of all streams together. */
export function intervalLine({ start, end, sum }: IntervalReport): string {
  const time = `${start.toFixed(2)}-${end.toFixed(2)} s`;
  const cells = [formatBytes(sum.bytes).padStart(9), formatRate(sum.bitsPerSecond).padStart(12)];
  return [time.padStart(15), ...cells, ...pathCells(sum), ...datagramCells(sum)].join('  ');
}

function pathCells({ retransmittedBytes, roundTrip, congestionWindow }: IntervalStream): string[] {
  const cells: string[] = [];
  if (retransmittedBytes !== undefined) cells.push(`retransmitted ${formatBytes(retransmittedBytes)}`);
  if (roundTrip !== undefined) cells.push(`rtt ${formatMilliseconds(roundTrip)}`);
  if (congestionWindow !== undefined) cells.push(`window ${formatBytes(congestionWindow)}`);
  return cells;
}

function datagramCells({ datagrams, lost, outOfOrder, jitter }: IntervalStream): string[] {
  if (datagrams === undefined) return [];
  const cells = [`datagrams ${datagrams}`];
  if (lost !== undefined) cells.push(`lost ${lost}`);
  if (outOfOrder !== undefined) cells.push(`out of order ${outOfOrder}`);
  if (jitter !== undefined) cells.push(`jitter ${formatMilliseconds(jitter)}`);
  return cells;
}

/** The table, fairness, processors. */
export function summaryLines(report: PerfReport): string[] {
  const { test, streams, sum, processor } = report;
  if (test === null || sum === null) return [];
  const columns = test.transport === 'stream' ? STREAM_COLUMNS : DATAGRAM_COLUMNS;
  const rows = [['', 'end', 'seconds', 'transferred', 'bitrate', ...columns.map(({ title }) => title)]];
  for (const [index, stream] of streams.entries()) rows.push(...rowsOf(String(index + 1), stream, columns));
  if (streams.length > 1) rows.push(...rowsOf('SUM', sum, columns));
  const lines = alignColumns(rows);
  if (streams.length > 1 && report.fairness !== null) lines.push(`fairness (Jain) ${report.fairness.toFixed(3)}`);
  lines.push(...processorLine(processor.client, processor.server));
  return lines;
}

interface Column {
  readonly title: string;
  /** Undefined where the end does not know. */
  text(figures: Figures): string | undefined;
}

const STREAM_COLUMNS: readonly Column[] = [
  { title: 'retransmitted', text: ({ retransmittedBytes }) => when(retransmittedBytes, formatBytes) },
  { title: 'round trip', text: ({ roundTripMean }) => when(roundTripMean, formatMilliseconds) },
  { title: 'window', text: ({ congestionWindowMaximum }) => when(congestionWindowMaximum, formatBytes) },
];

const DATAGRAM_COLUMNS: readonly Column[] = [
  { title: 'datagrams', text: ({ datagrams }) => when(datagrams, String) },
  {
    title: 'lost',
    text: ({ lost, lostFraction = 0, refused = 0 }) => {
      if (lost !== undefined) return `${lost} (${formatPercent(lostFraction)})`;
      return refused === 0 ? undefined : `refused ${refused}`;
    },
  },
  { title: 'jitter', text: ({ jitter }) => when(jitter, formatMilliseconds) },
  { title: 'out of order', text: ({ outOfOrder }) => when(outOfOrder, String) },
  { title: 'duplicates', text: ({ duplicates }) => when(duplicates, String) },
];

function when(value: number | undefined, format: (value: number) => string): string | undefined {
  return value === undefined ? undefined : format(value);
}

function rowsOf(name: string, { sender, receiver }: BothEnds, columns: readonly Column[]): string[][] {
  return [row(name, 'sender', sender, columns), row(name, 'receiver', receiver, columns)];
}

function row(name: string, end: string, figures: Figures | null, columns: readonly Column[]): string[] {
  if (figures === null) return [name, end, 'not told', '', '', ...columns.map(() => '')];
  const { seconds, bytes, bitsPerSecond } = figures;
  const cells = columns.map((column) => column.text(figures) ?? '');
  return [name, end, seconds.toFixed(2), formatBytes(bytes), formatRate(bitsPerSecond), ...cells];
}

/** The first two columns to the left, figures to the right. */
function alignColumns(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function processorLine(client: ProcessorReport | null, server: ProcessorReport | null): string[] {
  const ends = [describeProcessor('client', client), describeProcessor('server', server)];
  const known = ends.filter((text) => text !== undefined);
  return known.length === 0 ? [] : [`processor: ${known.join(', ')}`];
}

function describeProcessor(end: string, report: ProcessorReport | null): string | undefined {
  if (report === null || report.elapsed === 0) return undefined;
  const { user, system, elapsed } = report;
  const [total, ofUser, ofSystem] = [user + system, user, system].map(
    (time) => `${Math.round((time / elapsed) * 100)} %`,
  );
  return `${end} ${total} (user ${ofUser}, system ${ofSystem})`;
}
