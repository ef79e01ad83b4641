import { failureKind, type FailureKind } from './failure-policy.ts';

/**
 * For how long what is refused is asked for again, in milliseconds, since the first refusal in a row. The service refuses
 * valid credentials now and then, something on the way answers in its place, and a new pull consumer is not known
 * everywhere at once: half a minute, which is some eight tries, sits them all out. What lasts longer somebody has to look
 * at, while the leases of the work in hand, 30 s unless set, are only just over.
 */
const patienceMs = 30_000;

/** So many refusals in a row it takes at least: a machine that slept, or computed, has not asked meanwhile. */
const leastRefusals = 4;

/** What a queue handle knows of its connection: one credential, one queue. */
export interface Standing {
  /** A call succeeded, and patience has not run out since. */
  hasWorked: boolean;
  /** The user was warned that nothing works. */
  isWarnedOf?: boolean;
}

/** Judges the failures of one caller, row by row. */
export class Patience {
  readonly #standing: Standing;
  readonly #judge: (error: unknown) => FailureKind;
  #since: number | undefined;
  #refusals = 0;

  constructor(standing: Standing, judge: (error: unknown) => FailureKind = failureKind) {
    this.#standing = standing;
    this.#judge = judge;
  }

  /** Notes a success. */
  succeed(): void {
    this.#since = undefined;
    this.#standing.hasWorked = true;
  }

  /** What a failure means now: trying again, or that it can't help, or not any more. */
  judge(error: unknown, now: number): 'transient' | 'patient' | 'paused' | 'final' {
    const kind = this.#judge(error);
    const { hasWorked } = this.#standing;
    if (kind === 'doubtful' || (kind === 'refused' && hasWorked) || (kind === 'absent' && !hasWorked)) {
      if (this.#since === undefined) this.#refusals = 0;
      this.#since ??= now;
      this.#refusals += 1;
      if (now - this.#since < patienceMs || this.#refusals < leastRefusals) return 'patient';
      this.#standing.hasWorked = false;
      return 'final';
    }
    this.#since = undefined;
    // It is the service that says so, of a queue that is there.
    if (kind === 'paused') this.succeed();
    return kind === 'refused' ? 'final' : kind === 'absent' ? 'transient' : kind;
  }

  /** A delay with which a row has several tries, the last of them at its end, however long the backoff is by now. */
  limit(delayMs: number, now: number): number {
    if (this.#since === undefined) return delayMs;
    const left = this.#since + patienceMs - now;
    return Math.min(delayMs, patienceMs / 4, left > 0 ? left : Infinity);
  }
}
