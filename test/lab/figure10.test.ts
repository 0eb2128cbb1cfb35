// The benchmark of the paper's Figure 10 (§6.3) runs to its end: few moves, of which nothing is judged but that the stream
// goes on behind each of them, whoever moves, and that no byte is lost.

import { expect, it } from 'vitest';
import type { Conclusions } from '../../benchmarks/figure10/conclusions';
import { runReduced } from './reduced-figure';
import { describeWithNamespaces } from './require-root';

describeWithNamespaces('npm run bench -- figure10 --reduced', () => {
  it('moves the server, the client and both, and the stream goes on', async () => {
    const { report, results } = await runReduced<{ contenders: Record<string, Conclusions[]> }>(
      'figure10',
      '--contender',
      'serval,tcp',
      '--patience',
      '2',
    );
    const { rows, skipped } = report;
    expect(skipped).toEqual([]);
    // Both directions of each of two times without a network, and three of each mover's own.
    expect(rows).toHaveLength(3 * (2 * 2 + 3));

    const { contenders } = results;
    const { serval, tcp } = contenders;
    expect(serval!.map(({ mover, darkness }) => `${mover} ${darkness}`)).toEqual([
      'server 0',
      'server 300',
      'client 0',
      'client 300',
      'both 0',
      'both 300',
    ]);
    for (const { moves, recovered, lost, carried, dark, darkness } of serval!) {
      expect({ moves, recovered, lost }).toEqual({ moves: 2, recovered: 2, lost: 0 });
      expect(carried).toBeGreaterThan(100_000);
      expect(dark).toBeGreaterThanOrEqual(darkness);
    }
    // The lab is no kinder than the world: where addresses go, the kernel's TCP stands still.
    for (const { recovered } of tcp!) expect(recovered).toBe(0);
  }, 240_000);
});
