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
  const theirs = rivals.length === 0 ? '' : `${summarize(rivals).median.toFixed(decimals)} ${rival}`.trimEnd();
  const ours = rival === '' ? spread(judged, decimals) : summarize(serval).median.toFixed(decimals);
  const ratio = rival === '' ? '' : spread(judged, 2);
  return [nameOf(row), ours, theirs, unit, ratio, mark(atLeast, row), mark(aim, row), verdictOf(row)];
}

/** Where less is better it is a bound from above. */
function mark(value: number | undefined, { betterIs, rival, decimals }: Row): string {
  if (value === undefined) return '';
  const text = rival === '' && value >= 1000 ? value.toFixed(decimals) : String(value);
  return betterIs === 'more' ? text : `<= ${text}`;
}

/** `median [minimum-maximum]`. */
export function spread({ minimum, median, maximum }: Summary, decimals: number): string {
  if (minimum === maximum) return median.toFixed(decimals);
  return `${median.toFixed(decimals)} [${minimum.toFixed(decimals)}-${maximum.toFixed(decimals)}]`;
}

function textTable(lines: readonly (readonly string[])[]): string {
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
