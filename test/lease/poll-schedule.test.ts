import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PollSchedule } from '../../src/lease/poll-schedule.ts';

/** The delays of empty pulls, one sent as soon as it may be. */
function delaysOf(schedule: PollSchedule, count: number, from = 0): number[] {
  const delays: number[] = [];
  let now = from;
  for (let index = 0; index < count; index += 1) {
    schedule.onEmpty(now);
    delays.push(schedule.notBefore - now);
    now = schedule.notBefore;
  }
  return delays;
}

const full = (): number => 1;

describe('PollSchedule', () => {
  it('asks at once until the first empty pull', () => {
    const schedule = new PollSchedule(10_000, full);
    expect(schedule.notBefore).toBe(-Infinity);
    schedule.onMessages(0, true);
    expect(schedule.notBefore).toBe(-Infinity);
  });

  it('doubles the delay up to the most', () => {
    expect(delaysOf(new PollSchedule(10_000, full), 8)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(delaysOf(new PollSchedule(250, full), 3)).toEqual([250, 250, 250]);
  });

  it('asks every 250 ms for 5 s after traffic, then doubles', () => {
    const schedule = new PollSchedule(10_000, full);
    delaysOf(schedule, 8);
    schedule.onMessages(100_000, true);
    expect(schedule.notBefore).toBe(-Infinity);
    const delays = delaysOf(schedule, 24, 100_000);
    expect(delays.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 250));
    expect(delays.slice(20)).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it.each([
    [4_999, 250],
    [5_000, 500],
  ])('%i ms after traffic the next delay is %i', (after, delayMs) => {
    const schedule = new PollSchedule(10_000, full);
    schedule.onMessages(0, true);
    schedule.onEmpty(1);
    schedule.onEmpty(after);
    expect(schedule.notBefore - after).toBe(delayMs);
  });

  it('asks at once after a pull that brought less than it asked for, until such a pull is followed by an empty one', () => {
    const schedule = new PollSchedule(10_000, full);
    for (let now = 0; now < 5; now += 1) {
      schedule.onMessages(now, false);
      expect(schedule.notBefore).toBe(-Infinity);
    }
    schedule.onEmpty(5);
    schedule.onMessages(300, false);
    expect(schedule.notBefore).toBe(550);
  });

  it('tries eight such pulls later whether there is more at once', () => {
    const schedule = new PollSchedule(10_000, full);
    schedule.onMessages(0, false);
    schedule.onEmpty(0);
    for (let now = 0; now < 8; now += 1) {
      schedule.onMessages(now, false);
      expect(schedule.notBefore).toBe(now + 250);
    }
    schedule.onMessages(8, false);
    expect(schedule.notBefore).toBe(-Infinity);
    schedule.onMessages(9, false);
    expect(schedule.notBefore).toBe(-Infinity);
    schedule.onEmpty(10);
    schedule.onMessages(11, false);
    expect(schedule.notBefore).toBe(261);
  });

  it('asks at once after a full pull, whatever came before, and tries anew after it', () => {
    const schedule = new PollSchedule(10_000, full);
    schedule.onMessages(0, false);
    schedule.onEmpty(0);
    schedule.onMessages(1, true);
    expect(schedule.notBefore).toBe(-Infinity);
    schedule.onEmpty(2);
    schedule.onMessages(3, false);
    expect(schedule.notBefore).toBe(-Infinity);
  });

  it('leaves it to the next wake whether there is more, after one that brought less than it asked for', () => {
    const schedule = new PollSchedule(10_000, full);
    schedule.onMessages(0, false, true);
    expect(schedule.notBefore).toBe(250);
    schedule.onMessages(1, true, true);
    expect(schedule.notBefore).toBe(-Infinity);
  });

  it('backs off after what was pushed through the same handle as after an empty pull', () => {
    const schedule = new PollSchedule(10_000, full);
    const delays = [0, 1, 2].map((now) => {
      schedule.onOwn(now, false);
      return schedule.notBefore - now;
    });
    expect(delays).toEqual([250, 500, 1_000]);
    expect(delaysOf(schedule, 2, 3)).toEqual([2_000, 4_000]);
  });

  it('tries one time in nine whether there is more of it where a pull brought all that it asked for', () => {
    const schedule = new PollSchedule(10_000, full);
    schedule.onOwn(0, true);
    expect(schedule.notBefore).toBe(-Infinity);
    schedule.onEmpty(0);
    for (let now = 1; now <= 8; now += 1) {
      schedule.onOwn(now, true);
      expect(schedule.notBefore).toBeGreaterThan(now);
    }
    schedule.onOwn(9, true);
    expect(schedule.notBefore).toBe(-Infinity);
  });

  it('asks every 250 ms for 5 s for what comes again in a while', () => {
    const schedule = new PollSchedule(10_000, full);
    delaysOf(schedule, 8);
    schedule.onEmpty(100_000);
    schedule.onTraffic(100_100);
    expect(schedule.notBefore).toBe(100_350);
    expect(delaysOf(schedule, 3, 105_000)).toEqual([250, 500, 1_000]);
  });

  it('begins anew when it is woken', () => {
    const schedule = new PollSchedule(10_000, full);
    delaysOf(schedule, 8);
    schedule.wake();
    expect(schedule.notBefore).toBe(-Infinity);
    expect(delaysOf(schedule, 2)).toEqual([250, 500]);
  });

  it('draws 0.8 to 1.0 of the delay', () => {
    expect(delaysOf(new PollSchedule(10_000, () => 0), 2)).toEqual([200, 400]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (share) => {
        const [delay = 0] = delaysOf(new PollSchedule(10_000, () => share), 1);
        expect(delay).toBeGreaterThanOrEqual(200);
        expect(delay).toBeLessThan(250.000_1);
      }),
    );
  });
});
