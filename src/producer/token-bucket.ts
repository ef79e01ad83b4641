/** How many requests may be made in a stretch of time. */
export interface RequestLimit {
  /** 1 or more. */
  readonly requests: number;
  /** In milliseconds. */
  readonly perMs: number;
}

/**
 * Spreads requests so that no stretch of `perMs` sees more than `requests` of them: a tenth may come as a burst, the
 * rest at an even pace.
 */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perToken: number;
  #tokens: number;
  #at: number | undefined;

  constructor({ requests, perMs }: RequestLimit) {
    this.#capacity = Math.max(1, Math.floor(requests / 10));
    this.#perToken = perMs / Math.max(1, requests - this.#capacity);
    this.#tokens = this.#capacity;
  }

  /** Takes a token, in advance if there is none. Gives how long to wait for it, in milliseconds. */
  take(now: number): number {
    const elapsed = this.#at === undefined ? 0 : now - this.#at;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsed / this.#perToken);
    this.#at = now;
    this.#tokens -= 1;
    return Math.max(0, -this.#tokens * this.#perToken);
  }
}
