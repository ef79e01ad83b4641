/** How many requests may be made in a stretch of time. */
export interface RequestLimit {
  /** 1 or more. */
  readonly requests: number;
  /** In milliseconds, 1 or more. */
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
  /** The times of turns that were given back, earliest first. */
  #free: number[] = [];

  constructor({ requests, perMs }: RequestLimit) {
    this.#capacity = Math.max(1, Math.floor(requests / 10));
    this.#perToken = perMs / Math.max(1, requests - this.#capacity);
    this.#tokens = this.#capacity;
  }

  /** Takes a turn, in advance if there is none yet. Gives its time: now, or later. */
  take(now: number): number {
    this.#free = this.#free.filter((at) => at > now);
    const free = this.#free.shift();
    if (free !== undefined) return free;
    this.#tokens = this.#tokensAt(now) - 1;
    this.#at = now;
    return now + Math.max(0, -this.#tokens * this.#perToken);
  }

  #tokensAt(now: number): number {
    const elapsed = this.#at === undefined ? 0 : now - this.#at;
    return Math.min(this.#capacity, this.#tokens + elapsed / this.#perToken);
  }

  /** Whether a new bucket would give the same turns. */
  isFull(now: number): boolean {
    return this.#tokensAt(now) === this.#capacity;
  }

  /**
   * Gives back a turn that nobody will use. Whoever asks next gets it, for the time it was for: as a token, it would let
   * others crowd into the turns that were taken after it.
   */
  giveBack(at: number): void {
    this.#free.push(at);
    this.#free.sort((one, other) => one - other);
  }
}
