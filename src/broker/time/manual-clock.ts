import { checkNumber, rule } from '../../contract/check-options.ts';
import type { Clock, Timer } from '../../contract/clock.ts';
import { checkNames } from '../../contract/check-names.ts';
import { callNextTurn, passTurns } from './event-loop-turn.ts';
import { Heap } from '../queue/heap.ts';
import { ManualTimer } from './manual-timer.ts';

// The range of a Date.
const maxTimeMs = 8.64e15;

const defaults = { now: Date.UTC(2026, 0, 1), withinMs: 86_400_000 } as const;

// Promise work that itself takes a turn or two (a body being read, a stream) has to settle between timers as well.
const settlingTurns = 3;
// A timer that sets itself anew with no delay, or with less than it blocks for, would otherwise hang the test without a
// word.
const maxTimersAtOnce = 100_000;

/**
 * A clock that a test moves by hand.
 *
 * - Time stands still until {@link ManualClock.advance | advance()} moves it. Timers then fire in the order of their
 *   times, those of one time in the order in which they were set, each in a turn of its own: all promise work that is
 *   pending settles before the first timer and after each one.
 * - A timer with no delay is "the next turn of the event loop": it fires by itself in the next real turn, without
 *   `advance()`, unless an `advance()` under way comes to it first.
 * - The clock never keeps the process alive, `ref()` or not; {@link ManualClock.refedTimers | refedTimers} tells what
 *   would.
 *
 * @example
 * ```ts
 * import { createBroker, ManualClock } from 'leasestream/broker';
 *
 * const clock = new ManualClock();
 * const broker = createBroker({ clock, queues: { jobs: {} } });
 * broker.push('jobs', { body: 'hello', delaySeconds: 30 });
 * await clock.advance(30_000);
 * console.log(broker.inspect('jobs').counts.ready); // 1
 * ```
 */
export class ManualClock implements Clock {
  readonly #timers = new Heap<ManualTimer>();
  #now: number;
  #monotonic = 0;
  #sequence = 0;
  #lastAdvance: Promise<void> = Promise.resolve();

  /**
   * Makes a clock that stands still.
   *
   * @param options - `now`: where the wall clock starts, in milliseconds since the epoch.
   * @defaultValue `now` is 2026-01-01T00:00:00Z
   * @throws TypeError or RangeError when `now` is not a number within the range of a `Date`
   */
  constructor(options: { readonly now?: number } = {}) {
    checkNames('make a clock', options, { kind: 'option', allowed: ['now'] });
    const { now = defaults.now } = options;
    checkNumber('make a clock', 'now', now, [-maxTimeMs, maxTimeMs]);
    this.#now = now;
  }

  /** The wall clock's time, in milliseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** How far the clock was moved, in milliseconds. */
  monotonic(): number {
    return this.#monotonic;
  }

  /**
   * Calls `callback` when the clock has moved on by `delayMs` milliseconds, 0 or more; `Infinity` never fires.
   *
   * @throws RangeError when `delayMs` is negative or not a number
   */
  setTimer(callback: () => void, delayMs: number): Timer {
    if (typeof delayMs !== 'number' || !(delayMs >= 0)) {
      throw new RangeError(rule('set a timer', 'delayMs', '0 or more', delayMs));
    }
    const timer = new ManualTimer(this.#timers, callback, this.#monotonic + delayMs, this.#sequence);
    this.#sequence += 1;
    this.#timers.add(timer);
    if (delayMs === 0) callNextTurn(() => timer.fire());
    return timer;
  }

  /** How many timers are set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** How many of them would keep a process alive; walks over all. */
  get refedTimers(): number {
    let count = 0;
    for (const timer of this.#timers.values()) if (timer.refed) count += 1;
    return count;
  }

  /**
   * Moves both clocks forward and fires what becomes due, timers set meanwhile included. Calls that overlap run one
   * after the other. It goes further than it was told only where something {@link ManualClock.block | blocks} for longer.
   *
   * @param ms - 0 or more milliseconds; 0 fires what is due now
   * @throws whatever a timer's callback throws (the time then stands at that timer), and an `Error` when 100 000
   * timers in a row are due as soon as they are set
   */
  advance(ms: number): Promise<void> {
    checkNumber('advance the clock', 'ms', ms, [0, maxTimeMs]);
    const done = this.#lastAdvance.then(() => this.#advanceTo(this.#monotonic + ms));
    this.#lastAdvance = done.catch(() => undefined);
    return done;
  }

  /**
   * Moves from timer to timer until the promise settles.
   *
   * @param promise - what to wait for
   * @param options - `withinMs`: how far the clock may go
   * @defaultValue `withinMs` is 86 400 000, one day
   * @returns what the promise fulfils with
   * @throws what the promise rejects with, or an `Error` when no timer within `withinMs` is left that could settle it
   */
  async runUntil<Value>(promise: PromiseLike<Value>, options: { readonly withinMs?: number } = {}): Promise<Value> {
    checkNames('run on', options, { kind: 'option', allowed: ['withinMs'] });
    const end = this.#monotonic + (options.withinMs ?? defaults.withinMs);
    let settled = false;
    const markSettled = (): void => {
      settled = true;
    };
    promise.then(markSettled, markSettled);
    await passTurns(settlingTurns);
    while (!settled) {
      const next = this.#timers.peek();
      if (next === undefined || next.dueAt > end) {
        throw new Error(
          `Cannot run on: the promise is pending and none of ${this.pendingTimers} timers is due in time`,
        );
      }
      await this.advance(Math.max(0, next.dueAt - this.#monotonic));
    }
    return promise;
  }

  /**
   * Code computes and keeps the event loop: both clocks go on at once, and no timer fires meanwhile. What became due
   * fires afterwards, in order, each in a turn of its own: by the `advance()` or `runUntil()` under way, or by the next.
   *
   * For handlers and callbacks that compute; call it in their place.
   *
   * @param ms - 0 or more milliseconds
   * @throws TypeError or RangeError when `ms` is not such a number
   *
   * @example
   * ```ts
   * import { ManualClock } from 'leasestream/broker';
   *
   * const clock = new ManualClock();
   * clock.setTimer(() => clock.block(300), 100);
   * clock.setTimer(() => console.log(clock.monotonic()), 200); // 400
   * await clock.advance(1_000);
   * console.log(clock.monotonic()); // 1000
   * ```
   */
  block(ms: number): void {
    checkNumber('block', 'ms', ms, [0, maxTimeMs]);
    this.#moveTo(this.#monotonic + ms);
  }

  /**
   * The machine sleeps: the wall clock goes on, `monotonic()` and all timers stand still.
   *
   * @param ms - 0 or more milliseconds
   */
  suspend(ms: number): void {
    checkNumber('suspend the clock', 'ms', ms, [0, maxTimeMs]);
    this.#now += ms;
  }

  /**
   * Somebody sets the wall clock; `monotonic()` and timers take no notice.
   *
   * @param ms - how far it jumps, in milliseconds, negative for back
   */
  jump(ms: number): void {
    checkNumber('set the clock', 'ms', ms, [-maxTimeMs, maxTimeMs]);
    this.#now += ms;
  }

  async #advanceTo(target: number): Promise<void> {
    await passTurns(settlingTurns);
    let atOnce = 0;
    for (;;) {
      const timer = this.#timers.peek();
      // What a callback has blocked may outlast the target.
      if (timer === undefined || timer.dueAt > Math.max(target, this.#monotonic)) break;
      atOnce = timer.dueAt > this.#monotonic ? 0 : atOnce + 1;
      if (atOnce > maxTimersAtOnce)
        throw new Error('Cannot advance: timers that are due at once are set over and over');
      this.#moveTo(timer.dueAt);
      timer.fire();
      await passTurns(settlingTurns);
    }
    this.#moveTo(target);
  }

  #moveTo(monotonic: number): void {
    if (monotonic <= this.#monotonic) return;
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}
