import { describe, expect, it } from 'vitest';
import { hashOf } from '../../src/lease/id-hash.ts';

/** Ids as transports give them, by their number. */
const forms: Readonly<Record<string, (n: number) => string>> = {
  'a counter': (n) => String(n),
  'a counter in hexadecimal, 32 long': (n) => n.toString(16).padStart(32, '0'),
  'a counter before a host': (n) => `${n}@consumer-7.queue.example.com`,
  'a UUIDv7, by the millisecond': (n) => `0197${(0x10000000 + n).toString(16)}-7000-8000-0123456789ab`,
  'a ULID, by the millisecond': (n) => `01JX${n.toString(32).toUpperCase().padStart(6, '0')}0123456789ABCDEF`,
  'a path with a counter': (n) => `accounts/0123456789abcdef/queues/jobs/messages/${n}`,
};

describe('hashOf()', () => {
  it.each(Object.keys(forms))('spreads ids of the form: %s', (form) => {
    const buckets = new Map<number, number>();
    const count = 16_384;
    for (let n = 0; n < count; n += 1) {
      const bucket = hashOf(forms[form]?.(n) ?? '') & (count - 1);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    }
    // Thrown at random they leave 1 / e of the buckets empty, and put 7 or 8 into the fullest.
    expect(buckets.size).toBeGreaterThan(0.6 * count);
    expect(Math.max(...buckets.values())).toBeLessThanOrEqual(12);
  });

  it('gives a whole number that needs no box, the same for the same id', () => {
    for (const id of ['', 'a', 'é', '😀'.repeat(100)]) {
      expect(hashOf(id)).toBe(hashOf(id));
      expect(hashOf(id) | 0).toBe(hashOf(id));
    }
  });
});
