import { QueueError } from '../../contract/errors.ts';
import type { ReceiveEnd } from '../../contract/observer.ts';
import type { Observers, Ongoing } from '../../contract/observers.ts';
import type { PullResult, QueueTransport } from '../../contract/transport.ts';
import { type Call, openCall } from '../call.ts';
import type { StatsCounter } from '../stats.ts';
import type { Leftovers } from './leftovers.ts';
import { leasesEndAt } from './pull-answer.ts';
import type { Asking, Wakes } from './wakes.ts';

/** What a pull brings that brings nothing. */
const nothing = { messages: [], backlogCount: undefined };

/** A pull as it was planned. */
interface PlannedPull {
  readonly asked: number;
  /** What it would have asked for, but for caution. */
  readonly wanted: number;
  readonly visibilityTimeoutMs: number;
  /** When its answer is overdue. */
  readonly overdueAt: number;
  /** Nothing was in hand when it was sent and nothing has come since, so that an empty answer speaks for the queue. */
  isAlone: boolean;
}

/** A request on its way. */
export interface Pull extends PlannedPull {
  readonly sentAt: number;
  readonly call: Call;
  readonly asking: Asking;
  readonly receiving: Ongoing<ReceiveEnd> | undefined;
  /** It is not counted on any more; its answer is taken if it comes. */
  isOverdue: boolean;
}

export interface PullsUnderWayDeps {
  readonly transport: QueueTransport;
  readonly wakes: Wakes;
  readonly leftovers: Leftovers;
  readonly observers: Observers | undefined;
  readonly stats: StatsCounter;
}

/** Who is told how pulls end. */
export interface PullsListener {
  readonly onAnswered: (pull: Pull, result: PullResult) => void;
  readonly onFailed: (pull: Pull, error: unknown) => void;
  /** One is not counted on any more, so long after it was sent. */
  readonly onOverdue: (waitedMs: number, now: number) => void;
  /** One ended that had been given up. */
  readonly onEnd: () => void;
}

/** Sends pulls, and follows them until they end or are given up. */
export class PullsUnderWay {
  readonly #deps: PullsUnderWayDeps;
  readonly #listener: PullsListener;
  // No set: what goes through one that lives for long grows old, as each of its tables holds on to the next (V8 11 and 13).
  #pulls: readonly Pull[] = [];
  /** How many of them are overdue. */
  #overdue = 0;
  /** How many messages those ask for that are counted on. */
  asked = 0;
  /** How many calls have not ended, those given up included. */
  calls = 0;

  constructor(deps: PullsUnderWayDeps, listener: PullsListener) {
    this.#deps = deps;
    this.#listener = listener;
  }

  get size(): number {
    return this.#pulls.length;
  }

  /** How many are counted on. */
  get waitedFor(): number {
    return this.#pulls.length - this.#overdue;
  }

  /** When the leases that they may bring are over; `-Infinity` when there is none. */
  get leasesEndBy(): number {
    let latest = -Infinity;
    for (const pull of this.#pulls) latest = Math.max(latest, leasesEndAt(pull));
    return latest;
  }

  /** @param timeoutMs - how long it may take, in milliseconds */
  send(planned: PlannedPull, timeoutMs: number, now: number): void {
    const { observers, stats, transport, wakes } = this.#deps;
    const { asked, visibilityTimeoutMs } = planned;
    const call = openCall(timeoutMs);
    const pull: Pull = {
      sentAt: now,
      call,
      asking: wakes.ask(asked),
      receiving: observers?.begin('receive', { batchSize: asked, visibilityTimeoutMs }),
      isOverdue: false,
      ...planned,
    };
    this.#pulls = [...this.#pulls, pull];
    wakes.rouse();
    this.calls += 1;
    this.asked += asked;
    stats.pulls += 1;
    transport.pull({ batchSize: asked, visibilityTimeoutMs }, call.options).then(
      (result) => {
        const { messages, backlogCount } = result;
        if (this.#ended(pull, { messages, backlogCount })) this.#listener.onAnswered(pull, result);
      },
      (error: unknown) => {
        if (this.#ended(pull, { error, ...nothing })) this.#listener.onFailed(pull, error);
      },
    );
  }

  /** `false` when it had been given up. */
  #ended(pull: Pull, how: Omit<ReceiveEnd, 'durationMs'>): boolean {
    this.calls -= 1;
    if (this.#delete(pull)) {
      pull.receiving?.end(how);
      return true;
    }
    this.#listener.onEnd();
    return false;
  }

  #delete(pull: Pull): boolean {
    if (!this.#pulls.includes(pull)) return false;
    this.#pulls = this.#pulls.filter((other) => other !== pull);
    if (pull.isOverdue) this.#overdue -= 1;
    else this.asked -= pull.asked;
    return true;
  }

  /** Messages have come: what the others find says nothing of the queue. */
  disturb(): void {
    for (const pull of this.#pulls) pull.isAlone = false;
  }

  /**
   * Counts no longer on pulls whose answers are overdue: a way that swallows a request must not keep an idle consumer
   * waiting. Messages may be leased by them, which come with a late answer, or again.
   */
  noteOverdue(now: number): void {
    for (const pull of this.#pulls) if (!pull.isOverdue && pull.overdueAt <= now) this.#overdueNow(pull, now);
  }

  #overdueNow(pull: Pull, now: number): void {
    pull.isOverdue = true;
    this.#overdue += 1;
    this.asked -= pull.asked;
    this.#deps.leftovers.note(now + pull.visibilityTimeoutMs);
    this.#deps.wakes.failed(pull.asking);
    this.#listener.onOverdue(now - pull.sentAt, now);
  }

  /** When the next answer will be overdue; `Infinity` when none is waited for. */
  get nextOverdueAt(): number {
    let next = Infinity;
    for (const pull of this.#pulls) if (!pull.isOverdue) next = Math.min(next, pull.overdueAt);
    return next;
  }

  /** What others have overtaken by far will not be answered any more. */
  giveUpOvertaken(now: number): void {
    if (this.#overdue === 0) return;
    for (const pull of this.#pulls) {
      const limitMs = pull.overdueAt - pull.sentAt;
      if (pull.isOverdue && now - pull.sentAt > 10 * limitMs) {
        // It may have reached the service as late as this.
        this.#deps.leftovers.note(now + pull.visibilityTimeoutMs);
        this.#giveUp(pull);
      }
    }
  }

  /**
   * Gives up the pulls that are not worth waiting for: those that are overdue, those whose leases would be over, or all.
   *
   * @returns when the next one will be, `Infinity` when none is under way
   */
  giveUp(now: number, all: boolean): number {
    let next = Infinity;
    for (const pull of this.#pulls) {
      const endsAt = leasesEndAt(pull);
      if (all || endsAt <= now || pull.isOverdue) this.#giveUp(pull);
      else next = Math.min(next, endsAt);
    }
    return next;
  }

  #giveUp(pull: Pull): void {
    this.#delete(pull);
    if (!pull.isOverdue) this.#deps.wakes.failed(pull.asking);
    pull.receiving?.end({ ...nothing, error: new QueueError('The pull was given up', { code: 'closed' }) });
    pull.call.giveUp();
  }
}
