import { type Handlers, sumOver } from './handlers.ts';
import { leaseShare } from './plan-pull.ts';
import type { Running } from './running-leases.ts';
import { HandlerTime } from './smoothed.ts';

/** How many messages go to code that the engine can't see. */
interface Reads {
  /** At a time. @defaultValue 1 */
  readonly batch?: number;
  /** At the least. @defaultValue `batch` */
  readonly least?: number;
}

/**
 * A window of messages handed out to code that the engine can't see: an observable's subscriber, a stream's reader, a
 * loop that settles by hand.
 *
 * - The window starts at what is taken at once (1, or a batch), and is never less; it grows by one with each settlement
 *   that came within half of the lease (so it doubles from window to window), and halves when one came later or not at
 *   all.
 * - Work is prefetched for a reader only as far as it keeps reading: a reader that stalls counts as a slow handler.
 */
export class UnseenHandlers implements Handlers {
  readonly batch: number;
  readonly atOnce: number;
  readonly #running: Running;
  readonly #maxWindow: number;
  readonly #timelyMs: number;
  readonly #settleTime = new HandlerTime();
  readonly #readTime = new HandlerTime();
  #window: number;
  #halvedAt = -Infinity;
  /** Reads that wait for a message; `Infinity` where nobody asks and everything is handed out. */
  #readers = 0;
  /** When the last waiting read was answered, while none waits since then. */
  #readAt: number | undefined;

  /**
   * @param running - what is handed out and unsettled, oldest first
   * @param maxWindow - the most that may be
   * @param visibilityTimeoutMs - the length of a lease
   * @param reads - how many one read takes, and how many the window is at the least
   */
  constructor(
    running: Running,
    maxWindow: number,
    visibilityTimeoutMs: number,
    { batch = 1, least = batch }: Reads = {},
  ) {
    this.#running = running;
    this.batch = batch;
    this.atOnce = least;
    this.#maxWindow = maxWindow;
    this.#window = least;
    this.#timelyMs = leaseShare * visibilityTimeoutMs;
  }

  get finished(): number {
    return this.#settleTime.samples;
  }

  get meanMs(): number {
    return this.#settleTime.meanMs;
  }

  get estimateMs(): number {
    return this.#settleTime.estimateMs;
  }

  /** How many messages may be out at once. */
  get window(): number {
    return this.#window;
  }

  /** Notes that a message was settled, or that its lease ended without, so many milliseconds after it was started. */
  observe(durationMs: number, now: number): void {
    this.#settleTime.observe(durationMs);
    if (durationMs < this.#timelyMs) {
      this.#window = Math.min(this.#maxWindow, this.#window + 1);
    } else if (now - this.#halvedAt >= durationMs) {
      // Once for all that were out together: they are one observation.
      this.#window = Math.max(this.atOnce, Math.floor(this.#window / 2));
      this.#halvedAt = now;
    }
  }

  onReaders(readers: number, now: number): void {
    if (readers === 0) this.#readAt ??= now;
    else if (this.#readAt !== undefined) {
      this.#readTime.observe(now - this.#readAt);
      this.#readAt = undefined;
    }
    this.#readers = readers;
  }

  pullAt(): number {
    return -Infinity;
  }

  idle(): number {
    return Math.max(0, Math.min(this.#readers, this.#window - this.#running.size));
  }

  startableWithin(budgetMs: number, now: number): number {
    const team = { running: this.#running, count: this.#window, usualMs: this.#settleTime.estimateMs };
    const settleable = sumOver(team, now, (handlerMs) => Math.floor(budgetMs / handlerMs));
    return Math.min(settleable, Math.floor(budgetMs / this.#readMs(this.#readTime.estimateMs, now)));
  }

  consumedWithin(windowMs: number, now: number): number {
    if (this.finished === 0) return 0;
    const team = { running: this.#running, count: this.#window, usualMs: this.#settleTime.meanMs };
    const settled = sumOver(team, now, (handlerMs) => windowMs / handlerMs);
    return Math.min(settled, windowMs / this.#readMs(this.#readTime.meanMs, now));
  }

  #readMs(usualMs: number, now: number): number {
    if (this.#readAt === undefined) return usualMs;
    return Math.max(usualMs, now - this.#readAt);
  }
}
