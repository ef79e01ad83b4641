import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchRate, RateLimit } from '../../src/lease/rate-limit.ts';
import { started } from './leases.ts';

const lease = started('a', 0, 30_000);

function rateOf(limit: number, perMs: number, atOnce = 1): RateLimit {
  return new RateLimit({ limit, perMs, atOnce }, (now) => now);
}

/** Starts all that may be at once; gives how many. */
function startAll(rate: RateLimit, now: number, most = Infinity): number {
  let count = 0;
  for (; count < most && rate.startable(now) >= 1; count += 1) rate.onStarted(lease, now);
  return count;
}

/** Starts as soon as may be, going from one `nextAt` to the next; gives the times. */
function startsUntil(rate: RateLimit, from: number, to: number): number[] {
  const times: number[] = [];
  for (let now = from; now <= to; now = rate.nextAt(now)) {
    for (let count = startAll(rate, now); count > 0; count -= 1) times.push(now);
  }
  return times;
}

/** The most starts in any stretch of a length. */
function mostWithin(times: readonly number[], stretchMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of times.entries()) {
    while ((times[first] ?? time) <= time - stretchMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

describe('RateLimit', () => {
  it('lets a tenth start at once, and the others at an even pace', () => {
    const rate = rateOf(50, 1_000);
    expect(startAll(rate, 0)).toBe(6);
    const times = startsUntil(rate, 0.5, 880);
    expect(times).toHaveLength(44);
    for (const [index, time] of times.entries()) expect(time).toBeCloseTo(20 * (index + 1), 1);
  });

  it('starts no more than the limit in a stretch, and keeps the rate', () => {
    for (const [limit, perMs] of [
      [50, 1_000],
      [1, 10_000],
      [7, 100],
      [1_000, 3_600_000],
      [100_000, 1_000],
    ] as const) {
      const stretches = limit > 10_000 ? 3 : 20;
      const times = startsUntil(rateOf(limit, perMs), 0, stretches * perMs - 1);
      expect(mostWithin(times, perMs)).toBeLessThanOrEqual(limit);
      expect(times.length).toBeGreaterThanOrEqual(0.95 * stretches * limit);
    }
  });

  it('counts a start until the stretch is over, to the millisecond and the grain of the clock', () => {
    const rate = rateOf(1, 1_000);
    rate.onStarted(lease, 0);
    expect(rate.startable(1_000.9)).toBe(0);
    expect(rate.startable(1_001)).toBe(1);
  });

  it('catches up with a tenth of a stretch after the event loop was kept, and with no more', () => {
    const rate = rateOf(100, 1_000);
    startsUntil(rate, 0, 500);
    expect(startAll(rate, 700)).toBe(11);
  });

  it('lets a batch start together, however short the pace', () => {
    const rate = rateOf(50, 1_000, 20);
    expect(startAll(rate, 0, 20)).toBe(20);
    expect(rate.startable(0)).toBe(0);
    expect(rate.startable(399)).toBe(19);
    expect(rate.startable(400)).toBe(20);
  });

  it('says how many may be started in a time, as many as are', () => {
    const rates = fc.record({
      limit: fc.integer({ min: 1, max: 30 }),
      perMs: fc.oneof(fc.integer({ min: 30, max: 80 }), fc.constantFrom(1_000, 60_000)),
    });
    const waits = fc.array(fc.tuple(fc.nat(400), fc.nat(20)), { maxLength: 20 });
    fc.assert(
      fc.property(rates, waits, fc.nat(3_000), ({ limit, perMs }, before, windowMs) => {
        const rate = rateOf(limit, perMs);
        let now = 0;
        for (const [ms, most] of before) {
          startAll(rate, now, most);
          now += ms;
        }
        const said = rate.startableWithin(windowMs, now);
        const are = startsUntil(rate, now, now + windowMs + 0.001).length;
        expect(are).toBeLessThanOrEqual(said);
        // What the stretch holds back and what the pace does may not add up.
        expect(said - are).toBeLessThanOrEqual(Math.ceil(limit / 10) * Math.ceil((windowMs + 1) / (perMs + 1)));
      }),
    );
  });

  it('starts no more than the limit in any stretch, whenever it is asked and whatever it is not asked for', () => {
    const rates = fc.record<BatchRate>({
      limit: fc.integer({ min: 1, max: 40 }),
      perMs: fc.integer({ min: 1, max: 2_000 }),
      atOnce: fc.integer({ min: 1, max: 10 }),
    });
    const turns = fc.array(fc.tuple(fc.double({ min: 0, max: 300, noNaN: true }), fc.nat(20)), { maxLength: 200 });
    fc.assert(
      fc.property(rates, turns, (plan, waits) => {
        const rate = new RateLimit(plan, (now) => now - 1e12);
        const times: number[] = [];
        let now = 1e12;
        for (const [ms, most] of waits) {
          now += ms;
          for (let count = startAll(rate, now, most); count > 0; count -= 1) times.push(now);
        }
        expect(mostWithin(times, plan.perMs)).toBeLessThanOrEqual(plan.limit);
      }),
    );
  });

  it('never names a time at which no more may be started than before', () => {
    const plans = fc.record({ limit: fc.integer({ min: 1, max: 1_000 }), perMs: fc.integer({ min: 1, max: 100_000 }) });
    fc.assert(
      fc.property(plans, fc.nat(500), fc.double({ min: 0, max: 1, noNaN: true }), (plan, count, fraction) => {
        const rate = new RateLimit({ ...plan, atOnce: 1 }, (now) => now - 1.7e12);
        let now = 1.7e12 + fraction;
        for (let index = 0; index < count; index += 1) {
          const before = rate.startable(now);
          if (before > 0 && index % 3 > 0) rate.onStarted(lease, now);
          else {
            const next = rate.nextAt(now);
            if (next === Infinity) break;
            expect(rate.startable(next)).toBeGreaterThan(before);
            now = next;
          }
        }
      }),
    );
  });

  it('has nothing to wait for once as many may be started as ever', () => {
    const rate = rateOf(50, 1_000);
    expect(rate.nextAt(0)).toBe(Infinity);
    rate.onStarted(lease, 0);
    expect(rate.nextAt(0)).toBeCloseTo(20, 5);
    expect(rate.nextAt(20)).toBe(Infinity);
  });

  it('goes by the monotonic clock: a clock that is set forward gives no more', () => {
    let offset = 0;
    const rate = new RateLimit({ limit: 1, perMs: 1_000, atOnce: 1 }, (now) => now - offset);
    rate.onStarted(lease, 0);
    offset = 5_000;
    expect(rate.startable(5_010)).toBe(0);
    expect(rate.nextAt(5_010)).toBe(6_001);
  });

  it('counts starts that are remembered together for as long as the last of them', () => {
    const rate = rateOf(3, 10_000, 3);
    for (const now of [0, 5, 9]) rate.onStarted(lease, now);
    expect(rate.startable(10_009.9)).toBe(0);
    expect(rate.startable(10_010)).toBe(3);
  });

  it('remembers a bounded number of starts, and never too few', () => {
    const rate = rateOf(1e15, 86_400_000);
    for (let now = 0; now < 200_000; now += 1) rate.onStarted(lease, now);
    expect(rate.startable(200_000)).toBeGreaterThan(1e9);
    const full = rateOf(100_000, 1_000);
    const times = startsUntil(full, 0, 4_000);
    expect(mostWithin(times, 1_000)).toBeLessThanOrEqual(100_000);
  });
});
