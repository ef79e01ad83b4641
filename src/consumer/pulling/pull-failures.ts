import { Backoff } from '../../lease/backoff.ts';
import type { Gates } from '../../lease/gates.ts';
import { Patience, type Standing } from '../../lease/patience.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { ConsumerEvent } from '../events.ts';
import type { StatsCounter } from '../stats.ts';
import { warnUnanswered } from '../warnings.ts';

/** For how long the first pulls may be in vain without a word, in milliseconds. */
const silentMs = 5_000;

export interface PullFailuresDeps {
  readonly gates: Gates;
  readonly standing: Standing;
  readonly random: () => number;
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly report: (event: ConsumerEvent) => void;
}

/** Judges the failures of pulls, has the next ones wait, and sees to it that nobody waits in silence. */
export class PullFailures {
  readonly #deps: PullFailuresDeps;
  readonly #backoff: Backoff;
  readonly #patience: Patience;
  /** When the first pull was sent. */
  #startedAt = Infinity;
  #hasSucceeded = false;

  constructor(deps: PullFailuresDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff({ firstMs: 250, maxMs: 30_000 }, deps.random);
    this.#patience = new Patience(deps.standing);
  }

  /** Notes that a pull is sent. */
  noteSent(now: number): void {
    this.#startedAt = Math.min(this.#startedAt, now);
  }

  /** Notes that a pull was answered. */
  succeed(): void {
    this.#hasSucceeded = true;
    this.#backoff.succeed();
    this.#patience.succeed();
  }

  /** What a failure means; see {@link Patience.judge}. */
  judge(error: unknown, now: number): ReturnType<Patience['judge']> {
    return this.#patience.judge(error, now);
  }

  /** Holds pulls back after one that failed. Never asks again at once: the answer may have been lost with messages leased in it. */
  holdBack(error: unknown, now: number): void {
    const { gates, report } = this.#deps;
    gates.close('pull', error, this.#patience.limit(this.#backoff.fail(0.5), now), now);
    report({ type: 'pullFailed', error, retryInMs: gates.notBefore('pull') - now });
    this.warn(now);
  }

  /** Lets nobody wait in silence for what may never work. */
  warn(now: number): void {
    const { standing, options, stats } = this.#deps;
    if (this.#hasSucceeded || now - this.#startedAt < silentMs) return;
    if (standing.isWarnedOf === true || options.onEvent !== undefined) return;
    standing.isWarnedOf = true;
    warnUnanswered(stats.lastError, now - this.#startedAt);
  }
}
