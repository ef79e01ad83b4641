import { defineConfig, mergeConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { base } from '../base.config.ts';

/** Parts of the names of the files that are to run first, the first of them before all others. */
const first = (process.env['MUTANTS_FIRST'] ?? '').split(',').filter((part) => part !== '');

class PromisingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = first.findIndex((part) => moduleId.includes(part));
  return place === -1 ? first.length : place;
}

// One worker, and the first failure is the last: what a mutant is killed by depends on nothing but the mutant.
export default mergeConfig(
  base,
  defineConfig({
    cacheDir: '.tmp-cache',
    test: {
      include: ['test/**/*.test.ts'],
      typecheck: { enabled: false },
      setupFiles: ['test/mutants/no-shrinking.ts'],
      sequence: { sequencer: PromisingFirst },
      bail: 1,
      maxWorkers: 1,
    },
  }),
);
