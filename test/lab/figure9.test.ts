// The benchmark of the paper's Figure 9 (§6.3) runs to its end: short and on slow lines, so that nothing of how well it goes
// is judged but that the moved flow has its new line, and that every byte is what was sent.

import { expect, it } from 'vitest';
import type { Conclusions } from '../../benchmarks/figure9/conclusions';
import { runReduced } from './reduced-figure';
import { describeWithNamespaces } from './require-root';

describeWithNamespaces('npm run bench -- figure9 --reduced', () => {
  it('has a server take one of two flows to its other line, which both then fill', async () => {
    const { report, results } = await runReduced<{ rate: number; runs: Record<string, { serval: Conclusions[] }> }>(
      'figure9',
      '--contender',
      'serval',
    );
    const { rows, skipped } = report;
    expect(skipped.map(({ name }) => name)).toEqual(['QUIC']);
    expect(rows).toHaveLength(8);

    const { rate, runs } = results;
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
