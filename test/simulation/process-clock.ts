import type { Clock, Timer } from '../../src/contract/clock.ts';

/** The clock of what runs in one process: once that has vanished, none of its timers fires. */
export class ProcessClock implements Clock {
  readonly #truth: Clock;
  /** Nothing that runs in it may do anything any more. */
  hasVanished = false;

  /** @param truth - the clock of the world */
  constructor(truth: Clock) {
    this.#truth = truth;
  }

  now(): number {
    return this.#truth.now();
  }

  monotonic(): number {
    return this.#truth.monotonic();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#truth.setTimer(() => {
      if (!this.hasVanished) callback();
    }, delayMs);
  }
}

/** What is waited for in a process that has vanished. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
