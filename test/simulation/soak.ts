import fc from 'fast-check';
import { judgeAll } from './invariants.ts';
import { Ledger } from './ledger.ts';
import { schedules } from './schedules.ts';
import { runWorld } from './world.ts';

/** How many schedules share a seed: a failure is found again by running its seed alone. */
const perSeed = 100;

/**
 * Judges schedules of any kind by every invariant, and prints how many and from which seeds.
 *
 * @returns how many were run
 * @throws the first schedule that violates an invariant, shrunk, with its seed and path
 */
export async function soak(firstSeed: number, count: number): Promise<number> {
  const startedAt = performance.now();
  let done = 0;
  let seed = firstSeed;
  try {
    for (; done < count; seed += 1) {
      const numRuns = Math.min(perSeed, count - done);
      const property = fc.asyncProperty(
        schedules({ rateOneIn: 4, outageOneIn: 4, crashOneIn: 6 }),
        async (schedule) => {
          const wrong = judgeAll(new Ledger(await runWorld(schedule)));
          if (wrong.length > 0) throw new Error(wrong.join('\n'));
        },
      );
      await fc.assert(property, { seed, numRuns });
      done += numRuns;
    }
  } finally {
    const each = ((performance.now() - startedAt) / Math.max(1, done)).toFixed(1);
    process.stdout.write(`${done} schedules passed, seeds ${firstSeed} to ${seed - 1}, ${each} ms each\n`);
  }
  return done;
}
