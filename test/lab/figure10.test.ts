// The benchmark of the paper's Figure 10 (§6.3) runs to its end: few moves, of which nothing is judged but that the stream
// goes on behind each of them, whoever moves, and that no byte is lost.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import type { Conclusions } from '../../benchmarks/figure10/conclusions';
import type { Report } from '../../benchmarks/measuring/rows';
import { describeWithNamespaces } from './require-root';

const output = mkdtempSync(join(tmpdir(), 'serval-figure10-'));

afterAll(() => rmSync(output, { recursive: true, force: true }));

describeWithNamespaces('npm run bench -- figure10 --reduced', () => {
  it('moves the server, the client and both, and the stream goes on', async () => {
    const run = ['figure10', '--reduced', '--contender', 'serval,tcp', '--patience', '2', '--output', output, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bench.mjs', ...run]);
    const { rows, skipped } = JSON.parse(stdout) as Report;
    expect(skipped).toEqual([]);
    // Both directions of each of two times without a network, and three of each mover's own.
    expect(rows).toHaveLength(3 * (2 * 2 + 3));

    const { contenders } = JSON.parse(readFileSync(join(output, 'figure10.json'), 'utf8')) as {
      contenders: Record<string, Conclusions[]>;
    };
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
