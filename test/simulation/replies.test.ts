import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { client, schedule } from './fixed-schedule.ts';
import { judgeAll } from './invariants.ts';
import { Ledger } from './ledger.ts';
import { surfaceNames } from './surfaces.ts';
import { runWorld } from './world.ts';

const plans = fc
  .record({
    seed: fc.nat(),
    surface: fc.constantFrom(...surfaceNames),
    messages: fc.integer({ min: 1, max: 8 }),
    handlerMs: fc.constantFrom(0, 10, 100, 700, 1_100),
    closeAtMs: fc.constantFrom(30, 300, 1_000, 3_000),
    graceMs: fc.constantFrom(undefined, 0, 100),
  })
  .map(({ seed, surface, messages, handlerMs, closeAtMs, graceMs }) =>
    schedule({
      seed,
      messages,
      visibilityTimeoutMs: 1_000,
      up: { leastMs: 0, mostMs: 0 },
      down: { leastMs: 0, mostMs: 0 },
      clients: [client(surface, { shape: 'constant', ms: handlerMs })],
      events: [{ type: 'close', client: 0, atMs: closeAtMs, ...(graceMs !== undefined && { graceMs }) }],
    }),
  );

describe('requests and answers that arrive in any order', () => {
  it('keep every invariant', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.scheduler(), async (plan, scheduler) => {
        expect(judgeAll(new Ledger(await runWorld(plan, scheduler)))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
