import type { Handlers } from '../../lease/handlers.ts';
import type { Holdings } from '../../lease/holdings.ts';
import type { Lease, SettleKind } from '../../lease/lease.ts';
import { swapLeaseMs, usualLeaseMs, workLeaseMs } from '../../lease/lease-length.ts';
import { leaseShare } from '../../lease/plan-pull.ts';
import { endWork } from '../../lease/observed-work.ts';
import { LimitedHandlers, type StartLimit } from '../../lease/start-limit.ts';
import type { Breaking } from './breaking.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import { type ConsumerEvent, identityOf } from '../events.ts';
import type { LeaseSignals } from '../settling/lease-signals.ts';
import type { DeliveryMode } from './modes.ts';
import type { Releases } from './releases.ts';
import type { Puller } from '../pulling/puller.ts';
import type { Settlements } from '../settling/settlements.ts';
import type { StatsCounter } from '../stats.ts';
import { warnAbandoned, warnOverdue } from '../warnings.ts';

export interface HandoutsDeps {
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly holdings: Holdings;
  readonly signals: LeaseSignals;
  readonly releases: Releases;
  readonly settlements: Settlements;
  readonly puller: Pick<Puller, 'roundTripMs'>;
  readonly breaking: Breaking;
  /** What bounds starts beside the handlers. */
  readonly limits: readonly StartLimit[];
  readonly report: (event: ConsumerEvent) => void;
}

/** Hands out what is held, and follows it until its handler has ended. */
export class Handouts {
  /** As the planner sees them, limits heeded. */
  handlers: Handlers;
  mode: DeliveryMode;
  readonly #deps: HandoutsDeps;
  /** As they are, without the limits. */
  #team: Handlers;
  /** Between two starts, by the limits. */
  readonly #pauseMs: number;
  #hasWarned = false;
  /** How many handlers had ended when it was told that all were stalled. */
  #stalledAt = -1;

  constructor(deps: HandoutsDeps, mode: DeliveryMode) {
    this.#deps = deps;
    this.#pauseMs = Math.max(0, ...deps.limits.map(({ pauseMs = 0 }) => pauseMs));
    this.mode = mode;
    this.#team = mode.handlers(deps.holdings.running);
    this.handlers = this.#limited();
  }

  /** Goes on in another mode. */
  changeMode(mode: DeliveryMode): void {
    this.mode = mode;
    this.#team = mode.handlers(this.#deps.holdings.running);
    this.handlers = this.#limited();
  }

  /** Goes on with as many handlers at once. */
  resize(count: number): void {
    this.#team.resize?.(count);
  }

  /** How long a message that waits for others has to wait for each of them, on average. */
  get #eachMs(): number {
    return Math.max(this.handlers.meanMs, this.#pauseMs);
  }

  #limited(): Handlers {
    const { limits } = this.#deps;
    return limits.length === 0 ? this.#team : new LimitedHandlers(this.#team, limits);
  }

  /** When a limit that does not let so many messages start lets one more; `Infinity` when none does by time alone. */
  nextStartAt(now: number, count = 1): number {
    let at = Infinity;
    for (const limit of this.#deps.limits) if (limit.startable(now) < count) at = Math.min(at, limit.nextAt(now));
    return at;
  }

  /**
   * When what is in hand stops to count as worked on: never where the engine sees the handlers. Code that it can't see
   * may be gathering, and give nothing back before it is told of the end: then that has to come while the leases last.
   */
  get gatheredAt(): number {
    const { newest } = this.#deps.holdings.running;
    if (newest === undefined || !this.mode.unseen) return Infinity;
    return newest.startedAt + leaseShare * newest.batch.timeoutMs;
  }

  /** The next message that may be started now. */
  take(now: number): Lease | undefined {
    const { holdings, stats, options } = this.#deps;
    if (holdings.unstarted === 0 || stats.inFlight >= options.maxInFlight) return undefined;
    // Whoever was told of it may have taken time: the next turn knows what is left.
    if (this.trim(now)) return undefined;
    if (this.handlers.idle(now) < 1) return undefined;
    const lease = holdings.start(now);
    if (lease === undefined) return undefined;
    lease.finishedBefore = this.handlers.finished;
    if (!lease.isKept) stats.delivered += 1;
    stats.inFlight += 1;
    if (lease.isSuspect) stats.isolated += 1;
    for (const limit of this.#deps.limits) limit.onStarted(lease, now);
    this.#deps.breaking.onStarted();
    return lease;
  }

  /** Gives back what is too near its end to be started. @returns whether there was something */
  trim(now: number): boolean {
    const { holdings, releases } = this.#deps;
    return holdings.waiting.mayTrim(now) && releases.trim(now, this.#eachMs);
  }

  /** Gives back what an answer has brought of keys that are behind. */
  setAside(now: number): void {
    this.#deps.releases.setAside(now, this.#eachMs);
  }

  /** The handler of a message ended. What it did not settle is settled as `kind`, a retry with the growing delay. */
  complete(lease: Lease, kind: SettleKind, now: number, delaySeconds?: number): void {
    const { holdings, settlements } = this.#deps;
    if (lease.phase !== 'deferred') settlements.complete(lease, kind, now, delaySeconds);
    endWork(lease);
    // A failed probe that is kept has taken its time as any other.
    if (lease.phase === 'deferred') return this.#observe(lease, now);
    if (!settlements.isAwaiting(lease)) this.finish(lease, now);
    else if (holdings.park(lease)) this.#observe(lease, now);
  }

  /** The handler of a message ended, or counts as ended. */
  finish(lease: Lease, now: number): void {
    if (lease.phase !== 'started') return;
    endWork(lease);
    this.#deps.holdings.finish(lease, now);
    if (!lease.isParked) this.#observe(lease, now);
  }

  #observe({ startedAt }: Lease, now: number): void {
    this.handlers.observe(now - startedAt, now);
  }

  /** Sees to the messages whose lease has ended meanwhile. */
  lapse(now: number): void {
    const lapsed = this.#deps.holdings.lapse(now);
    for (const lease of lapsed) {
      this.#deps.signals.endLease(lease);
      // Who listens to its signal may have settled it just now. One that is being moved to another queue is not forgotten.
      if (lease.settledAs !== undefined || lease.isClaimed || lease.isParked) continue;
      if (this.mode.unseen) this.#forgotten(lease, now);
      else this.#overdue(lease, now);
    }
    if (lapsed.length > 0) this.#noteStall(now);
  }

  /** Tells, once until one of them ends, when no handler is left that could take a message in time. */
  #noteStall(now: number): void {
    const { holdings, report } = this.#deps;
    if (this.stalledSince(now) === Infinity || this.#stalledAt === this.handlers.finished) return;
    this.#stalledAt = this.handlers.finished;
    report({ type: 'stalled', handlers: holdings.running.size });
  }

  /** Since when no handler is left that could take a message in time; `Infinity` when one is, or nobody can see them. */
  stalledSince(now: number): number {
    if (this.mode.unseen || this.#team.idle(now) > 0) return Infinity;
    let since = -Infinity;
    for (const { deadline } of this.#deps.holdings.running) since = Math.max(since, deadline);
    return since > now ? Infinity : since;
  }

  #forgotten(lease: Lease, now: number): void {
    this.#warn(() => warnAbandoned(identityOf(lease)));
    this.abandon(lease, now);
  }

  #overdue(lease: Lease, now: number): void {
    const message = identityOf(lease);
    const ranMs = now - lease.startedAt;
    this.#warn(() => warnOverdue(message, ranMs));
    this.#deps.report({ type: 'overdue', message, ranMs });
  }

  /** Once, and only whom no event tells. */
  #warn(warn: () => void): void {
    if (this.#hasWarned || this.#deps.options.onEvent !== undefined) return;
    this.#hasWarned = true;
    warn();
  }

  /**
   * For how long messages are to be leased by what the work has taken so far, in milliseconds; 0 where the handlers can't be
   * seen, since a message that was forgotten would seem to be worked on for ever.
   */
  get usualLeaseMs(): number {
    return this.mode.unseen ? 0 : usualLeaseMs(this.handlers);
  }

  /** The same, and by what runs now and may come again with the next pull. */
  leaseMs(now: number): number {
    const { holdings, options, puller } = this.#deps;
    if (this.mode.unseen) return 0;
    const { running } = holdings;
    const swapMs = swapLeaseMs(running, now, puller.roundTripMs, options.maxRetries);
    return Math.max(workLeaseMs(this.handlers, running, now), swapMs);
  }

  /**
   * Waits no longer for a message.
   *
   * @param givesBack - has it delivered again at once, unless nobody would get it
   */
  abandon(lease: Lease, now: number, givesBack = false): void {
    const { settlements, options } = this.#deps;
    settlements.abandon(lease);
    if (givesBack && lease.attempts <= options.maxRetries) settlements.giveBack(lease, now);
    this.finish(lease, now);
  }
}
