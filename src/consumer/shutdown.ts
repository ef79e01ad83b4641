import type { Lease } from '../lease/lease.ts';
import type { CloseReason } from './stats.ts';

/** How long the settlements that the aborted signals cause are waited for, in milliseconds. */
const afterAbortMs = 1_000;

/** How long the last settle calls may take when `close()` was given a grace, in milliseconds. */
const lastCallsMs = 2_000;

/** What a turn has to do for the end. */
export interface ShutdownStep {
  /** Count as finished: settled by hand, and nobody will tell of their handler's end. */
  readonly finished: readonly Lease[];
  /** Their time is over: to be told. */
  readonly abort: readonly Lease[];
  /** Not waited for any longer. */
  readonly abandon: readonly Lease[];
  readonly graceIsOver: boolean;
  readonly giveUpSettling: boolean;
  /** When to look again at the latest. */
  readonly nextAt: number;
}

export interface ShutdownOptions {
  readonly reason: CloseReason;
  readonly error: unknown;
  /** A settled message counts as finished, whatever its handler still does. */
  readonly endsWithSettlement: boolean;
  /** When every lease held now is over. */
  readonly leasesEndBy: number;
}

/**
 * The end of a consumer, step by step: handlers are waited for until the grace is over, or without one until their
 * leases end; then their signals abort; a second later they are abandoned.
 */
export class Shutdown {
  readonly reason: CloseReason;
  readonly error: unknown;
  readonly #endsWithSettlement: boolean;
  readonly #leasesEndBy: number;
  #graceEndsAt = Infinity;
  #abandonAt: number | undefined;

  constructor({ reason, error, endsWithSettlement, leasesEndBy }: ShutdownOptions) {
    this.reason = reason;
    this.error = error;
    this.#endsWithSettlement = endsWithSettlement;
    this.#leasesEndBy = leasesEndBy;
  }

  /** Limits the grace; it only ever gets shorter. */
  limit(graceEndsAt: number): void {
    this.#graceEndsAt = Math.min(this.#graceEndsAt, graceEndsAt);
  }

  /** Whether what needs no lease has been waited for long enough. */
  readonly isOverdue = (now: number): boolean => now >= this.#overdueAt;

  get #overdueAt(): number {
    return Math.min(this.#graceEndsAt, this.#leasesEndBy) + afterAbortMs + lastCallsMs;
  }

  step(running: ReadonlySet<Lease>, now: number): ShutdownStep {
    const finished: Lease[] = [];
    const overdue: Lease[] = [];
    let nextAt = this.#graceEndsAt > now ? this.#graceEndsAt : Infinity;
    let isWaitedFor = false;
    for (const lease of running) {
      const waitsUntil = this.#graceEndsAt === Infinity ? lease.deadline : this.#graceEndsAt;
      if (this.#endsWithSettlement && lease.settledAs !== undefined) finished.push(lease);
      else if (waitsUntil > now) {
        isWaitedFor = true;
        nextAt = Math.min(nextAt, waitsUntil);
      } else overdue.push(lease);
    }
    const isOver = !isWaitedFor && overdue.length > 0;
    const abort = isOver && this.#abandonAt === undefined ? overdue : [];
    if (isOver) this.#abandonAt ??= now + afterAbortMs;
    const abandon = isOver && this.#abandonAt !== undefined && this.#abandonAt <= now ? overdue : [];
    if (isOver && abandon.length === 0) nextAt = Math.min(nextAt, this.#abandonAt ?? Infinity);
    const giveUpAt = this.#graceEndsAt + afterAbortMs + lastCallsMs;
    for (const at of [giveUpAt, this.#overdueAt]) if (at > now) nextAt = Math.min(nextAt, at);
    return {
      finished,
      abort,
      abandon,
      graceIsOver: this.#graceEndsAt <= now,
      giveUpSettling: giveUpAt <= now,
      nextAt,
    };
  }
}
