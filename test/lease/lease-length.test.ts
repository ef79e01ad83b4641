import { describe, expect, it } from 'vitest';
import type { Lease } from '../../src/lease/lease.ts';
import { swapLeaseMs, usualLeaseMs, workLeaseMs } from '../../src/lease/lease-length.ts';
import { started } from './leases.ts';

/** A message that was started at 0, under a lease of 30 s. */
function running(change: Partial<Pick<Lease, 'finishedBefore' | 'attempts' | 'settledAs'>> = {}): Lease {
  return Object.assign(started('a', 0, 30_000), change);
}

describe('workLeaseMs()', () => {
  const nothing = { finished: 0, meanMs: 0, estimateMs: 0 };

  it('wants nothing while nothing is known', () => {
    expect(workLeaseMs(nothing, new Set(), 5)).toBe(0);
  });

  it('is twice the mean, or what few exceed if that is more', () => {
    expect(workLeaseMs({ finished: 9, meanMs: 40, estimateMs: 50 }, new Set(), 0)).toBe(80);
    expect(workLeaseMs({ finished: 9, meanMs: 40, estimateMs: 120 }, new Set(), 0)).toBe(120);
    expect(usualLeaseMs({ finished: 9, meanMs: 40, estimateMs: 50 })).toBe(80);
  });

  it('is twice what the oldest has taken that still runs', () => {
    const both = new Set([running(), Object.assign(started('b', 0, 30_000), { startedAt: 500 })]);
    expect(workLeaseMs(nothing, both, 1_000)).toBe(2_000);
  });

  it.each([
    [3, 2_000],
    [4, 0],
  ])('takes one that %i others have overtaken for %i ms', (finished, leaseMs) => {
    expect(workLeaseMs({ ...nothing, finished: 7 + finished }, new Set([running({ finishedBefore: 7 })]), 1_000)).toBe(
      leaseMs,
    );
  });
});

describe('swapLeaseMs()', () => {
  it.each<[string, Parameters<typeof running>[0], number, number]>([
    ['is nothing while the lease lasts', {}, 29_979, 0],
    ['is four times what the handler has taken when the lease ends within a round trip', {}, 29_980, 119_920],
    ['is that when it has ended', { attempts: 2 }, 40_000, 160_000],
    ['is as long as can be for the last delivery', { attempts: 3 }, 40_000, Infinity],
    ['is nothing when there is no other delivery', { attempts: 4 }, 40_000, 0],
    ['is nothing for what is settled', { settledAs: 'ack' }, 40_000, 0],
  ])('%s', (_, change, now, leaseMs) => {
    expect(swapLeaseMs(new Set([running(change)]), now, 20, 3)).toBe(leaseMs);
  });
});
