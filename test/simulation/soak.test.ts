import { describe, expect, it } from 'vitest';
import { soak } from './soak.ts';

// `SCHEDULES=100000 npm run soak` runs as many as asked, from a random seed, or from `SEED`; without `SCHEDULES` they are
// the same in every run.
const { SCHEDULES, SEED } = process.env;
const schedules = Number(SCHEDULES ?? 1_000);
const anySeed = SCHEDULES === undefined ? 1 : Math.floor(Math.random() * 1_000_000_000);
const firstSeed = Number(SEED ?? anySeed);

describe('any schedule', () => {
  it(
    `keeps every invariant: ${schedules} schedules`,
    async () => {
      expect(await soak(firstSeed, schedules)).toBe(schedules);
    },
    60_000 + 100 * schedules,
  );
});
