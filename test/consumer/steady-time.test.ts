import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import { SteadyTime } from '../../src/consumer/steady-time.ts';

const open = (): { clock: ManualClock; time: SteadyTime } => {
  const clock = new ManualClock({ now: 1_000 });
  return { clock, time: new SteadyTime(clock) };
};

describe('SteadyTime', () => {
  it('goes with both clocks', async () => {
    const { clock, time } = open();
    const start = time.now();
    await clock.advance(250);
    expect(time.now() - start).toBe(250);
  });

  it('counts the time that the machine slept', () => {
    const { clock, time } = open();
    const start = time.now();
    clock.suspend(60_000);
    expect(time.now() - start).toBe(60_000);
  });

  it('does not go back with the wall clock, and takes what it gains after that for sleep', async () => {
    const { clock, time } = open();
    const start = time.now();
    clock.jump(-3_600_000);
    expect(time.now() - start).toBe(0);
    await clock.advance(100);
    expect(time.now() - start).toBe(100);
    clock.suspend(60_000);
    expect(time.now() - start).toBe(60_100);
  });

  it('goes with a wall clock set forward, and keeps what it gained when that is undone', async () => {
    const { clock, time } = open();
    const start = time.now();
    clock.jump(500);
    expect(time.now() - start).toBe(500);
    clock.jump(-500);
    expect(time.now() - start).toBe(500);
    await clock.advance(10);
    expect(time.now() - start).toBe(510);
  });

  it('tells a steady time by the wall clock as it looks now', async () => {
    const { clock, time } = open();
    const at = time.now() + 1_000;
    expect(time.toWall(at)).toBe(2_000);
    await clock.advance(400);
    expect(time.toWall(at)).toBe(2_000);
    clock.jump(-10_000);
    expect(time.toWall(at)).toBe(-8_000);
    clock.jump(20_000);
    expect(time.toWall(at) - clock.now()).toBe(at - time.now());
  });

  it('never goes back, and never lags behind either clock', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('advance' as const), ms: fc.nat(50) }),
      fc.record({ do: fc.constant('suspend' as const), ms: fc.nat(50) }),
      fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -100, max: 100 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { clock, time } = open();
        for (const { do: what, ms } of steps) {
          const [before, monotonic, wall] = [time.now(), clock.monotonic(), clock.now()];
          await clock[what](ms);
          const passed = time.now() - before;
          expect(passed).toBeGreaterThanOrEqual(clock.monotonic() - monotonic);
          expect(passed).toBeLessThanOrEqual(Math.max(clock.monotonic() - monotonic, clock.now() - wall, 0));
        }
      }),
      { numRuns: 50 },
    );
  });
});
