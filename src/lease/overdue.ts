/** How many times the usual a round trip may take. A pull of this API is no long poll: it is answered at once. */
const usualTimes = 10;

/** How long a round trip may take however short the usual ones are, and before the first is known, in milliseconds. */
const leastMs = { known: 500, unknown: 1_000 };

/** The most that may be waited for an answer before others are tried, in milliseconds. */
const mostMs = 30_000;

/**
 * When an answer is overdue. Each one that is, in a row, doubles the time for the next: where nothing is answered any more,
 * asking beside what was asked is of little use.
 */
export class OverdueTime {
  #inARow = 0;

  /** How long an answer may take, in milliseconds. */
  limitMs(roundTripMs: number): number {
    const usualMs = roundTripMs === 0 ? leastMs.unknown : Math.max(leastMs.known, usualTimes * roundTripMs);
    return Math.min(mostMs, usualMs * 2 ** Math.min(this.#inARow, 6));
  }

  /** An answer is overdue. */
  note(): void {
    this.#inARow += 1;
  }

  /** An answer came in time. */
  reset(): void {
    this.#inARow = 0;
  }
}
