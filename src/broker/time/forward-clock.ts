import type { Clock, Timer } from '../../contract/clock.ts';

/**
 * A clock whose wall clock never goes back: where somebody sets that of the machine back, it goes on by the monotonic one
 * until the machine's is there again. Else ages would be negative, and what was visible hidden for as long.
 */
export class ForwardClock implements Clock {
  readonly #clock: Clock;
  /** By how much the wall clock led the monotonic one at most. */
  #lead = -Infinity;
  #last = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    const wall = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    this.#lead = Math.max(this.#lead, wall - monotonic);
    // Whole milliseconds, as those of the machine are.
    this.#last = Math.max(this.#last, wall, Math.floor(monotonic + this.#lead));
    return this.#last;
  }

  /** Makes it a time, or later: of what was kept by a broker before, nothing is from the future. */
  startAt(ms: number): void {
    this.#lead = Math.max(this.#lead, ms - this.#clock.monotonic());
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#clock.setTimer(callback, delayMs);
  }
}
