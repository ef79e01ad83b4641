import type { Clock, Timer } from '../../src/contract/clock.ts';

/**
 * The clock of one consumer's machine: it runs with the true time, may be set by hand, and counts the timers that were
 * set through it.
 */
export class MachineClock implements Clock {
  readonly #truth: Clock;
  readonly #pending = new Set<Timer>();
  #offsetMs = 0;
  /** What happened since anybody looked at it. */
  #wasSetBack = false;
  #hasSlept = false;
  /** It was set back and it slept before anybody looked: nobody on this machine can know for how long. */
  isDeceived = false;

  /** @param truth - the clock of the world */
  constructor(truth: Clock) {
    this.#truth = truth;
  }

  now(): number {
    this.#wasSetBack = false;
    this.#hasSlept = false;
    return this.#truth.now() + this.#offsetMs;
  }

  monotonic(): number {
    return this.#truth.monotonic();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = this.#truth.setTimer(() => {
      this.#pending.delete(counted);
      callback();
    }, delayMs);
    const counted: Timer = {
      cancel: () => {
        this.#pending.delete(counted);
        timer.cancel();
      },
      ref: () => timer.ref(),
      unref: () => timer.unref(),
    };
    this.#pending.add(counted);
    return counted;
  }

  /** The same clock for something else on this machine, whose timers are not counted. */
  get beside(): Clock {
    return {
      now: () => this.now(),
      monotonic: () => this.monotonic(),
      setTimer: (callback, delayMs) => this.#truth.setTimer(callback, delayMs),
    };
  }

  /** How many timers were set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Somebody sets this machine's wall clock. */
  jump(ms: number): void {
    this.#offsetMs += ms;
    this.#wasSetBack ||= ms < 0;
    this.isDeceived ||= this.#wasSetBack && this.#hasSlept;
  }

  /** The machine sleeps; its clock is the truth's, and stands still with it. */
  sleep(): void {
    this.#hasSlept = true;
    this.isDeceived ||= this.#wasSetBack;
  }
}

/** The clock of the broker's machine, which never sleeps, and whose wall clock may be set by hand. */
export class BrokerClock implements Clock {
  readonly #truth: Clock;
  readonly #startedAt: number;
  #offsetMs = 0;

  /** @param truth - the clock of the world, whose wall clock nobody sets */
  constructor(truth: Clock) {
    this.#truth = truth;
    this.#startedAt = truth.now();
  }

  now(): number {
    return this.#truth.now() + this.#offsetMs;
  }

  monotonic(): number {
    return this.#truth.now() - this.#startedAt;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#truth.setTimer(callback, delayMs);
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#offsetMs += ms;
  }
}
