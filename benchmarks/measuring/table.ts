// Rows as text.

import { type Summary, summarize } from './rounds';
import { type Row, type SkippedRow, verdictOf } from './rows';

/** A line for each row: the medians of both sides, the ratio with its range, what it is to reach, and whether it does. */
export function tableOf(rows: readonly Row[], skipped: readonly SkippedRow[] = []): string {
  const heading = ['', 'serval', 'rival', '', 'ratio [range]', 'at least', 'aim', ''];
  const missing = skipped.map((row) => [nameOf(row), '', '', '', '', '', '', `skipped: ${row.reason}`]);
  return textTable([heading, ...rows.map(cells), ...missing]);
}

export function nameOf({ name, path }: { readonly name: string; readonly path: string }): string {
  return path === '' ? name : `${name}, ${path}`;
}

function cells(row: Row): readonly string[] {
  const { decimals, rival, rivals, serval, unit, judged, atLeast, aim } = row;
  const theirs = rivals.length === 0 ? '' : `${figureText(summarize(rivals).median, decimals)} ${rival}`.trimEnd();
  const ours = rival === '' ? spread(judged, decimals) : figureText(summarize(serval).median, decimals);
  const ratio = rival === '' ? '' : spread(judged, 2);
  return [nameOf(row), ours, theirs, unit, ratio, mark(atLeast, row), mark(aim, row), verdictOf(row)];
}

/** Where less is better it is a bound from above. */
function mark(value: number | undefined, { betterIs }: Row): string {
  if (value === undefined) return '';
  const text = value >= MILLION ? figureText(value, 0) : String(value);
  return betterIs === 'more' ? text : `<= ${text}`;
}

/** `median [minimum-maximum]`. */
function spread({ minimum, median, maximum }: Summary, decimals: number): string {
  if (minimum === maximum) return figureText(median, decimals);
  return `${figureText(median, decimals)} [${figureText(minimum, decimals)}-${figureText(maximum, decimals)}]`;
}

/** Millions are told as such. */
export function figureText(value: number, decimals: number): string {
  return value >= MILLION ? `${(value / MILLION).toFixed(2)} M` : value.toFixed(decimals);
}

const MILLION = 1e6;

export function textTable(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
