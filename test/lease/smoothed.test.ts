import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandlerTime, SmoothedMean } from '../../src/lease/smoothed.ts';

describe('SmoothedMean', () => {
  it('is the first sample, then moves by an eighth', () => {
    const mean = new SmoothedMean();
    expect(mean.value).toBeUndefined();
    mean.observe(80);
    expect(mean.value).toBe(80);
    mean.observe(160);
    expect(mean.value).toBe(90);
    mean.observe(10);
    expect(mean.value).toBe(80);
  });
});

describe('HandlerTime', () => {
  it('begins with the first sample and half of it as deviation', () => {
    const time = new HandlerTime();
    expect(time).toMatchObject({ meanMs: 0, estimateMs: 0, samples: 0 });
    time.observe(100);
    expect(time).toMatchObject({ meanMs: 100, estimateMs: 300, samples: 1 });
  });

  it('lets the deviation rise by a quarter and fall by a sixteenth', () => {
    const time = new HandlerTime();
    time.observe(100);
    // Off by 300, the deviation was 50: up by a quarter of 250.
    time.observe(400);
    expect(time.meanMs).toBe(137.5);
    expect(time.estimateMs).toBe(137.5 + 4 * 112.5);
    // Right on the mean: down by a sixteenth.
    time.observe(137.5);
    expect(time.estimateMs).toBe(137.5 + 4 * 112.5 * (15 / 16));
  });

  it('remembers a stall for a while', () => {
    const time = new HandlerTime();
    for (let index = 0; index < 100; index += 1) time.observe(10);
    const calm = time.estimateMs;
    time.observe(1_000);
    for (let index = 0; index < 10; index += 1) time.observe(10);
    expect(time.estimateMs).toBeGreaterThan(20 * calm);
  });

  it('never estimates less than its mean, and comes to rest on what is constant', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })), (samples) => {
        const time = new HandlerTime();
        for (const sample of samples) {
          time.observe(sample);
          expect(time.estimateMs).toBeGreaterThanOrEqual(time.meanMs);
        }
        for (let index = 0; index < 500; index += 1) time.observe(10);
        expect(time.estimateMs).toBeCloseTo(10, 5);
      }),
    );
  });
});
