import type { Handlers } from './handlers.ts';
import type { Lease } from './lease.ts';

/** What bounds how many messages may be started, beside how many handlers there are. */
export interface StartLimit {
  /** How long it is from one start to the next on average at least, in milliseconds. @defaultValue 0 */
  readonly pauseMs?: number;
  /** How many more may be started now, 0 or more. */
  startable(now: number): number;
  /** How many more may be started in the next `windowMs`, those of now included. */
  startableWithin(windowMs: number, now: number): number;
  /** When, by time alone, one more may be started than now; `Infinity` when nothing but an event can change it. */
  nextAt(now: number): number;
  /** Notes that a message is started. */
  onStarted(lease: Lease, now: number): void;
}

/** Handlers as a planner sees them that heeds limits: where no message may be started, none is idle. */
export class LimitedHandlers implements Handlers {
  readonly #inner: Handlers;
  readonly #limits: readonly StartLimit[];

  constructor(inner: Handlers, limits: readonly StartLimit[]) {
    this.#inner = inner;
    this.#limits = limits;
  }

  get batch(): number {
    return this.#inner.batch;
  }

  get atOnce(): number {
    return this.#inner.atOnce;
  }

  get finished(): number {
    return this.#inner.finished;
  }

  get meanMs(): number {
    return this.#inner.meanMs;
  }

  get estimateMs(): number {
    return this.#inner.estimateMs;
  }

  observe(durationMs: number, now: number): void {
    this.#inner.observe(durationMs, now);
  }

  onReaders(readers: number, now: number): void {
    this.#inner.onReaders(readers, now);
  }

  pullAt(held: number, soonMs: number, now: number): number {
    let at = -Infinity;
    for (const limit of this.#limits) {
      if (limit.startableWithin(soonMs, now) >= Math.max(this.atOnce, held + 1)) continue;
      const nextAt = limit.nextAt(now);
      // All that may ever be started together is less than a batch: it is not waited for.
      if (nextAt === Infinity && limit.startable(now) > held) continue;
      at = Math.max(at, nextAt - soonMs > now ? nextAt - soonMs : nextAt);
    }
    return at;
  }

  idle(now: number): number {
    let least = this.#inner.idle(now);
    for (const limit of this.#limits) least = Math.min(least, limit.startable(now));
    return least;
  }

  startableWithin(budgetMs: number, now: number): number {
    return this.#least(this.#inner.startableWithin(budgetMs, now), budgetMs, now);
  }

  consumedWithin(windowMs: number, now: number): number {
    return this.#least(this.#inner.consumedWithin(windowMs, now), windowMs, now);
  }

  #least(free: number, windowMs: number, now: number): number {
    let least = free;
    for (const limit of this.#limits) least = Math.min(least, limit.startableWithin(windowMs, now));
    return least;
  }
}
