import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/producer/token-bucket.ts';

describe('TokenBucket', () => {
  it('lets a tenth come as a burst, the rest at an even pace', () => {
    const bucket = new TokenBucket({ requests: 100, perMs: 9_000 });
    expect(Array.from({ length: 12 }, () => bucket.take(0))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
    expect(bucket.take(1_000)).toBe(0);
  });

  it('never lets more than `requests` into any stretch of `perMs`', () => {
    const limit = fc.record({ requests: fc.integer({ min: 1, max: 60 }), perMs: fc.integer({ min: 1, max: 5_000 }) });
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(3_000)), { maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(limit, gaps, ({ requests, perMs }, waits) => {
        const bucket = new TokenBucket({ requests, perMs });
        let now = 0;
        const times = waits.map((wait) => {
          now += wait;
          return now + bucket.take(now);
        });
        for (let first = 0; first + requests < times.length; first += 1) {
          const stretch = (times[first + requests] ?? 0) - (times[first] ?? 0);
          expect(stretch).toBeGreaterThanOrEqual(perMs * (1 - 1e-9));
        }
      }),
    );
  });

  it('never makes anyone wait who keeps to the pace', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (requests) => {
        const bucket = new TokenBucket({ requests, perMs: 1_000 });
        const pace = 1_000 / Math.max(1, requests - Math.max(1, Math.floor(requests / 10)));
        for (let index = 0; index < 300; index += 1) expect(bucket.take(index * pace)).toBeLessThan(1e-6);
      }),
    );
  });
});
