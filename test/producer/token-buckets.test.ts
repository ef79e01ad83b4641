import { describe, expect, it } from 'vitest';
import { TokenBuckets } from '../../src/producer/token-buckets.ts';

const limit = { requests: 100, perMs: 9_000 };

describe('TokenBuckets', () => {
  it('gives the same bucket for the same name', () => {
    const buckets = new TokenBuckets();
    expect(buckets.get('a', limit, 0)).toBe(buckets.get('a', limit, 0));
    expect(buckets.get('b', limit, 0)).not.toBe(buckets.get('a', limit, 0));
  });

  it('forgets none that has not filled up again', () => {
    const buckets = new TokenBuckets();
    const used = Array.from({ length: 1_000 }, (_, index) => {
      const bucket = buckets.get(`${index}`, limit, 0);
      bucket.take(0);
      return bucket;
    });
    for (let index = 0; index < 1_000; index += 1) buckets.get(`other ${index}`, limit, 99);
    used.forEach((bucket, index) => expect(buckets.get(`${index}`, limit, 99)).toBe(bucket));
  });

  it('holds no more than those of late, however many there were', () => {
    const buckets = new TokenBuckets();
    let most = 0;
    for (let now = 0; now < 100_000; now += 10) {
      buckets.get(`${now}`, limit, now).take(now);
      most = Math.max(most, buckets.size);
    }
    // A bucket that gave one turn is full again after 100 ms: ten at a time are not.
    expect(most).toBeLessThanOrEqual(16 + 2 * 10);
  });
});
