// The ratios that were accepted, and when a measured one has fallen too far below its own: to half as good.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Row } from '../measuring/rows';
import { nameOf } from '../measuring/table';

export interface Accepted {
  /** What they were measured on. */
  readonly machine: string;
  /** By the row's name and path: the median of its ratios. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** The worst median that passes; undefined for a row that nobody accepted yet. */
export function limitOf(row: Row, { ratios }: Accepted): number | undefined {
  const accepted = ratios[nameOf(row)];
  if (accepted === undefined) return undefined;
  return row.betterIs === 'more' ? accepted / 2 : accepted * 2;
}

export function hasFallen(row: Row, accepted: Accepted): boolean {
  const limit = limitOf(row, accepted);
  if (limit === undefined) return false;
  const { median } = row.judged;
  // Also where there is no median.
  return !(row.betterIs === 'more' ? median >= limit : median <= limit);
}

export function readAccepted(): Accepted {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Accepted;
}

export function writeAccepted(machine: string, rows: readonly Row[]): void {
  const ratios = Object.fromEntries(rows.map((row) => [nameOf(row), Number(row.judged.median.toPrecision(3))]));
  writeFileSync(FILE, `${JSON.stringify({ machine, ratios } satisfies Accepted, undefined, 2)}\n`);
}

const FILE = 'benchmarks/accepted.json';
