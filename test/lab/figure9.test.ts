// The benchmark of the paper's Figure 9 (§6.3) runs to its end: short and on slow lines, so that nothing of how well it goes
// is judged but that the moved flow has its new line, and that every byte is what was sent.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import type { Conclusions } from '../../benchmarks/figure9/conclusions';
import type { Report } from '../../benchmarks/measuring/rows';
import { describeWithNamespaces } from './require-root';

const output = mkdtempSync(join(tmpdir(), 'serval-figure9-'));

afterAll(() => rmSync(output, { recursive: true, force: true }));

describeWithNamespaces('npm run bench -- figure9 --reduced', () => {
  it('has a server take one of two flows to its other line, which both then fill', async () => {
    const run = ['figure9', '--reduced', '--contender', 'serval', '--output', output, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bench.mjs', ...run]);
    const { rows, skipped } = JSON.parse(stdout) as Report;
    expect(skipped.map(({ name }) => name)).toEqual(['QUIC']);
    expect(rows).toHaveLength(8);

    const { rate, runs } = JSON.parse(readFileSync(join(output, 'figure9.json'), 'utf8')) as {
      rate: number;
      runs: Record<string, { serval: Conclusions[] }>;
    };
    expect(Object.keys(runs)).toEqual(['up', 'down']);
    for (const { serval } of Object.values(runs)) {
      const { oneLine, later, filledAfter, movedAt, end } = serval[0]!;
      // One line's worth before the move, and more than one behind it.
      expect(oneLine).toBeLessThan(1.1 * rate);
      expect(oneLine * 2 * later).toBeGreaterThan(1.2 * rate);
      expect(filledAfter).toBeLessThanOrEqual(end - movedAt);
    }
  }, 180_000);
});
