import type { Holdings } from '../../lease/holdings.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { Handouts } from '../handing-out/handouts.ts';
import type { Releases } from '../handing-out/releases.ts';
import type { Intake } from '../intake/intake.ts';
import type { LeaseSignals } from '../settling/lease-signals.ts';
import type { Puller } from '../pulling/puller.ts';
import type { Settlements } from '../settling/settlements.ts';
import type { Settler } from '../settling/settler.ts';
import { lastCallsMs, Shutdown } from './shutdown.ts';
import { type CloseReason, type ConsumerStats, isAsked } from '../stats.ts';

export interface ClosingDeps {
  readonly options: ResolvedConsumeOptions;
  readonly holdings: Holdings;
  readonly handouts: Handouts;
  readonly releases: Releases;
  readonly intake: Intake;
  readonly puller: Puller;
  readonly settler: Settler;
  readonly settlements: Settlements;
  readonly signals: LeaseSignals;
  /** What else is waited for. */
  readonly extended: ReadonlySet<unknown>;
  /** Asks for a turn. */
  readonly wake: () => void;
}

/** Why a consumer ends, and how fast. */
export interface CloseRequest {
  readonly reason: CloseReason;
  readonly error?: unknown;
  readonly graceMs?: number | undefined;
}

/** Brings a consumer to its end: gives back what nobody started, and waits for the rest as long as it may. */
export class Closing {
  readonly #deps: ClosingDeps;
  #shutdown: Shutdown | undefined;
  /** When it will have taken as long as it may, once that is known. */
  #overAt: number | undefined;
  /** It has taken as long as it may. */
  #isOver = false;
  /** And a turn more: a transport that does not heed its signal must not keep it from ending. */
  #isForsaken = false;
  #tellLeft: () => void = () => undefined;
  /** Resolves when nothing is left but what is in hand. */
  readonly left: Promise<void> = new Promise((resolve) => {
    this.#tellLeft = resolve;
  });
  /** What does not end within the grace is given back: nobody who goes away of its own accord works on it. */
  #givesBack = false;
  /** Somebody waits for what is in hand as well. */
  isAwaited = false;

  constructor(deps: ClosingDeps) {
    this.#deps = deps;
  }

  /** Whether anything asked for it. */
  get hasBegun(): boolean {
    return this.#shutdown !== undefined;
  }

  /** What was asked for first, with its error where there is one; nothing before. */
  get cause(): Pick<ConsumerStats, 'reason' | 'error'> {
    if (this.#shutdown === undefined) return {};
    const { reason, error } = this.#shutdown;
    return reason === 'failed' ? { reason, error } : { reason };
  }

  /** Begins the end, or hastens it when called again with less grace. */
  begin({ reason, error, graceMs }: CloseRequest, now: number): void {
    const { handouts, options } = this.#deps;
    const { endsWithSettlement } = handouts.mode;
    const leasesEndBy = now + options.visibilityTimeoutMs;
    this.#shutdown ??= new Shutdown({ reason, error, endsWithSettlement, leasesEndBy });
    if (graceMs === undefined) return;
    this.#shutdown.limit(now + graceMs);
    this.#givesBack ||= isAsked(reason);
    if (graceMs === 0) this.#endGrace();
  }

  #endGrace(): void {
    // Before those who listen to their signals fail.
    this.#deps.settlements.givesBack = this.#givesBack;
    this.#deps.signals.endGrace();
  }

  /** Whether what is waited for has a limit. */
  get hasGrace(): boolean {
    return this.#shutdown?.hasGrace === true;
  }

  /** Does what is due, and gives when it wants another turn at the latest. */
  turn(now: number): number {
    const { holdings, handouts, puller, releases } = this.#deps;
    if (this.#shutdown === undefined) return Infinity;
    releases.drain(now);
    this.#shutdown.awaitLeases(puller.underWay.leasesEndBy);
    const step = this.#shutdown.step(holdings.running, now);
    for (const lease of step.finished) handouts.finish(lease, now);
    if (step.abort) this.#endGrace();
    for (const lease of step.abandon) handouts.abandon(lease, now, this.#givesBack);
    if (step.schemasAreOver) this.#takeNoMore(now);
    let nextAt = step.isOver ? this.#lastCallsEndAt(now) : Infinity;
    if (nextAt <= now) {
      this.#giveUp();
      nextAt = Infinity;
    }
    if (this.#hasLeft()) this.#tellLeft();
    return Math.min(nextAt, step.nextAt, puller.underWay.giveUp(now, step.pullsAreOver));
  }

  /** When the end is final: work that kept the event loop until the time was over has its settlement sent once. */
  #lastCallsEndAt(now: number): number {
    this.#overAt ??= now + (this.#deps.settler.hasSendable(now) ? lastCallsMs.withGrace : 0);
    return this.#overAt;
  }

  /** Gives back what nobody has looked at yet. */
  #takeNoMore(now: number): void {
    this.#deps.intake.giveUp();
    this.#deps.releases.drain(now);
  }

  #giveUp(): void {
    this.#deps.settlements.giveUp();
    this.#deps.settler.giveUp();
    this.#isForsaken = this.#isOver;
    if (this.#isOver) return;
    this.#isOver = true;
    // Calls that were just ended have a turn to say so.
    this.#deps.wake();
  }

  /** Whether nothing is left but what is in hand. */
  #hasLeft(): boolean {
    const { puller, settler, intake, settlements } = this.#deps;
    return puller.underWay.calls + settler.unconfirmed + intake.held + settlements.claimed === 0;
  }

  /** Whether the process is to stay for the end. */
  get keepsAlive(): boolean {
    return this.#shutdown !== undefined && (this.isAwaited || !this.#hasLeft());
  }

  /** Whether nothing of the consumer is left. */
  get isDone(): boolean {
    const { holdings, puller, settler, intake, settlements, extended } = this.#deps;
    if (this.#shutdown === undefined || holdings.running.size + settler.unconfirmed > 0) return false;
    if (extended.size > 0 && !this.#isForsaken) return false;
    if (settler.calls + puller.underWay.calls > 0 && !this.#isForsaken) return false;
    // A schema or a push to another queue that never answers must not keep it from ending.
    return this.#isOver || holdings.unstarted + intake.held + settlements.claimed === 0;
  }
}
