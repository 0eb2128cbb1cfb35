// A benchmark of one of the paper's figures, run reduced as a user would, and what it printed and left.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../../benchmarks/measuring/rows';

export interface ReducedFigure<Results> {
  readonly report: Report;
  /** Of the JSON file. */
  readonly results: Results;
}

export async function runReduced<Results>(
  name: string,
  ...options: readonly string[]
): Promise<ReducedFigure<Results>> {
  const output = mkdtempSync(join(tmpdir(), `serval-${name}-`));
  try {
    const run = [name, '--reduced', ...options, '--output', output, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bench.mjs', ...run]);
    return {
      report: JSON.parse(stdout) as Report,
      results: JSON.parse(readFileSync(join(output, `${name}.json`), 'utf8')) as Results,
    };
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}
