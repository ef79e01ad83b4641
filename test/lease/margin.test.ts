import { describe, expect, it } from 'vitest';
import { marginMs } from '../../src/lease/margin.ts';

describe('marginMs()', () => {
  it.each([
    [30_000, 0, 1_500],
    [30_000, 750, 1_500],
    [30_000, 751, 1_502],
    [30_000, 3_750, 7_500],
    [30_000, 3_751, 7_500],
    [30_000, 1e9, 7_500],
    [100, 0, 5],
  ])('of a lease of %i ms with a round trip of %i is %i', (timeoutMs, roundTripMs, margin) => {
    expect(marginMs(timeoutMs, roundTripMs)).toBe(margin);
  });
});
