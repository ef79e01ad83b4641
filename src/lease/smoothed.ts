/** An exponentially smoothed mean with gain 1/8; `undefined` before the first sample. */
export class SmoothedMean {
  // Always a number, so that a sample allocates nothing.
  #mean = Number.NaN;

  get value(): number | undefined {
    return Number.isNaN(this.#mean) ? undefined : this.#mean;
  }

  observe(sample: number): void {
    this.#mean = Number.isNaN(this.#mean) ? sample : this.#mean + (sample - this.#mean) / 8;
  }
}

/**
 * How long a handler takes, judged from those that finished: a smoothed mean and a mean deviation.
 *
 * The deviation rises with gain 1/4 and falls with gain 1/16: a stall must not be forgotten after a few quick messages.
 */
export class HandlerTime {
  #mean = 0;
  #deviation = 0;
  #samples = 0;

  observe(durationMs: number): void {
    this.#samples += 1;
    if (this.#samples === 1) {
      this.#mean = durationMs;
      this.#deviation = durationMs / 2;
      return;
    }
    const error = durationMs - this.#mean;
    const deviationError = Math.abs(error) - this.#deviation;
    this.#mean += error / 8;
    this.#deviation += deviationError * (deviationError > 0 ? 1 / 4 : 1 / 16);
  }

  /** The smoothed mean in milliseconds; 0 before the first sample. */
  get meanMs(): number {
    return this.#mean;
  }

  /** The mean deviation in milliseconds; 0 before the first sample. */
  get deviationMs(): number {
    return this.#deviation;
  }

  /** A time that few handlers exceed, in milliseconds: the mean plus four mean deviations. */
  get estimateMs(): number {
    return this.#mean + 4 * this.#deviation;
  }

  /** How many were observed. */
  get samples(): number {
    return this.#samples;
  }
}
