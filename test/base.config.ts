import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

const source = fileURLToPath(new URL('../src/', import.meta.url));

/** What all runs of tests have in common. */
export const base = {
  resolve: {
    // The examples of the documentation import the package by its name.
    alias: [
      // As on Node, where the tests run.
      { find: /^#wire$/, replacement: `${source}transports/cloudflare/node-wire.ts` },
      { find: /^leasestream$/, replacement: `${source}index.ts` },
      { find: /^leasestream\/(.+)$/, replacement: `${source}$1.ts` },
    ],
  },
  test: {
    setupFiles: ['test/fixed-seed.ts'],
    allowOnly: false,
    // One a core: vitest keeps one core free, which of two is half. Nothing asserts how long it took.
    maxWorkers: '100%',
    // Two cores may be shared by a build, a browser and several test files.
    testTimeout: 30_000,
    retry: 0,
    unstubEnvs: true,
    unstubGlobals: true,
    restoreMocks: true,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/*.ts'],
      reporter: ['text', 'lcov'],
      thresholds: { lines: 90, statements: 90, functions: 90, branches: 85 },
    },
  },
} satisfies ViteUserConfig;
