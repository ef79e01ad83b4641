import type { Holdings } from '../../lease/holdings.ts';
import type { Isolation } from '../../lease/isolation.ts';
import type { HeldMessage } from '../../lease/lease.ts';
import type { Handouts } from '../handing-out/handouts.ts';
import type { Demand } from '../pulling/demand.ts';
import type { PullAnswer } from '../pulling/pull-answer.ts';
import type { Holder } from '../queue-context.ts';
import type { Settlements } from '../settling/settlements.ts';
import type { StatsCounter } from '../stats.ts';
import type { SteadyTime } from '../steady-time.ts';
import type { Intake } from './intake.ts';

export interface ArrivalsDeps {
  readonly time: SteadyTime;
  readonly stats: StatsCounter;
  /** The consumers of the handle, this one included. */
  readonly holders: ReadonlySet<Holder>;
  readonly intake: Intake;
  readonly demand: Demand;
  readonly holdings: Holdings;
  readonly handouts: Handouts;
  readonly isolation: Isolation | undefined;
  readonly settlements: Settlements;
  /** Asks for a turn. */
  readonly wake: () => void;
  /** Has the next turn at once. */
  readonly hasten: () => void;
  /** The queue is empty, and that is a reason to end. */
  readonly onOver: () => void;
}

/**
 * Sees to what pulls bring: to the intake, and what can be handed out from there to the consumer of the handle that has the
 * message already, or to this one.
 */
export class Arrivals implements Holder {
  readonly #deps: ArrivalsDeps;

  constructor(deps: ArrivalsDeps) {
    this.#deps = deps;
  }

  /** A pull was answered. */
  answered(answer: PullAnswer): void {
    const { demand, intake, isolation, time, hasten, onOver, wake } = this.#deps;
    const now = time.now();
    if (answer.messages.length > 0) {
      demand.onMessages(now);
      intake.take(answer);
      hasten();
      return;
    }
    isolation?.onAnswer([], now);
    if (demand.isOver(answer)) onOver();
    wake();
  }

  /** Takes what can be handed out. */
  accept(messages: readonly HeldMessage[], answer: PullAnswer): void {
    this.#hold(this.#notHeldBeside(messages, answer), answer);
  }

  /** Gives what comes again to the consumer of the same handle that has it, and gives the others. */
  #notHeldBeside(messages: readonly HeldMessage[], answer: PullAnswer): readonly HeldMessage[] {
    const { holders, holdings } = this.#deps;
    if (holders.size === 1) return messages;
    return messages.filter(
      (message) =>
        message.attempts === 1 ||
        holdings.knows(message.id) ||
        ![...holders].some((holder) => holder.takeBack(message, answer)),
    );
  }

  takeBack(message: HeldMessage, answer: PullAnswer): boolean {
    const { holdings, wake } = this.#deps;
    if (!holdings.knows(message.id)) return false;
    this.#hold([message], answer);
    wake();
    return true;
  }

  leaseMs(now: number): number {
    return this.#deps.handouts.leaseMs(now);
  }

  #hold(messages: readonly HeldMessage[], { sentAt, visibilityTimeoutMs }: PullAnswer): void {
    const { handouts, holdings, isolation, settlements, stats, time, wake } = this.#deps;
    // What is forgotten by now is not in hand any more when it comes again.
    const now = time.now();
    handouts.lapse(now);
    const { swapped, done } = holdings.receive(messages, sentAt, visibilityTimeoutMs, now);
    isolation?.onAnswer(messages, now);
    stats.swapped += swapped;
    stats.reacked += done.length;
    for (const lease of done) settlements.settleUnstarted(lease, 'ack');
    if (done.length > 0) wake();
    handouts.setAside(now);
  }
}
