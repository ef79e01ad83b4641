import { Backoff } from './backoff.ts';
import type { Lease } from './lease.ts';
import type { Running } from './running-leases.ts';
import type { StartLimit } from './start-limit.ts';
import { UsualSuccess } from './usual-success.ts';

/** As the field calls them: all goes on, nothing but probes does, a probe succeeded and more are let through. */
type BreakerState = 'closed' | 'open' | 'half-open';

/** When a breaker opens, and how often it probes. */
export interface BreakerBounds {
  /** So many failures in a row may open it, fewer where nothing has succeeded for {@link quietMs}: see {@link surpriseShare}. */
  readonly failures: number;
  /** The longest wait between two probes, in milliseconds. */
  readonly maxProbeMs: number;
}

/** For how long nothing may succeed before few failures suffice, in milliseconds: a burst of bad messages is sooner over. */
const quietMs = 2_000;

/**
 * How unlikely a row of failures must be if all is as usual, as a negative logarithm, for each of the failures that may open
 * it. Of a hundred that makes 10: seven failures where nearly everything succeeds, nine where nothing is known, a hundred where
 * nine in ten fail. Twice as much is asked of a row that did not last: with many messages a second there are many rows.
 */
const surpriseShare = 0.1;

/** What is assumed of messages of which nothing is known: those delivered before may well be bad. */
const assumedShare = { fresh: 0.7, repeated: 0.3 };

/** The first wait for a probe, in milliseconds: what was a hiccup is over by then. */
const firstProbeMs = 1_000;

/** So many successes, each of which lets one more through at once, close a half-open breaker. */
const enough = 10;

/** So many bad messages are remembered. */
const mostKnownBad = 1_000;

/**
 * Notices when everything fails, and lets nothing but probes through until one succeeds.
 *
 * - `closed` → `open` when a row of failures is long, or lasts, and can't be chance by what usually succeeds. That is counted
 *   apart for messages on their first attempt and for others. What fails for good comes again, until nothing else may be left:
 *   what has failed while others succeeded is known as bad, and counts for nothing. A single success ends the row
 * - `open` → `half-open` with the first success. Until then one message is started at a time, at growing intervals
 * - `half-open` → `closed` after ten successes, each of which lets one more through at once; → `open` as before, to wait for
 *   as long as before: the first success may have been luck
 */
export class Breaker implements StartLimit {
  state: BreakerState = 'closed';
  /** When it opened, in steady milliseconds; says nothing while closed. */
  openedAt = 0;
  /** When the next probe may start; where one runs, when another may beside it. */
  probeAt: number = Infinity;
  /** Failures, since the last success, of what is not known as bad. */
  failures = 0;
  /** When the first of what failed since then was started. */
  failingSince: number = Infinity;
  readonly #bounds: BreakerBounds;
  readonly #running: Running;
  readonly #backoff: Backoff;
  #succeededAt = -Infinity;
  /** How unlikely they are if all is as usual. */
  #surprise = 0;
  readonly #fresh = new UsualSuccess(assumedShare.fresh);
  readonly #repeated = new UsualSuccess(assumedShare.repeated);
  /** The ids of the first that failed since the last success, as many as may be remembered. */
  #failed: string[] = [];
  /** The ids of those that failed while others succeeded, the oldest first. */
  readonly #bad = new Set<string>();
  /** How many may run at once; 0 while it is open. */
  #allowed = 0;
  /** Since when the running ones count against that. */
  #allowedSince = 0;
  #probeStartedAt = Infinity;

  constructor(bounds: BreakerBounds, running: Running, random: () => number) {
    this.#bounds = bounds;
    this.#running = running;
    this.#backoff = new Backoff(
      { firstMs: Math.min(firstProbeMs, bounds.maxProbeMs), maxMs: bounds.maxProbeMs },
      random,
    );
  }

  startable(now: number): number {
    if (this.state === 'closed') return Infinity;
    let free = this.#allowed;
    if (free > 0) for (const { startedAt } of this.#running) if (startedAt >= this.#allowedSince) free -= 1;
    return Math.max(free, now >= this.probeAt ? 1 : 0);
  }

  /** Nothing is fetched ahead before it is closed. */
  startableWithin(_windowMs: number, now: number): number {
    return this.startable(now);
  }

  nextAt(): number {
    return this.probeAt;
  }

  onStarted(lease: Lease, now: number): void {
    if (this.state === 'closed') return;
    lease.isProbe = true;
    this.#probeStartedAt = now;
    // One that hangs must not be the last.
    this.probeAt = now + this.#bounds.maxProbeMs;
  }

  #usual({ attempts }: Lease): UsualSuccess {
    return attempts === 1 ? this.#fresh : this.#repeated;
  }

  /** The work on a message succeeded. Gives whether that closed it. */
  succeed(lease: Lease, now: number): boolean {
    this.#succeededAt = now;
    if (this.failures > 0) this.#endRow();
    if (this.#bad.size > 0) this.#bad.delete(lease.id);
    this.#usual(lease).succeed();
    if (this.state === 'closed') return false;
    if (this.state === 'open') {
      this.state = 'half-open';
      this.#allowedSince = now;
      this.#allowed = 1;
    }
    this.#allowed += 1;
    if (this.#allowed <= enough) return false;
    this.state = 'closed';
    this.#backoff.succeed();
    return true;
  }

  #endRow(): void {
    this.failures = 0;
    this.#surprise = 0;
    this.failingSince = Infinity;
    this.#fresh.confirm();
    this.#repeated.confirm();
    for (const id of this.#failed) this.#bad.add(id);
    for (const id of this.#bad) if (this.#bad.size > mostKnownBad) this.#bad.delete(id);
    this.#failed = [];
  }

  /**
   * The work on a message failed. Gives whether that opened it.
   *
   * @param share - of a failure, for those that failed together
   */
  fail(lease: Lease, share: number, now: number): boolean {
    if (this.state === 'open') {
      if (lease.startedAt >= this.#probeStartedAt) this.#wait(now);
      return false;
    }
    // Work that was started later has succeeded.
    if (lease.startedAt < this.#succeededAt || this.#bad.has(lease.id)) return false;
    this.failures += share;
    this.failingSince = Math.min(this.failingSince, lease.startedAt);
    const usual = this.#usual(lease);
    usual.fail();
    this.#surprise += share * usual.surprise;
    if (this.#failed.length < mostKnownBad) this.#failed.push(lease.id);
    if (!this.#isEverything(now)) return false;
    const isFirst = this.state === 'closed';
    if (isFirst) this.openedAt = now;
    this.#open(now);
    return isFirst;
  }

  #isEverything(now: number): boolean {
    // What runs on may be what succeeds, and take longer than to fail.
    if (this.failures < this.#running.size - 1) return false;
    const least = surpriseShare * this.#bounds.failures;
    if (now - this.failingSince >= quietMs) return this.#surprise >= least;
    return this.failures >= this.#bounds.failures && this.#surprise >= 2 * least;
  }

  #open(now: number): void {
    this.state = 'open';
    this.#allowed = 0;
    this.#probeStartedAt = Infinity;
    this.#fresh.forget();
    this.#repeated.forget();
    this.#failed = [];
    this.#wait(now);
  }

  #wait(now: number): void {
    this.probeAt = now + this.#backoff.fail(0.5);
  }
}
