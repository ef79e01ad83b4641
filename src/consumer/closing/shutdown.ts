import type { Lease } from '../../lease/lease.ts';
import type { Running } from '../../lease/running-leases.ts';
import type { CloseReason } from '../stats.ts';

/**
 * How long the settlements that the aborted signals cause are waited for, in milliseconds; and the pulls under way, and the
 * schemas, whose messages would stay leased without having been handed out.
 */
const afterAbortMs = 1_000;

/** How long the last settle calls may take, in milliseconds: with a grace that somebody chose, and without. */
export const lastCallsMs = { withGrace: 2_000, withoutGrace: 10_000 };

/** What a turn has to do for the end. */
export interface ShutdownStep {
  /** Count as finished: settled by hand, and nobody will tell of their handler's end. */
  readonly finished: readonly Lease[];
  /** The time of all that run is over: to be told. */
  readonly abort: boolean;
  /** Not waited for any longer. */
  readonly abandon: readonly Lease[];
  /** No pull is waited for any longer. */
  readonly pullsAreOver: boolean;
  /** No schema is waited for any longer. */
  readonly schemasAreOver: boolean;
  /** Nothing is waited for any more. */
  readonly isOver: boolean;
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
  #leasesEndBy: number;
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

  /** Notes that leases may be held, or come, that end so late. */
  awaitLeases(endBy: number): void {
    this.#leasesEndBy = Math.max(this.#leasesEndBy, endBy);
  }

  /** When pulls are not waited for any longer, those apart whose leases are over before. */
  get #pullsOverAt(): number {
    return this.#graceEndsAt + afterAbortMs;
  }

  /** When no schema is waited for any longer: what it has not judged may be leased for longer than all else. */
  get #schemasOverAt(): number {
    return Math.min(this.#graceEndsAt, this.#leasesEndBy) + afterAbortMs;
  }

  /** When nothing is waited for any more: no settle call, no push to another queue. Signals may be aborted late. */
  get #overAt(): number {
    const abandonAt = this.#abandonAt ?? 0;
    return this.#graceEndsAt === Infinity
      ? Math.max(this.#leasesEndBy + afterAbortMs, abandonAt) + lastCallsMs.withoutGrace
      : Math.max(this.#pullsOverAt, abandonAt) + lastCallsMs.withGrace;
  }

  /** Whether somebody chose how long it may take. */
  get hasGrace(): boolean {
    return this.#graceEndsAt < Infinity;
  }

  step(running: Running, now: number): ShutdownStep {
    const finished: Lease[] = [];
    const overdue: Lease[] = [];
    let nextAt = this.#graceEndsAt > now ? this.#graceEndsAt : Infinity;
    let isWaitedFor = false;
    for (const lease of running) {
      this.awaitLeases(lease.deadline);
      const waitsUntil = this.#graceEndsAt === Infinity ? lease.deadline : this.#graceEndsAt;
      if (this.#endsWithSettlement && lease.settledAs !== undefined) finished.push(lease);
      else if (waitsUntil > now) {
        isWaitedFor = true;
        nextAt = Math.min(nextAt, waitsUntil);
      } else overdue.push(lease);
    }
    const isTimeUp = !isWaitedFor && overdue.length > 0;
    const abort = isTimeUp && this.#abandonAt === undefined;
    if (isTimeUp) this.#abandonAt ??= now + afterAbortMs;
    const abandon = isTimeUp && this.#abandonAt !== undefined && this.#abandonAt <= now ? overdue : [];
    if (isTimeUp && abandon.length === 0) nextAt = Math.min(nextAt, this.#abandonAt ?? Infinity);
    for (const at of [this.#pullsOverAt, this.#schemasOverAt, this.#overAt])
      if (at > now) nextAt = Math.min(nextAt, at);
    return {
      finished,
      abort,
      abandon,
      pullsAreOver: this.#pullsOverAt <= now,
      schemasAreOver: this.#schemasOverAt <= now,
      isOver: this.#overAt <= now,
      nextAt,
    };
  }
}
