import { limits } from '../../contract/limits.ts';
import { OverdueTime } from '../../lease/overdue.ts';
import { SmoothedMean } from '../../lease/smoothed.ts';
import type { ConsumerEvent } from '../events.ts';

/** The least time that a pull may take, in milliseconds, however short its lease. */
const leastPullTimeoutMs = 30_000;

/** The most time that a pull may take, in milliseconds: a connection that is gone must not stop the consumer for long. */
const mostPullTimeoutMs = 300_000;

/** What the answers to pulls teach about time: how long the next may take, and what has to be leased for longer meanwhile. */
export class AnswerTimes {
  readonly #visibilityTimeoutMs: number;
  readonly #report: (event: ConsumerEvent) => void;
  readonly #roundTrip = new SmoothedMean();
  readonly #overdueTime = new OverdueTime();
  /** The lease that the next pull asks for while answers are slow. */
  #slowTimeoutMs: number | undefined;
  #timeouts = 0;

  /** @param visibilityTimeoutMs - for how long messages are leased at least */
  constructor(visibilityTimeoutMs: number, report: (event: ConsumerEvent) => void) {
    this.#visibilityTimeoutMs = visibilityTimeoutMs;
    this.#report = report;
  }

  /** The smoothed round trip in milliseconds; 0 before the first. */
  get roundTripMs(): number {
    return this.#roundTrip.value ?? 0;
  }

  /** Whether what a pull brings would come too late to be started. */
  get areSlow(): boolean {
    return this.#slowTimeoutMs !== undefined;
  }

  /** A lease, in milliseconds, as long as it must be for its message to be started. */
  lengthened(leaseMs: number): number {
    return Math.max(leaseMs, this.#slowTimeoutMs ?? 0);
  }

  /** How long the next pull may take, in milliseconds. */
  get timeoutMs(): number {
    return Math.min(
      mostPullTimeoutMs,
      Math.max(leastPullTimeoutMs, 4 * this.#visibilityTimeoutMs) * 2 ** this.#timeouts,
    );
  }

  /** After how long the answer to the next pull is overdue, in milliseconds. */
  get overdueAfterMs(): number {
    return this.#overdueTime.limitMs(this.roundTripMs);
  }

  /** Notes an answer, which was counted on or overdue. */
  answered(tookMs: number, isOverdue: boolean): void {
    this.#timeouts = 0;
    if (!isOverdue) this.#overdueTime.reset();
    this.#roundTrip.observe(tookMs);
    this.#slowTimeoutMs = undefined;
    if (tookMs > this.#visibilityTimeoutMs / 2) this.#lengthenLease(tookMs);
  }

  /** Notes that no answer came in time. */
  timedOut(tookMs: number): void {
    this.#timeouts = Math.min(this.#timeouts + 1, 8);
    this.#lengthenLease(tookMs);
  }

  /** Notes that an answer is overdue. */
  overdue(waitedMs: number): void {
    this.#overdueTime.note();
    // If answers are only slow, those asked for beside would come as late.
    if (waitedMs >= this.#visibilityTimeoutMs / 2) this.#lengthenLease(waitedMs);
  }

  /** Between T − margin and T every message arrives too late to be started: pulling on would use up its attempts. */
  #lengthenLease(tookMs: number): void {
    const visibilityTimeoutMs = Math.max(2 * this.#visibilityTimeoutMs, 4 * tookMs);
    this.#slowTimeoutMs = Math.min(Math.ceil(visibilityTimeoutMs), limits.visibilityTimeoutMs);
    this.#report({ type: 'slowAnswer', tookMs, visibilityTimeoutMs: this.#slowTimeoutMs });
  }
}
