import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { base } from './test/base.config.ts';

/** Where no file needs a process of its own: one after the other in the same, they load the library once. */
const rooms =
  'test/{broker,consumer,contract,convert,lease,mutants,observe,producer,queue,simulation,testing}/**/*.test.ts';

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: [
      { extends: true, test: { name: 'rooms', include: [rooms], isolate: false } },
      {
        extends: true,
        test: {
          name: 'surroundings',
          // Mostly they wait for programs that they start.
          maxWorkers: 2 * availableParallelism(),
          sequence: { groupOrder: 1 },
          include: ['test/**/*.test.ts'],
          exclude: [rooms, '**/node_modules/**'],
          typecheck: { enabled: true, include: ['test/**/*.test-d.ts'] },
        },
      },
    ],
  },
});
