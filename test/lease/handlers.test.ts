import { describe, expect, it } from 'vitest';
import { SeenHandlers, sumOver } from '../../src/lease/handlers.ts';
import type { Lease } from '../../src/lease/lease.ts';
import { started } from './leases.ts';

const running = (...startedAt: number[]): Set<Lease> => new Set(startedAt.map((at, index) => started(`r${index}`, at)));

describe('sumOver()', () => {
  const value = (handlerMs: number): number => Math.floor(100 / handlerMs);

  it.each([
    ['nothing runs', running(), 3, 30],
    ['what runs is younger than usual', running(95, 96), 3, 30],
    ['one is just as old as usual', running(90), 3, 30],
    ['one is older', running(80, 95), 3, 25],
    ['all are older', running(0, 50, 80), 3, 1 + 2 + 5],
    ['more run than there are handlers', running(0, 0, 0, 0, 0), 3, 3],
    ['no handler is left', running(0), 1, 1],
  ])('when %s', (_, leases, count, sum) => {
    expect(sumOver({ running: leases, count, usualMs: 10 }, 100, value)).toBe(sum);
  });

  it('is a number when the usual time is 0 and every handler is busy', () => {
    expect(sumOver({ running: running(0), count: 1, usualMs: 0 }, 100, value)).toBe(1);
  });
});

describe('SeenHandlers', () => {
  it('counts the idle, never below 0', () => {
    expect(new SeenHandlers(3, running(0)).idle()).toBe(2);
    expect(new SeenHandlers(1, running(0, 0)).idle()).toBe(0);
  });

  it('gives the whole numbers of the estimate, and the average of the mean', () => {
    const handlers = new SeenHandlers(2, running());
    expect(handlers.consumedWithin(1_000, 0)).toBe(0);
    expect(handlers.startableWithin(1_000, 0)).toBe(Infinity);
    handlers.observe(100);
    expect(handlers).toMatchObject({ finished: 1, estimateMs: 300 });
    expect(handlers.startableWithin(1_000, 0)).toBe(6);
    expect(handlers.startableWithin(299, 0)).toBe(0);
    expect(handlers.consumedWithin(250, 0)).toBe(5);
  });
});
