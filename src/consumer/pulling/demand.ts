import type { Holdings } from '../../lease/holdings.ts';
import type { Isolation } from '../../lease/isolation.ts';
import type { SerialTime } from '../../lease/serial-time.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { Breaking } from '../handing-out/breaking.ts';
import type { Handouts } from '../handing-out/handouts.ts';
import type { Intake } from '../intake/intake.ts';
import type { Holder } from '../queue-context.ts';
import type { Settlements } from '../settling/settlements.ts';
import type { Settler } from '../settling/settler.ts';
import type { SteadyTime } from '../steady-time.ts';
import type { Leftovers } from './leftovers.ts';
import type { PullAnswer } from './pull-answer.ts';
import type { Puller, PullSituation } from './puller.ts';

export interface DemandDeps {
  readonly time: SteadyTime;
  /** The consumers of the handle. */
  readonly holders: Iterable<Holder>;
  readonly options: ResolvedConsumeOptions;
  readonly holdings: Holdings;
  readonly handouts: Handouts;
  readonly intake: Intake;
  readonly puller: Puller;
  readonly settler: Settler;
  readonly settlements: Settlements;
  readonly breaking: Breaking;
  readonly isolation: Isolation | undefined;
  readonly leftovers: Leftovers;
  readonly serial: SerialTime;
}

/** Says, of all that is in hand, what pulls have to know of it, and whether one that brought nothing found the queue empty. */
export class Demand {
  readonly #deps: DemandDeps;
  #lastMessageAt = 0;
  /** Something was in hand since the last pull that found the consumer idle. */
  #wasBusy = false;

  constructor(deps: DemandDeps) {
    this.#deps = deps;
  }

  /** When messages last came, or could have come first. */
  get lastMessageAt(): number {
    return this.#lastMessageAt;
  }

  /** Notes that messages come, or may come from now on. */
  onMessages(now: number): void {
    this.#lastMessageAt = now;
  }

  /** Notes that a message is started. */
  onStarted(): void {
    this.#wasBusy = true;
  }

  /** See {@link Wakeable}. */
  get appetite(): 0 | 1 | 2 {
    const { handouts, holdings, intake, puller, time } = this.#deps;
    if (puller.isPulling || this.#hasTooManyUnconfirmed) return 0;
    return handouts.handlers.idle(time.recent()) > holdings.buffered + intake.held ? 2 : 1;
  }

  get #hasTooManyUnconfirmed(): boolean {
    const { options, settler } = this.#deps;
    return settler.unconfirmed >= 4 * options.maxInFlight && settler.areHeldUp;
  }

  /** Has the pulls sent that are due. Gives the time of the next one that has to wait, `Infinity` when none does. */
  plan(now: number): number {
    const { handouts, holdings, options, puller } = this.#deps;
    if (this.#hasTooManyUnconfirmed) {
      puller.dueAt = Math.min(puller.dueAt, now);
      return Infinity;
    }
    const { emptyForMs } = options;
    const situation = this.#situation(now);
    if (emptyForMs !== undefined && this.#wasBusy && situation.isIdle) {
      this.#wasBusy = false;
      puller.wake();
    }
    const { gatheredAt, handlers } = handouts;
    const idleAt = emptyForMs !== undefined && gatheredAt > now ? gatheredAt : Infinity;
    return Math.min(idleAt, puller.plan(handlers, holdings, now, situation));
  }

  /** How many messages may be leased and not handed out. */
  unstartedBound(now: number): number {
    const { handouts, holdings, puller } = this.#deps;
    return puller.unstartedBound(handouts.handlers, holdings, now, this.#situation(now));
  }

  #situation(now: number): PullSituation {
    const { breaking, handouts, holders, intake, isolation, leftovers, options, serial } = this.#deps;
    const { emptyForMs } = options;
    const { held, heldLength } = intake;
    return {
      isIdle: this.#isIdle(now),
      pollBy: emptyForMs === undefined ? -Infinity : Math.max(this.#lastMessageAt + emptyForMs, leftovers.until),
      most: isolation?.most(now) ?? Infinity,
      held,
      heldLength,
      serial,
      usualLeaseMs: handouts.usualLeaseMs,
      leaseMs: () => Math.max(breaking.leaseMs, ...[...holders].map((holder) => holder.leaseMs(now))),
    };
  }

  /** Whether nothing is held that may come back. */
  #isIdle(now: number): boolean {
    const { handouts, holdings, intake, settlements, settler } = this.#deps;
    const { running, unstarted } = holdings;
    const working = now < handouts.gatheredAt ? running.size : 0;
    return working + unstarted + intake.held + settlements.claimed + settler.unconfirmed === 0;
  }

  /** Whether a pull that brought nothing is a reason to end: if that was asked for and nothing was in hand or left since it was sent. */
  isOver({ isAlone, sentAt, answeredAt }: PullAnswer): boolean {
    const { leftovers, options, puller, time } = this.#deps;
    const { emptyForMs } = options;
    // Another pull may bring what this one did not.
    if (emptyForMs === undefined || !isAlone || puller.isPulling || sentAt < leftovers.until) return false;
    // Callbacks may have taken time since it came.
    return this.#isIdle(time.now()) && answeredAt - this.#lastMessageAt >= emptyForMs;
  }
}
