import type { Handlers } from '../lease/handlers.ts';
import type { Holdings, Trimmed } from '../lease/holdings.ts';
import type { Lease, SettleKind } from '../lease/lease.ts';
import { leaseShare } from '../lease/plan-pull.ts';
import type { ResolvedConsumeOptions } from './consume-options.ts';
import { identityOf } from './events.ts';
import type { LeaseSignals } from './lease-signals.ts';
import type { Leftovers } from './leftovers.ts';
import type { DeliveryMode } from './modes.ts';
import type { Puller } from './puller.ts';
import type { Settlements } from './settlements.ts';
import type { StatsCounter } from './stats.ts';
import { warnAbandoned } from './warn-abandoned.ts';

export interface HandoutsDeps {
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly holdings: Holdings;
  readonly signals: LeaseSignals;
  readonly leftovers: Leftovers;
  readonly settlements: Settlements;
  readonly puller: Pick<Puller, 'roundTripMs'>;
  /** Asks for a turn. */
  readonly wake: () => void;
}

/** Hands out what is held, follows it until its handler has ended, and gives back what can't be handed out in time. */
export class Handouts {
  handlers: Handlers;
  mode: DeliveryMode;
  readonly #deps: HandoutsDeps;
  #hasWarned = false;

  constructor(deps: HandoutsDeps, mode: DeliveryMode) {
    this.#deps = deps;
    this.mode = mode;
    this.handlers = mode.handlers(deps.holdings.running);
  }

  /** Goes on in another mode. */
  changeMode(mode: DeliveryMode): void {
    this.mode = mode;
    this.handlers = mode.handlers(this.#deps.holdings.running);
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
    if (holdings.unstarted === 0 || stats.inFlight >= options.maxInFlight || this.handlers.idle() < 1) return undefined;
    this.trim(now);
    const lease = holdings.start(now);
    if (lease === undefined) return undefined;
    stats.delivered += 1;
    stats.inFlight += 1;
    return lease;
  }

  /** Gives back what is too near its end to be started. */
  trim(now: number): void {
    this.#giveBack(this.#deps.holdings.trim(now, this.#deps.puller.roundTripMs));
  }

  /** Gives back everything that nobody started. */
  drain(now: number): void {
    this.#giveBack(this.#deps.holdings.drain(now));
  }

  #giveBack({ released, postponed, dropped }: Trimmed): void {
    if (released.length + postponed.length + dropped.length === 0) return;
    const { stats, settlements, leftovers, wake } = this.#deps;
    stats.released += released.length + postponed.length;
    stats.dropped += dropped.length;
    for (const { deadline } of dropped) leftovers.note(deadline);
    for (const lease of released) settlements.settleUnstarted(lease, 'retry', 0);
    for (const lease of postponed) settlements.settleUnstarted(lease, 'retry');
    wake();
  }

  /** The handler of a message ended. What it did not settle is settled as `kind`, a retry with the growing delay. */
  complete(lease: Lease, kind: SettleKind, now: number, delaySeconds?: number): void {
    const { holdings, settlements } = this.#deps;
    settlements.complete(lease, kind, now, delaySeconds);
    if (!settlements.isAwaiting(lease)) this.finish(lease, now);
    else if (holdings.park(lease)) this.#observe(lease, now);
  }

  /** The handler of a message ended, or counts as ended. */
  finish(lease: Lease, now: number): void {
    if (lease.phase !== 'started') return;
    this.#deps.holdings.finish(lease);
    if (!lease.isParked) this.#observe(lease, now);
  }

  #observe({ startedAt }: Lease, now: number): void {
    this.handlers.observe(now - startedAt, now);
  }

  /** Sees to the messages whose lease has ended meanwhile. */
  lapse(now: number): void {
    for (const lease of this.#deps.holdings.lapse(now)) {
      this.#deps.signals.endLease(lease);
      // One that is being moved to another queue is not forgotten.
      if (this.mode.unseen && !lease.isClaimed) this.#forgotten(lease, now);
    }
  }

  #forgotten(lease: Lease, now: number): void {
    // Who listens to its signal may have settled it just now.
    if (lease.settledAs !== undefined) return;
    if (!this.#hasWarned && this.#deps.options.onEvent === undefined) {
      this.#hasWarned = true;
      warnAbandoned(identityOf(lease));
    }
    this.abandon(lease, now);
  }

  /** Waits no longer for a message. */
  abandon(lease: Lease, now: number): void {
    this.#deps.settlements.abandon(lease);
    this.finish(lease, now);
  }
}
