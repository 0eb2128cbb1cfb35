// The benchmark of the paper's Figure 7 (§6.1) runs to its end, and its story is told: short and with little to carry, so
// that nothing of how well it goes is judged but that no request fails.

import { expect, it } from 'vitest';
import type { Conclusions } from '../../benchmarks/figure7/conclusions';
import { runReduced } from './reduced-figure';
import { describeWithNamespaces } from './require-root';

describeWithNamespaces('npm run bench -- figure7 --reduced', () => {
  it('plays all phases through a service router, and no request fails', async () => {
    const { report, results } = await runReduced<{ contenders: Record<string, Conclusions> }>(
      'figure7',
      '--contender',
      'serval',
    );
    const { rows, skipped } = report;
    expect(skipped).toEqual([]);
    expect(rows).toHaveLength(8);

    const { contenders } = results;
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
