// What a collection has freed is used again, instead of going back to the kernel and costing a fault for each page.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithAddon } from './addon';

/** Page faults that each of many slabs costs which live a while and are dropped together, in a process of its own. */
const PROGRAM = `
  require('node-gyp-build')(process.argv[1]);
  const round = () => {
    let slabs = Array.from({ length: 12 }, () => Buffer.allocUnsafeSlow(2 * 1024 * 1024).fill(1));
    slabs = undefined;
    gc();
  };
  const rounds = async (count) => {
    // Freed by another thread, a moment later.
    for (; count > 0; count--) await new Promise((resolve) => setTimeout(resolve, 5, round()));
  };
  void rounds(10).then(async () => {
    const before = process.resourceUsage().minorPageFault;
    await rounds(10);
    console.log((process.resourceUsage().minorPageFault - before) / 120);
  });
`;

describeWithAddon('freed memory', () => {
  const faults = (environment: NodeJS.ProcessEnv): number => {
    const root = join(dirname(__filename), '..', '..');
    const run = ['--expose-gc', '-e', PROGRAM, root];
    return Number(execFileSync(process.execPath, run, { cwd: root, env: { ...process.env, ...environment } }));
  };

  it('is kept, unless the environment says how much is', () => {
    expect(faults({})).toBeLessThan(50);
    expect(faults({ MALLOC_TRIM_THRESHOLD_: '131072' })).toBeGreaterThan(100);
  });
});
