import type { Clock } from '../contract/clock.ts';

/**
 * By how much the wall clock's lead must fall to count as set back, in milliseconds. Below that lies what the two clocks'
 * different grain makes of it, which must not be counted as time again and again.
 */
const setBackMs = 2;

/**
 * Elapsed time by the larger of a clock's two readings: the monotonic one stops while a laptop sleeps, the wall clock
 * can be set back. Leases go on in both cases, so what looks longer counts.
 */
export class SteadyTime {
  readonly #clock: Clock;
  /** By how much the wall clock led the monotonic one when that last counted. */
  #lead: number;
  /** What is added to the monotonic clock: the first lead, and every rise of the lead since. */
  #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lead = clock.now() - clock.monotonic();
    this.#offset = this.#lead;
  }

  /** Milliseconds; never goes back. Comparable only with other readings of the same object. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    const lead = this.#clock.now() - monotonic;
    if (lead > this.#lead) {
      this.#offset += lead - this.#lead;
      this.#lead = lead;
    } else if (lead < this.#lead - setBackMs) {
      // From here on, the next sleep is measured against the clock as it was set.
      this.#lead = lead;
    }
    return monotonic + this.#offset;
  }

  /** The wall clock's reading at a steady time, as it looks now. */
  toWall(steadyMs: number): number {
    return this.#clock.now() + (steadyMs - this.now());
  }
}
