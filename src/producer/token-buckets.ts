import { type RequestLimit, TokenBucket } from './token-bucket.ts';

/** With fewer of them, the full ones are not looked for. */
const fewBuckets = 16;

/**
 * Token buckets by name, each for all who share a limit. To be asked for right before each turn is taken: a bucket that
 * has filled up again is as good as a new one, and is forgotten, so that only those of late are held.
 */
export class TokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>();
  #sweptAt = fewBuckets;

  /** How many are held. */
  get size(): number {
    return this.#buckets.size;
  }

  get(name: string, limit: RequestLimit, now: number): TokenBucket {
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#sweptAt) this.#sweep(now);
    const bucket = new TokenBucket(limit);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  // Not at each new one, so that many of them cost no more than a few.
  #sweep(now: number): void {
    for (const [name, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(name);
    this.#sweptAt = fewBuckets + 2 * this.#buckets.size;
  }
}
