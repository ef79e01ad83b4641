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
  /** The last reading, and the wall clock's at that time. */
  #read: number;
  #readAtWall = Number.NaN;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lead = clock.now() - clock.monotonic();
    this.#offset = this.#lead;
    this.#read = this.now();
  }

  /**
   * The last reading if it was made in this millisecond of the wall clock, or a new one: for what is asked for every
   * message, where reading both clocks costs as much as all else.
   */
  recent(): number {
    return this.#clock.now() === this.#readAtWall ? this.#read : this.now();
  }

  /** Milliseconds; never goes back. Comparable only with other readings of the same object. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    const wall = this.#clock.now();
    const lead = wall - monotonic;
    if (lead > this.#lead) {
      this.#offset += lead - this.#lead;
      this.#lead = lead;
    } else if (lead < this.#lead - setBackMs) {
      // From here on, the next sleep is measured against the clock as it was set.
      this.#lead = lead;
    }
    this.#readAtWall = wall;
    this.#read = monotonic + this.#offset;
    return this.#read;
  }

  /** The monotonic clock's reading at a steady time, as it looked when the time was last read. */
  toMonotonic(steadyMs: number): number {
    return steadyMs - this.#offset;
  }

  /** The wall clock's reading at a steady time, as it looks now. */
  toWall(steadyMs: number): number {
    return this.#clock.now() + (steadyMs - this.now());
  }
}
