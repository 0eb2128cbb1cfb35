import { defineConfig } from 'vitest/config';

// One process for each test file: a native crash must not take other files with it.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
  },
});
