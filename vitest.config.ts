import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Examples import the package by its name, as users do.
  resolve: { alias: { bpfkit: new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['src/**/*.test.ts', 'cli/**/*.test.ts', 'linux/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts', 'examples/testing/**/*.test.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
