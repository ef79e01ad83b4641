import type { Clock, Timer } from '../contract/clock.ts';
import { HomeContext } from '../contract/home-context.ts';
import type { SteadyTime } from './steady-time.ts';

/**
 * Calls `turn` once in the next turn of the event loop however often it is asked for, and once more at the time that
 * the last turn named. One timer serves everything that waits for the time.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #time: SteadyTime;
  readonly #turn: (waitedMs: number) => void;
  #next: Timer | undefined;
  /** When the next turn was asked for, in steady milliseconds. */
  #askedAt = 0;
  #watchdog: Timer | undefined;
  /** Of whoever opened the consumer, in which everything is done that nobody waits for. */
  #home = new HomeContext();
  /** When it barks, on the monotonic clock, which is the one that timers go by. */
  #barksAt = Infinity;

  /** @param turn - is told how long the turn was waited for, in milliseconds: for so long the event loop was not free */
  constructor(clock: Clock, time: SteadyTime, turn: (waitedMs: number) => void) {
    this.#clock = clock;
    this.#time = time;
    this.#turn = turn;
  }

  /** From now on turns are taken in the async context of whoever calls this. */
  open(): void {
    this.#home = new HomeContext();
  }

  /** Does something there, before anything else is waited for. */
  atHome(work: () => void): void {
    this.#home.run(work);
  }

  /** Asks for a turn soon. */
  soon(): void {
    if (this.#next !== undefined) return;
    this.#askedAt = this.#time.now();
    this.#next = this.#clock.setTimer(() => this.now(), 0);
  }

  /** How long a turn has been waited for, in milliseconds: as long as that, the event loop was not free. */
  waitedMs(now: number): number {
    return this.#next === undefined ? 0 : now - this.#askedAt;
  }

  /**
   * Takes the turn that was asked for at once, in a microtask.
   *
   * @param lateMs - for how long it has been due
   */
  now(lateMs = 0): void {
    const waitedMs = Math.max(lateMs, this.waitedMs(this.#time.now()));
    this.#next?.cancel();
    this.#next = undefined;
    this.#home.run(() => this.#turn(waitedMs));
  }

  /**
   * Asks for a turn at a steady time, in place of the time asked for before.
   *
   * @param keepsAlive - whether the process is to stay for it
   */
  at(time: number, keepsAlive: boolean): void {
    // After a sleep the same time comes sooner than the watchdog was set for.
    const barksAt = this.#time.toMonotonic(time);
    if (barksAt !== this.#barksAt) {
      this.#watchdog?.cancel();
      this.#barksAt = barksAt;
      this.#watchdog = time === Infinity ? undefined : this.#watchUntil(barksAt);
    }
    if (keepsAlive) this.#watchdog?.ref();
    else this.#watchdog?.unref();
  }

  #watchUntil(barksAt: number): Timer {
    return this.#clock.setTimer(() => this.#bark(), Math.max(0, barksAt - this.#clock.monotonic()));
  }

  #bark(): void {
    const lateMs = this.#clock.monotonic() - this.#barksAt;
    this.#watchdog = undefined;
    this.#barksAt = Infinity;
    this.now(lateMs);
  }

  /** No turn any more. */
  cancel(): void {
    this.#next?.cancel();
    this.#watchdog?.cancel();
  }
}
