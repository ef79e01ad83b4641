/** A pending timer of a {@link Clock}. */
export interface Timer {
  /** Forgets the timer; a fired or cancelled timer ignores it. */
  cancel(): void;
  /** Lets the timer keep the process alive. A new timer does. */
  ref(): void;
  /** Lets the process exit although the timer is pending. */
  unref(): void;
}

/**
 * Time as the library sees it. Everything that waits or looks at the time does so through this port, so that a test
 * can hold the time in its hand.
 */
export interface Clock {
  /** The wall clock, in milliseconds since the epoch. May jump either way. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back, and may stop while the machine sleeps. */
  monotonic(): number;
  /**
   * Calls `callback` once after `delayMs` milliseconds, in a turn of the event loop of its own.
   *
   * @param delayMs - 0 or more, any size; 0 is the next turn of the event loop.
   */
  setTimer(callback: () => void, delayMs: number): Timer;
}
