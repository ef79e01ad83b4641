import type { Running } from './running-leases.ts';
import { HandlerTime } from './smoothed.ts';

/** What the pull planner asks of whoever works on the messages. */
export interface Handlers {
  /** How many messages make a batch, which waits to be filled; 1 where they are handed out one by one. */
  readonly batch: number;
  /** How many messages are out at the least: what may be asked for when nothing is known yet. */
  readonly atOnce: number;
  /** How many messages were finished so far. */
  readonly finished: number;
  /** How long a message takes on average, in milliseconds; 0 before the first was finished. */
  readonly meanMs: number;
  /** How long a message is expected to take, with a reserve, in milliseconds. */
  readonly estimateMs: number;
  /** Notes that a message was finished, so many milliseconds after it was started. */
  observe(durationMs: number, now: number): void;
  /** Notes how many reads wait now: none means that the last one was just answered. */
  onReaders(readers: number, now: number): void;
  /**
   * Before when no pull should be sent, since more than `held` messages, or all of a batch, could not be started within
   * `soonMs`; `-Infinity` where only handlers bound what is started.
   */
  pullAt(held: number, soonMs: number, now: number): number;
  /** How many more messages could be started now. */
  idle(now: number): number;
  /** How many messages could be started one after the other within `budgetMs`: a sum of whole numbers, one a handler. */
  startableWithin(budgetMs: number, now: number): number;
  /** How many messages are consumed in `windowMs`, on average. */
  consumedWithin(windowMs: number, now: number): number;
  /** From now on so many work at once; not where nobody knows how many do. */
  resize?(count: number): void;
}

/**
 * A known number of handlers whose ends the engine sees: one for a `for await` loop, `concurrency` for `process`.
 *
 * A handler counts with the larger of the estimate and its own age. The oldest age for all would let one hung handler
 * starve the rest; one floor over all of them would let buffered messages start too late.
 */
export class SeenHandlers implements Handlers {
  readonly batch: number;
  readonly atOnce: number;
  #count: number;
  readonly #running: Running;
  readonly #time = new HandlerTime();

  /**
   * @param count - how many work at once
   * @param running - what they work on now, oldest first
   * @param batch - how many one of them takes
   */
  constructor(count: number, running: Running, batch = 1) {
    this.batch = batch;
    this.atOnce = batch;
    this.#count = count;
    this.#running = running;
  }

  get finished(): number {
    return this.#time.samples;
  }

  get meanMs(): number {
    return this.#time.meanMs;
  }

  get estimateMs(): number {
    return this.#time.estimateMs;
  }

  /** Notes that a handler ended, after so many milliseconds. */
  observe(durationMs: number): void {
    this.#time.observe(durationMs);
  }

  /** Whoever reads is the handler itself. */
  onReaders(): void {}

  resize(count: number): void {
    this.#count = count;
  }

  pullAt(): number {
    return -Infinity;
  }

  idle(): number {
    return Math.max(0, this.#count - this.#running.size);
  }

  startableWithin(budgetMs: number, now: number): number {
    const team = { running: this.#running, count: this.#count, usualMs: this.#time.estimateMs };
    return sumOver(team, now, (handlerMs) => Math.floor(budgetMs / handlerMs));
  }

  consumedWithin(windowMs: number, now: number): number {
    if (this.finished === 0) return 0;
    const team = { running: this.#running, count: this.#count, usualMs: this.#time.meanMs };
    return sumOver(team, now, (handlerMs) => windowMs / handlerMs);
  }
}

/** Handlers as a sum sees them. */
interface Team {
  /** What the busy ones work on, oldest first. */
  readonly running: Running;
  /** How many there are. */
  readonly count: number;
  /** How long each is expected to take, in milliseconds. */
  readonly usualMs: number;
}

/**
 * Sums over handlers: each counts with `usualMs` or, if that is more, its own age. Walks only those that are older than
 * usual.
 */
export function sumOver({ running, count, usualMs }: Team, now: number, value: (handlerMs: number) => number): number {
  let total = 0;
  let slow = 0;
  for (const lease of running) {
    const age = now - lease.startedAt;
    if (age <= usualMs || slow === count) break;
    total += value(age);
    slow += 1;
  }
  return slow === count ? total : total + (count - slow) * value(usualMs);
}
