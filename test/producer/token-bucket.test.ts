import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/producer/token-bucket.ts';

describe('TokenBucket', () => {
  it('lets a tenth come as a burst, the rest at an even pace', () => {
    const bucket = new TokenBucket({ requests: 100, perMs: 9_000 });
    expect(Array.from({ length: 12 }, () => bucket.take(0))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
    expect(bucket.take(1_000)).toBe(1_000);
  });

  it('gives turns that were given back to whoever asks next, earliest first, each for its own time', () => {
    const bucket = new TokenBucket({ requests: 10, perMs: 9_000 });
    expect(Array.from({ length: 5 }, () => bucket.take(0))).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
    for (const at of [3_000, 1_000, 2_000]) bucket.giveBack(at);
    expect(Array.from({ length: 3 }, () => bucket.take(1_500))).toEqual([2_000, 3_000, 5_000]);
  });

  it('never lets more than `requests` into any stretch of `perMs`', () => {
    const limit = fc.record({ requests: fc.integer({ min: 1, max: 60 }), perMs: fc.integer({ min: 1, max: 5_000 }) });
    const gap = fc.oneof(fc.constant(0), fc.nat(20), fc.nat(3_000));
    // Some give their turn back, a few requests later, if its time has not come by then.
    const request = fc.record({ wait: gap, givenBackAfter: fc.option(fc.nat(30), { nil: undefined }) });
    fc.assert(
      fc.property(limit, fc.array(request, { maxLength: 200, size: 'max' }), ({ requests, perMs }, plan) => {
        const bucket = new TokenBucket({ requests, perMs });
        let now = 0;
        const turns: Array<{ readonly at: number; readonly until: number }> = [];
        const times: number[] = [];
        plan.forEach(({ wait, givenBackAfter = Infinity }, index) => {
          now += wait;
          for (const turn of turns.filter(({ until }) => until === index)) {
            if (turn.at > now) bucket.giveBack(turn.at);
            else times.push(turn.at);
          }
          const at = bucket.take(now);
          expect(at).toBeGreaterThanOrEqual(now);
          turns.push({ at, until: index + 1 + givenBackAfter });
        });
        times.push(...turns.filter(({ until }) => until >= plan.length).map(({ at }) => at));
        times.sort((one, other) => one - other);
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
        for (let index = 0; index < 300; index += 1)
          expect(bucket.take(index * pace) - index * pace).toBeLessThan(1e-6);
      }),
    );
  });
});
