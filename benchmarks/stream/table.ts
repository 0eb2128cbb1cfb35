// The comparison as text: one line a figure, median and range over the rounds.

import { type Summary, summarize } from '../measuring/rounds';
import type { Row } from './rounds';

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    `${row.figure}, ${row.unit}`,
    spread(summarize(row.serval), row.decimals),
    spread(summarize(row.net), row.decimals),
    `${spread(row.ratios, 2)} ${verdict(row)}`,
  ]);
  const lines = [['', 'serval', 'net', 'serval / net'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')).join('\n');
}

/** `median [minimum-maximum]`. */
function spread({ minimum, median, maximum }: Summary, decimals: number): string {
  if (minimum === maximum) return median.toFixed(decimals);
  return `${median.toFixed(decimals)} [${minimum.toFixed(decimals)}-${maximum.toFixed(decimals)}]`;
}

/** A ratio whose range has 1 inside shows nothing. */
function verdict({ ratios, betterIs }: Row): string {
  if (ratios.minimum <= 1 && ratios.maximum >= 1) return 'alike';
  return ratios.minimum > 1 === (betterIs === 'more') ? 'better' : 'worse';
}
