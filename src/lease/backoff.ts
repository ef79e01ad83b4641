/** The bounds of a growing delay, in milliseconds. */
export interface BackoffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** A delay that doubles with each failure in a row, drawn at random so that many clients don't come back as one. */
export class Backoff {
  readonly #bounds: BackoffBounds;
  readonly #random: () => number;
  #failures = 0;

  constructor(bounds: BackoffBounds, random: () => number) {
    this.#bounds = bounds;
    this.#random = random;
  }

  /** How many failures came in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Notes a failure and gives the delay until the next try, in milliseconds.
   *
   * @param leastShare - the least share of the full delay, 0 (full jitter) to 1 (none)
   */
  fail(leastShare = 0): number {
    const full = Math.min(this.#bounds.maxMs, this.#bounds.firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return full * (leastShare + (1 - leastShare) * this.#random());
  }

  succeed(): void {
    this.#failures = 0;
  }
}
