import { defineConfig } from 'vitest/config';

/** Tests that start processes, measure time or load the machine: one file after the other, after all others. */
const machine = ['package', 'lab', 'soak'].map((folder) => `test/${folder}/**/*.test.ts`);
machine.push('test/*/*-process.test.ts', 'test/*/*-processes.test.ts');

// One process for each test file: a native crash must not take other files with it.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: { name: 'parts', include: ['test/**/*.test.ts'], exclude: machine, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'machine', include: machine, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
