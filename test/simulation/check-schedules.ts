import fc from 'fast-check';
import { Ledger } from './ledger.ts';
import type { Schedule } from './schedule.ts';
import { runWorld } from './world.ts';

/** Runs schedules until one is judged to violate something; prints it shrunk, with its seed and path. */
export async function checkSchedules(
  schedules: fc.Arbitrary<Schedule>,
  judge: (ledger: Ledger) => readonly string[],
  numRuns: number,
): Promise<void> {
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const wrong = judge(new Ledger(await runWorld(schedule)));
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  });
  await fc.assert(property, { numRuns });
}
