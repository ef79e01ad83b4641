import { describe, expect, it } from 'vitest';
import { soak } from './soak.ts';

// `SCHEDULES=100000 SEED=1 npx vitest run test/simulation/soak.test.ts` runs as many as asked, from a seed of choice.
const schedules = Number(process.env['SCHEDULES'] ?? 1_000);
const firstSeed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1_000_000_000));

describe('any schedule', () => {
  it(
    `keeps every invariant: ${schedules} schedules`,
    async () => {
      expect(await soak(firstSeed, schedules)).toBe(schedules);
    },
    60_000 + 100 * schedules,
  );
});
