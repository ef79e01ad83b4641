import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentIds } from '../../src/lease/recent-ids.ts';

describe('RecentIds', () => {
  it('remembers at least so many, and at most twice as many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(20)), (capacity, numbers) => {
        const recent = new RecentIds(capacity);
        for (const number of numbers) recent.add(String(number));
        const order = [...new Set(numbers.toReversed())].map(String);
        for (const id of order.slice(0, capacity)) expect(recent.has(id)).toBe(true);
        expect(order.filter((id) => recent.has(id)).length).toBeLessThanOrEqual(2 * capacity);
      }),
    );
  });

  it('has not what it was never given', () => {
    expect(new RecentIds(10).has('a')).toBe(false);
  });
});
