import type { Holdings } from '../../lease/holdings.ts';
import type { Lease } from '../../lease/lease.ts';
import type { Trimmed } from '../../lease/trimmed.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import { type ConsumerEvent, identityOf } from '../events.ts';
import type { Leftovers } from '../pulling/leftovers.ts';
import type { Puller } from '../pulling/puller.ts';
import type { Settlements } from '../settling/settlements.ts';
import type { StatsCounter } from '../stats.ts';
import type { Breaking } from './breaking.ts';

export interface ReleasesDeps {
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly holdings: Holdings;
  readonly leftovers: Leftovers;
  readonly settlements: Settlements;
  readonly puller: Pick<Puller, 'roundTripMs'>;
  readonly breaking: Breaking;
  readonly report: (event: ConsumerEvent) => void;
  /** Asks for a turn. */
  readonly wake: () => void;
}

/** Gives back what nobody has started, where it can't be started in time or may not be any more. */
export class Releases {
  readonly #deps: ReleasesDeps;

  constructor(deps: ReleasesDeps) {
    this.#deps = deps;
  }

  /**
   * Gives back what is too near its end to be started.
   *
   * @param eachMs - how long a message that waits for others has to wait for each of them, on average
   * @returns whether there was something
   */
  trim(now: number, eachMs: number): boolean {
    const { holdings, puller } = this.#deps;
    return this.#giveBack(holdings.waiting.trim(now, puller.roundTripMs, eachMs), now);
  }

  /** Gives back what an answer has brought of keys that are behind; `eachMs` as for {@link trim}. */
  setAside(now: number, eachMs: number): void {
    const { holdings, puller } = this.#deps;
    this.#giveBack(holdings.waiting.setAside(now, puller.roundTripMs, eachMs), now);
  }

  /** Gives back what can't be started while a breaker is open, and takes up what it has kept. */
  heedBreaker(now: number): void {
    const { breaking, holdings } = this.#deps;
    if (breaking.isShedding(now)) this.#giveBack(holdings.waiting.shed(now), now);
    else breaking.revive(now);
  }

  /** Gives back everything that nobody started. */
  drain(now: number): void {
    this.#giveBack(this.#deps.holdings.waiting.drain(now), now);
  }

  #giveBack({ released, postponed, dropped }: Trimmed, now: number): boolean {
    if (released.length + postponed.length + dropped.length === 0) return false;
    for (const lease of released) if (!this.#retryKept(lease, now)) this.#release(lease, 0);
    for (const lease of postponed) if (!this.#retryKept(lease, now)) this.#postpone(lease, now);
    for (const lease of dropped) if (!this.#retryKept(lease, now)) this.#drop(lease);
    this.#deps.wake();
    return true;
  }

  #drop(lease: Lease): void {
    const { leftovers, options, report, stats } = this.#deps;
    stats.dropped += 1;
    leftovers.note(lease.deadline);
    if (lease.attempts > options.maxRetries) report({ type: 'unstarted', message: identityOf(lease) });
  }

  #postpone(lease: Lease, now: number): void {
    this.#release(lease, lease.delaySeconds);
    // It comes again although nobody failed: a queue is not empty before.
    this.#deps.leftovers.note(now + 1_000 * (lease.delaySeconds ?? 0));
  }

  #release(lease: Lease, delaySeconds?: number): void {
    this.#deps.stats.released += 1;
    this.#deps.settlements.settleUnstarted(lease, 'retry', delaySeconds);
  }

  /** A message that was kept has been handed out, and failed: it is retried as such. */
  #retryKept(lease: Lease, now: number): boolean {
    if (lease.isKept) {
      this.#deps.stats.inFlight += 1;
      this.#deps.settlements.complete(lease, 'retry', now, lease.delaySeconds);
    }
    return lease.isKept;
  }
}
