import { describe, expect, it } from 'vitest';
import { SeenHandlers } from '../../src/lease/handlers.ts';
import { RunningLeases } from '../../src/lease/running-leases.ts';
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

  it('passes on what the handlers observe', () => {
    const limited = handlers(limit(1, 1));
    expect([limited.finished, limited.meanMs, limited.atOnce]).toEqual([1, 10, 1]);
  });
});
