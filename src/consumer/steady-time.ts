import type { Clock } from '../contract/clock.ts';

/**
 * Elapsed time by the larger of a clock's two readings: the monotonic one stops while a laptop sleeps, the wall clock
 * can be set back. Leases go on in both cases, so what looks longer counts.
 */
export class SteadyTime {
  readonly #clock: Clock;
  /** The largest lead of the wall clock over the monotonic one, so that a wall clock set back changes nothing. */
  #lead: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lead = clock.now() - clock.monotonic();
  }

  /** Milliseconds; never goes back. Comparable only with other readings of the same object. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    const lead = this.#clock.now() - monotonic;
    if (lead > this.#lead) this.#lead = lead;
    return monotonic + this.#lead;
  }

  /** The wall clock's reading at a steady time, as it looks now. */
  toWall(steadyMs: number): number {
    return this.#clock.now() + (steadyMs - this.now());
  }
}
