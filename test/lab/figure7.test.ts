// The benchmark of the paper's Figure 7 (§6.1) runs to its end, and its story is told: short and with little to carry, so
// that nothing of how well it goes is judged but that no request fails.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import type { Conclusions } from '../../benchmarks/figure7/conclusions';
import type { Report } from '../../benchmarks/measuring/rows';
import { describeWithNamespaces } from './require-root';

const output = mkdtempSync(join(tmpdir(), 'serval-figure7-'));

afterAll(() => rmSync(output, { recursive: true, force: true }));

describeWithNamespaces('npm run bench -- figure7 --reduced', () => {
  it('plays all phases through a service router, and no request fails', async () => {
    const run = ['figure7', '--reduced', '--contender', 'serval', '--output', output, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bench.mjs', ...run]);
    const { rows, skipped } = JSON.parse(stdout) as Report;
    expect(skipped).toEqual([]);
    expect(rows).toHaveLength(8);

    const { contenders } = JSON.parse(readFileSync(join(output, 'figure7.json'), 'utf8')) as {
      contenders: Record<string, Conclusions>;
    };
    const { phases, levels, requests, failed, seconds, firstRequest } = contenders['serval']!;
    expect(phases.map(({ servers }) => servers)).toEqual([1, 2, 4, 2, 3]);
    expect(levels).toHaveLength(4);
    expect(failed).toBe(0);
    expect(requests).toBeGreaterThan(50);
    expect(Number.isFinite(firstRequest)).toBe(true);
    // Each server has given something: the last had to be found while it was there.
    const given = [0, 1, 2, 3, 4].map((server) => seconds.some(({ servers }) => servers[server]! > 0));
    expect(given).toEqual([true, true, true, true, true]);
  }, 180_000);
});
