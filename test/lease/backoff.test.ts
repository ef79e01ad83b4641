import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/lease/backoff.ts';

describe('Backoff', () => {
  it('doubles up to the most, and begins anew after a success', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 1_000 }, () => 1);
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.fail())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(backoff.failures).toBe(6);
    backoff.succeed();
    expect(backoff.failures).toBe(0);
    expect(backoff.fail()).toBe(100);
  });

  it('draws the whole delay by default, or what is above the least share', () => {
    const low = new Backoff({ firstMs: 100, maxMs: 1_000 }, () => 0);
    expect([low.fail(), low.fail(0.5), low.fail(1)]).toEqual([0, 100, 400]);
    const half = new Backoff({ firstMs: 100, maxMs: 1_000 }, () => 0.5);
    expect([half.fail(), half.fail(0.5)]).toEqual([50, 150]);
  });

  it('stays finite after any number of failures', () => {
    const backoff = new Backoff({ firstMs: 1, maxMs: Infinity }, () => 1);
    for (let index = 0; index < 5_000; index += 1) backoff.fail();
    expect(backoff.fail()).toBe(2 ** 30);
  });
});
