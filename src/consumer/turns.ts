import type { Clock, Timer } from '../contract/clock.ts';

/**
 * Calls `turn` once in the next turn of the event loop however often it is asked for, and once more at the time that
 * the last turn named. One timer serves everything that waits for the time.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #turn: () => void;
  #next: Timer | undefined;
  #watchdog: Timer | undefined;
  #watchdogAt = Infinity;

  constructor(clock: Clock, turn: () => void) {
    this.#clock = clock;
    this.#turn = turn;
  }

  /** Asks for a turn soon. */
  soon(): void {
    this.#next ??= this.#clock.setTimer(() => this.now(), 0);
  }

  /** Takes the turn that was asked for at once. */
  now(): void {
    this.#next?.cancel();
    this.#next = undefined;
    this.#turn();
  }

  /**
   * Asks for a turn at a time, in place of the time asked for before.
   *
   * @param keepsAlive - whether the process is to stay for it
   */
  at(time: number, now: number, keepsAlive: boolean): void {
    if (time !== this.#watchdogAt) {
      this.#watchdog?.cancel();
      this.#watchdogAt = time;
      this.#watchdog =
        time === Infinity ? undefined : this.#clock.setTimer(() => this.#bark(), Math.max(0, time - now));
    }
    if (keepsAlive) this.#watchdog?.ref();
    else this.#watchdog?.unref();
  }

  #bark(): void {
    this.#watchdog = undefined;
    this.#watchdogAt = Infinity;
    this.now();
  }

  /** No turn any more. */
  cancel(): void {
    this.#next?.cancel();
    this.#watchdog?.cancel();
  }
}
