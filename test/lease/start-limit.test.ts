import { describe, expect, it } from 'vitest';
import { started } from './leases.ts';
import { SeenHandlers } from '../../src/lease/handlers.ts';
import { RunningLeases } from '../../src/lease/running-leases.ts';
import { RateLimit } from '../../src/lease/rate-limit.ts';
import { LimitedHandlers, type StartLimit } from '../../src/lease/start-limit.ts';

/** So many now, and so many more each 100 ms. */
function limit(now: number, each: number): StartLimit {
  return {
    startable: () => now,
    startableWithin: (windowMs) => now + Math.floor(windowMs / 100) * each,
    nextAt: () => Infinity,
    onStarted: () => undefined,
  };
}

function handlers(...limits: StartLimit[]): LimitedHandlers {
  const limited = new LimitedHandlers(new SeenHandlers(10, new RunningLeases()), limits);
  limited.observe(10, 0);
  return limited;
}

describe('LimitedHandlers', () => {
  it('has no more idle than each limit lets start', () => {
    expect(handlers().idle(0)).toBe(10);
    expect(handlers(limit(3, 0), limit(5, 0)).idle(0)).toBe(3);
    expect(handlers(limit(20, 0)).idle(0)).toBe(10);
    expect(handlers(limit(0, 1)).idle(0)).toBe(0);
  });

  it('starts no more in a time than each limit allows', () => {
    expect(handlers(limit(2, 1)).startableWithin(500, 0)).toBe(7);
    expect(handlers(limit(2, 1)).consumedWithin(300, 0)).toBe(5);
    expect(handlers(limit(1_000, 0)).consumedWithin(300, 0)).toBe(300);
  });

  it('lets pulls wait until more than is held may start soon, or all of a batch', () => {
    const rate = new RateLimit({ limit: 10, perMs: 1_000, atOnce: 1 }, (now) => now);
    for (let count = 0; count < 2; count += 1) rate.onStarted(started('a', 0), 0);
    const pullAt = (held: number, soonMs: number, now: number): number => handlers(rate).pullAt(held, soonMs, now);
    expect(pullAt(0, 200, 0)).toBe(-Infinity);
    expect(pullAt(2, 200, 0)).toBe(100);
    expect(pullAt(0, 50, 0)).toBe(50);
    expect(pullAt(0, 50, 49)).toBe(50);
    expect(pullAt(0, 50, 50)).toBe(-Infinity);
    expect(pullAt(1, 50, 60)).toBe(100);
    const batches = new LimitedHandlers(new SeenHandlers(10, new RunningLeases(), 2), [rate]);
    expect(batches.pullAt(0, 50, 0)).toBe(50);
    expect(batches.pullAt(0, 50, 60)).toBe(100);
    expect(batches.pullAt(0, 50, 150)).toBe(-Infinity);
    expect(handlers().pullAt(1_000, 0, 0)).toBe(-Infinity);
  });

  it('waits for no batch that may never start, but for no more than may', () => {
    const batches = new LimitedHandlers(new SeenHandlers(10, new RunningLeases(), 10), [limit(1, 0)]);
    expect(batches.pullAt(0, 100, 0)).toBe(-Infinity);
    expect(batches.pullAt(1, 100, 0)).toBe(Infinity);
  });

  it('passes on what the handlers observe', () => {
    const limited = handlers(limit(1, 1));
    expect([limited.finished, limited.meanMs, limited.atOnce]).toEqual([1, 10, 1]);
  });
});
