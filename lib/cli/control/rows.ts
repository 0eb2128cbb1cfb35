// Lists for people and for programs: a table whose columns fit, or one JSON object a line. Both are printed as they
// come, whatever their length.

import { once } from 'node:events';
import picocolors from 'picocolors';
import type { Entry } from '../../control/control-client';

export interface Column {
  readonly title: string;
  text(entry: Entry): string;
  /** Figures stand to the right. */
  readonly isFigure?: boolean;
}

/** How many there were. */
export async function printRows(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  columns: readonly Column[],
  isJson: boolean | undefined,
): Promise<number> {
  let count = 0;
  const page: Entry[] = [];
  const table = new Table(columns);
  for await (const entry of entries) {
    count++;
    if (isJson) await say(`${JSON.stringify(entry)}\n`);
    else page.push(entry);
    if (page.length >= PAGE) await say(table.lines(page.splice(0)));
  }
  if (!isJson) await say(table.lines(page));
  return count;
}

/** Widths are those of the first page: what is wider later stands out. */
class Table {
  private widths: number[] | undefined;

  constructor(private readonly columns: readonly Column[]) {}

  lines(entries: readonly Entry[]): string {
    const cells = entries.map((entry) => this.columns.map((column) => harmless(column.text(entry))));
    const titles = this.columns.map(({ title }) => title);
    const shown = this.widths === undefined ? [picocolors.bold] : [];
    this.widths ??= titles.map((title, index) => Math.max(title.length, ...cells.map((row) => row[index]!.length)));
    const widths = this.widths;
    const lines = [
      ...shown.map((bold) => bold(this.line(titles, widths))),
      ...cells.map((row) => this.line(row, widths)),
    ];
    return lines.map((line) => `${line}\n`).join('');
  }

  private line(cells: readonly string[], widths: readonly number[]): string {
    const padded = cells.map((cell, index) =>
      this.columns[index]!.isFigure ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
    );
    return padded.join('  ').trimEnd();
  }
}

/** Waits until the reader has room. */
export async function say(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Names come from other processes: no escape sequences of theirs on a terminal. */
export function harmless(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}

const PAGE = 500;
