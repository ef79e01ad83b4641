import { describe, expect, it, vi } from 'vitest';
import { type CrashPlan, type CrashTally, runCrashLoop } from './crash-loop.ts';

vi.setConfig({ testTimeout: 120_000 });

const seeds = [1, 2, 3];

/** The sums over some seeds. */
async function tally(plan: Omit<CrashPlan, 'seed'>): Promise<CrashTally> {
  const tallies: CrashTally[] = [];
  for (const seed of seeds) tallies.push(await runCrashLoop({ ...plan, seed }));
  return tallies.reduce((sum, each) => {
    const names = Object.keys(sum) as (keyof CrashTally)[];
    return Object.fromEntries(names.map((name) => [name, sum[name] + each[name]])) as unknown as CrashTally;
  });
}

const plan = { healthy: 200, poisons: 1, diesAfterMs: 0, processes: 1, concurrency: 10, handlerMs: 100 };
const alone = { healthyDead: 0, poisonDead: seeds.length, handled: 200 * seeds.length, crashes: 4 * seeds.length };

describe('a message that ends the process that works on it, among 200 others', () => {
  describe.each([1, 2])('of %i processes that are started again', (processes) => {
    describe.each([1, 10, 50])('of %i handlers each', (concurrency) => {
      it.each([1, 100, 1_000])('dies alone, and all others are handled, in %i ms', async (handlerMs) => {
        expect(await tally({ ...plan, processes, concurrency, handlerMs })).toMatchObject(alone);
      });
    });
  });

  it.each([
    [10, 1_000],
    [50, 1_000],
    [50, 100],
  ])('dies alone when it ends it after a while, beside %i handlers of %i ms', async (concurrency, handlerMs) => {
    expect(await tally({ ...plan, concurrency, handlerMs, diesAfterMs: 300 })).toMatchObject(alone);
  });

  it.each([
    [1, 1],
    [10, 1],
    [10, 100],
    [50, 100],
  ])('dies alone while others keep coming, beside %i handlers of %i ms', async (concurrency, handlerMs) => {
    const coming = { perSecond: 20, seconds: 150 };
    const { healthyDead, poisonDead } = await tally({ ...plan, concurrency, handlerMs, ...coming });
    expect({ healthyDead, poisonDead }).toEqual({ healthyDead: 0, poisonDead: seeds.length });
  });

  it('takes its neighbours along where suspects are not isolated', async () => {
    const { healthyDead } = await tally({ ...plan, options: { isolateSuspects: false } });
    expect(healthyDead).toBeGreaterThan(5 * seeds.length);
  });
});

describe('three such messages, among 200 others', () => {
  it.each([
    [10, 0],
    [50, 0],
    [50, 300],
  ])('take along fewer than one in 100, of %i handlers, after %i ms', async (concurrency, diesAfterMs) => {
    const { healthyDead, poisonDead } = await tally({ ...plan, poisons: 3, concurrency, diesAfterMs });
    expect(poisonDead).toBe(3 * seeds.length);
    expect(healthyDead).toBeLessThan(2 * seeds.length);
  });
});

describe('what isolating costs', () => {
  const healthy = { ...plan, healthy: 100, poisons: 0, failing: 0.1 };
  const cost = async (load: Partial<CrashPlan>): Promise<{ time: number; pulls: number }> => {
    const seed = 4;
    const without = await runCrashLoop({ ...healthy, ...load, seed, options: { isolateSuspects: false } });
    const isolated = await runCrashLoop({ ...healthy, ...load, seed });
    return { time: isolated.mostlyAfterMs / without.mostlyAfterMs, pulls: isolated.pulls / without.pulls };
  };

  it('is nothing where one process sees its own handlers fail', async () => {
    expect(await cost({ perSecond: 120, seconds: 60 })).toMatchObject({ time: 1 });
  });

  it('is a tenth of the time where others see theirs fail, and there is more work than they can do', async () => {
    const { time, pulls } = await cost({ processes: 2, perSecond: 240, seconds: 120 });
    expect(time).toBeLessThan(1.1);
    expect(pulls).toBeLessThan(1.1);
  });

  it('is little after all processes were killed', async () => {
    const { time, pulls } = await cost({ failing: 0, healthy: 2_000, killedAtMs: 5_000 });
    expect(time).toBeLessThan(1.05);
    expect(pulls).toBeLessThan(1.1);
  });
});
