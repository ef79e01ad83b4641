import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growingDelaySeconds } from '../../src/lease/retry-delay.ts';

describe('growingDelaySeconds()', () => {
  it.each([
    [1, 0, 1],
    [1, 0.99, 2],
    [2, 0, 2],
    [3, 0.5, 6],
    [8, 0.999, 256],
    [9, 0, 150],
    [9, 0.999, 300],
    [101, 0.999, 300],
  ])('after attempt %i with a draw of %d is %i s', (attempts, draw, seconds) => {
    expect(growingDelaySeconds(attempts, () => draw)).toBe(seconds);
  });

  it('is a whole number from 1 to 300, never 0', () => {
    const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000 }), draw, (attempts, drawn) => {
        const seconds = growingDelaySeconds(attempts, () => drawn);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(300);
      }),
    );
  });
});
