import { QueueError } from '../../contract/errors.ts';
import type { Settlement } from '../../contract/settlement.ts';
import type { Holdings } from '../../lease/holdings.ts';
import type { Lease, SettleKind } from '../../lease/lease.ts';
import { growingDelaySeconds } from '../../lease/retry-delay.ts';
import type { Breaking } from '../handing-out/breaking.ts';
import { type ConsumerEvent, identityOf } from '../events.ts';
import type { LeaseSignals } from './lease-signals.ts';
import type { Leftovers } from '../pulling/leftovers.ts';
import { conclude } from './outcomes.ts';
import type { Settler } from './settler.ts';
import type { StatsCounter } from '../stats.ts';
import type { SteadyTime } from '../steady-time.ts';

export interface SettlementsDeps {
  readonly time: SteadyTime;
  readonly random: () => number;
  readonly stats: StatsCounter;
  readonly holdings: Holdings;
  readonly settler: Settler;
  readonly signals: LeaseSignals;
  readonly breaking: Breaking;
  readonly leftovers: Leftovers;
  readonly report: (event: ConsumerEvent) => void;
  /** Whether the consumer is closed, and nothing can be sent any more. */
  readonly isClosed: () => boolean;
  /** A handed-out message was settled. */
  readonly onSettled: (lease: Lease, now: number) => void;
}

/** Decides, once for each message, how it is settled, and tells whoever asks what became of that. */
export class Settlements {
  readonly #deps: SettlementsDeps;
  /** Messages whose settlement waits for something else: a push to another queue, by hand or by a sink. */
  readonly #claims = new Set<Lease>();

  /** What fails from now on was cut short, and is delivered again without a delay. */
  givesBack = false;

  constructor(deps: SettlementsDeps) {
    this.#deps = deps;
  }

  /** How many messages have a settlement that waits for something else. */
  get claimed(): number {
    return this.#claims.size;
  }

  /** Waits no longer for what settlements wait for. */
  giveUp(): void {
    for (const lease of this.#claims) this.abandon(lease);
    this.#claims.clear();
  }

  /** Waits no longer for a message to be settled. */
  abandon(lease: Lease): void {
    if (lease.settledAs !== undefined || lease.isAbandoned) return;
    const { stats, leftovers, report } = this.#deps;
    lease.isAbandoned = true;
    leftovers.note(lease.deadline);
    stats.abandoned += 1;
    stats.inFlight -= 1;
    report({ type: 'abandoned', message: identityOf(lease) });
  }

  /** Has a message that is not waited for any longer delivered again at once, unless it is being moved. */
  giveBack(lease: Lease, now: number): void {
    if (isDecided(lease) || lease.isForwarded || lease.deadline <= now) return;
    // For whoever settles it later, it comes again.
    conclude(lease, closedBefore(lease));
    this.#settle(lease, 'retry', 0, now);
  }

  /** Has the settlement of a message wait for something else, until it is {@link unclaim}ed; no other has effect. */
  claim(lease: Lease): void {
    lease.isClaimed = true;
    this.#claims.add(lease);
  }

  unclaim(lease: Lease): void {
    this.#claims.delete(lease);
    lease.isClaimed = false;
  }

  /** Whether the settlement of a message waits for something else. */
  isAwaiting(lease: Lease): boolean {
    return this.#claims.size > 0 && this.#claims.has(lease);
  }

  /**
   * Settles a message unless that was done before, or a sink is to do it; a retry without a delay gets the growing one.
   */
  complete(lease: Lease, kind: SettleKind, now: number, delaySeconds?: number): void {
    if (isDecided(lease) || lease.phase === 'deferred') return;
    if (lease.isForwarded) this.#claims.add(lease);
    else if (kind === 'ack') this.acknowledge(lease, now);
    else this.#settle(lease, 'retry', delaySeconds ?? this.growingDelay(lease), now);
  }

  /** The delay of a message whose work has failed, in seconds, where none was chosen. */
  growingDelay(lease: Lease): number {
    return this.givesBack ? 0 : growingDelaySeconds(lease.attempts, this.#deps.random);
  }

  /** Acknowledges a message, whose work has succeeded. */
  acknowledge(lease: Lease, now: number): void {
    this.#settle(lease, 'ack', undefined, now);
    this.#deps.breaking.succeed(lease, now);
  }

  /** Settles a message unless that was done before; a retry without a delay leaves it to the queue. */
  settle(lease: Lease, kind: SettleKind, delaySeconds: number | undefined): void {
    if (!isDecided(lease)) this.#settle(lease, kind, delaySeconds, this.#deps.time.now());
  }

  #settle(lease: Lease, kind: SettleKind, delaySeconds: number | undefined, now: number): void {
    const { holdings, settler, signals, stats, isClosed, onSettled } = this.#deps;
    if (isClosed()) {
      this.conclude(lease, closedBefore(lease));
      return;
    }
    if (kind === 'ack' && lease.isAbandoned) this.#acknowledgeNewer(lease, now);
    holdings.settle(lease, kind, delaySeconds);
    if (this.#claims.size > 0) this.#claims.delete(lease);
    if (!lease.isAbandoned) stats.inFlight -= 1;
    signals.forget(lease);
    if (kind === 'retry' && lease.deadline <= now) {
      const text = `The lease of message ${lease.id} ended before its retry: it comes again by itself`;
      this.conclude(lease, { outcome: 'lost', error: new QueueError(text, { code: 'lease-expired' }) });
    } else {
      settler.add(lease, now);
    }
    onSettled(lease, now);
  }

  /** What came again after it was given up, and is finished all the same, is not to be started once more. */
  #acknowledgeNewer(lease: Lease, now: number): void {
    const { holdings, stats } = this.#deps;
    const newer = holdings.takeNewer(lease, now);
    if (newer === undefined) return;
    stats.reacked += 1;
    this.settleUnstarted(newer, 'ack');
  }

  /** Settles a message that nobody was handed; `delaySeconds` as for {@link complete}. */
  settleUnstarted(lease: Lease, kind: SettleKind, delaySeconds?: number): void {
    // Another consumer may hold the message by now, and would lose it to a late retry.
    if (this.#deps.isClosed() || (kind === 'retry' && lease.deadline <= this.#deps.time.now())) {
      this.#deps.leftovers.note(lease.deadline);
      return;
    }
    lease.settledAs = kind;
    if (kind === 'retry') lease.delaySeconds = delaySeconds ?? this.growingDelay(lease);
    lease.isUnstarted = true;
    this.#deps.settler.add(lease, this.#deps.time.now());
  }

  /** Tells what became of a settlement. */
  conclude(lease: Lease, settlement: Settlement): void {
    const { stats, leftovers, report } = this.#deps;
    const isUnsettled = settlement.outcome === 'lost' || settlement.outcome === 'unknown';
    if (isUnsettled) leftovers.note(lease.deadline);
    if (!lease.isUnstarted) {
      stats[settlement.outcome] += 1;
      if (isUnsettled) {
        stats.lastError = settlement.error;
        report({ type: 'unsettled', message: identityOf(lease), settlement });
      }
    }
    if (lease.settlement === undefined) conclude(lease, settlement);
  }
}

/** Whether it is known how a message is settled, or what else decides that. */
export function isDecided(lease: Lease): boolean {
  return lease.isClaimed || lease.settledAs !== undefined || lease.settlement !== undefined;
}

function closedBefore({ id }: Lease): Settlement {
  const text = `The consumer was closed before message ${id} was settled`;
  return { outcome: 'lost', error: new QueueError(text, { code: 'closed' }) };
}
