import { QueueError } from '../../contract/errors.ts';
import type { PullResult } from '../../contract/transport.ts';
import { failureKind, mayHaveTakenEffect } from '../../lease/failure-policy.ts';
import type { Handlers } from '../../lease/handlers.ts';
import type { Holdings } from '../../lease/holdings.ts';
import { planPull, type PullBounds, type PullState, stretchMs, unstartedBound } from '../../lease/plan-pull.ts';
import type { SerialTime } from '../../lease/serial-time.ts';
import { SmoothedMean } from '../../lease/smoothed.ts';
import { AnswerTimes } from './answer-times.ts';
import { PollPace, type PollPaceDeps } from './poll-pace.ts';
import type { PullAnswer } from './pull-answer.ts';
import { PullFailures, type PullFailuresDeps } from './pull-failures.ts';
import { type Pull, PullsUnderWay, type PullsUnderWayDeps } from './pulls-under-way.ts';

/** What the engine knows beside the holdings when pulls are planned. */
export interface PullSituation {
  /** Nothing is in hand, in the buffer or on its way to be settled. */
  readonly isIdle: boolean;
  /** An idle consumer asks at this time even if it would be too early otherwise. */
  readonly pollBy: number;
  /** The most messages to hold unstarted, those asked for included; a batch in any case. */
  readonly most: number;
  /** Received messages that are in neither: their schema has not answered yet. */
  readonly held: number;
  /** The length of their bodies. */
  readonly heldLength: number;
  /** For how long each message keeps the event loop. */
  readonly serial: SerialTime;
  /** For how long messages are to be leased by what the work here has taken so far, in milliseconds. */
  readonly usualLeaseMs: number;
  /** The same, and by what the consumers of the handle work on now and may come again. */
  readonly leaseMs: () => number;
}

export interface PullerDeps extends PollPaceDeps, PullsUnderWayDeps, PullFailuresDeps {
  readonly onAnswer: (answer: PullAnswer) => void;
  readonly onFinal: (error: unknown) => void;
  /** A pull ended without messages. */
  readonly onEnd: () => void;
}

/** Sends the pulls that the plan asks for, and decides what to make of their answers and failures. */
export class Puller {
  readonly #deps: PullerDeps;
  readonly #pace: PollPace;
  readonly #times: AnswerTimes;
  readonly #failures: PullFailures;
  readonly #length = new SmoothedMean();
  /** What was sent and has not been answered. */
  readonly underWay: PullsUnderWay;
  /** When the last one was answered. */
  answeredAt: number = -Infinity;
  /** When that was sent. */
  lookedAt: number = -Infinity;
  /** When the next one is due, those that fail or are not answered apart; `Infinity` when none is wanted. */
  dueAt: number = Infinity;
  /** When the last one was sent. */
  #sentAt = -Infinity;

  constructor(deps: PullerDeps) {
    const { options, report } = deps;
    this.#deps = deps;
    this.#pace = new PollPace(deps);
    this.#times = new AnswerTimes(options.visibilityTimeoutMs, report);
    this.#failures = new PullFailures(deps);
    this.underWay = new PullsUnderWay(deps, {
      onAnswered: (pull, result) => this.#answered(pull, result),
      onFailed: (pull, error) => this.#failed(pull, error),
      onOverdue: (waitedMs, now) => {
        report({ type: 'pullOverdue', waitedMs });
        this.#failures.warn(now);
        this.#times.overdue(waitedMs);
      },
      onEnd: deps.onEnd,
    });
  }

  /** The smoothed round trip in milliseconds; 0 before the first. */
  get roundTripMs(): number {
    return this.#times.roundTripMs;
  }

  /** Asks an idle queue at once. */
  wake(): void {
    this.#pace.wake();
  }

  /** A message was given back that comes again in a while. */
  onRetried(): void {
    this.#pace.onRetried();
  }

  /** Whether an answer is counted on. */
  get isPulling(): boolean {
    return this.underWay.waitedFor > 0;
  }

  /** Sends the pulls that are due. Gives the time of the next one that has to wait, `Infinity` when none does. */
  plan(handlers: Handlers, holdings: Holdings, now: number, situation: PullSituation): number {
    const { gates, options, wakes } = this.#deps;
    // What comes meanwhile would be ready before what waits for a schema.
    if (options.order !== undefined && situation.held > 0) return Infinity;
    for (;;) {
      const bounds = this.#bounds(situation);
      const state = this.#state(holdings, situation);
      const limitedUntil = handlers.pullAt(state.unstarted + state.asked, stretchMs(bounds, state), now);
      if (limitedUntil > now) {
        this.dueAt = limitedUntil;
        return limitedUntil;
      }
      const wanted = planPull(handlers, bounds, state, now);
      // What was pushed through the same handle comes for the first time.
      const most = Math.max(situation.most, handlers.atOnce, wakes.owed);
      const asked = Math.min(wanted, most - state.unstarted - state.asked);
      if (asked < 1 && this.underWay.size === 0) this.dueAt = Infinity;
      // While answers are slow, one pull at a time: what the others bring would arrive as late.
      if (asked < 1 || (this.#times.areSlow && this.isPulling)) return Infinity;
      const { notBefore: scheduledAt } = this.#pace;
      const { isIdle, pollBy } = situation;
      const pollAt = isIdle && this.#sentAt < pollBy ? Math.min(scheduledAt, pollBy) : scheduledAt;
      this.dueAt = Math.max(this.dueAt === Infinity ? now : this.dueAt, pollAt);
      const notBefore = Math.max(pollAt, gates.notBefore('pull'));
      if (notBefore > now) return notBefore;
      this.#send({ wanted, asked }, this.#within(situation.leaseMs()), isIdle, now);
    }
  }

  /** The most messages that may be unstarted and asked for now. */
  unstartedBound(handlers: Handlers, holdings: Holdings, now: number, situation: PullSituation): number {
    return unstartedBound(handlers, this.#bounds(situation), this.#state(holdings, situation), now);
  }

  /** The bounds of the next pull, whose lease grows with the work. */
  #bounds({ usualLeaseMs }: PullSituation): PullBounds {
    const { options } = this.#deps;
    return usualLeaseMs <= options.visibilityTimeoutMs
      ? options
      : { ...options, visibilityTimeoutMs: this.#within(usualLeaseMs) };
  }

  /** A lease that was wanted, as it may be. */
  #within(leaseMs: number): number {
    const { visibilityTimeoutMs, maxVisibilityTimeoutMs } = this.#deps.options;
    return Math.min(Math.max(Math.ceil(leaseMs), visibilityTimeoutMs), maxVisibilityTimeoutMs);
  }

  #state(holdings: Holdings, { held, heldLength, serial }: PullSituation): PullState {
    return {
      serial,
      unstarted: holdings.buffered + held,
      unstartedLength: holdings.waiting.bodyLength + heldLength,
      blocked: holdings.waiting.blocked,
      // Walks all lanes, and is seldom asked for.
      longest: () => holdings.order.longest,
      overtaken: holdings.order.overtaken,
      due: holdings.order.dueSince > this.#sentAt ? 1 : 0,
      isSeeking: holdings.order.isSeeking,
      asked: this.underWay.asked,
      pullsUnderWay: this.underWay.waitedFor,
      lastWasFull: this.#pace.lastWasFull,
      roundTripMs: this.roundTripMs,
      meanLength: this.#length.value ?? 0,
    };
  }

  #send({ wanted, asked }: Pick<Pull, 'wanted' | 'asked'>, leaseMs: number, isAlone: boolean, now: number): void {
    const times = this.#times;
    this.#failures.noteSent(now);
    this.#sentAt = now;
    const planned = {
      asked: times.areSlow ? 1 : asked,
      wanted: times.areSlow ? 1 : wanted,
      visibilityTimeoutMs: times.lengthened(leaseMs),
      overdueAt: now + times.overdueAfterMs,
      isAlone,
    };
    this.underWay.send(planned, times.timeoutMs, now);
  }

  #answered(pull: Pull, { messages }: PullResult): void {
    const { leftovers, stats, time } = this.#deps;
    const now = time.now();
    const tookMs = now - pull.sentAt;
    this.answeredAt = now;
    this.lookedAt = pull.sentAt;
    this.dueAt = now;
    this.underWay.giveUpOvertaken(now);
    this.#failures.succeed();
    this.#times.answered(tookMs, pull.isOverdue);
    leftovers.observe(tookMs);
    stats.received += messages.length;
    this.#pace.answered(pull, messages, now);
    if (messages.length === 0) stats.emptyPulls += 1;
    else {
      for (const message of messages) this.#length.observe(message.bodyLength);
      this.underWay.disturb();
    }
    const { sentAt, visibilityTimeoutMs, isAlone } = pull;
    this.#deps.onAnswer({ messages, sentAt, answeredAt: now, visibilityTimeoutMs, isAlone });
  }

  #failed(pull: Pull, error: unknown): void {
    const { time, stats, onEnd } = this.#deps;
    const now = time.now();
    stats.lastError = error;
    if (mayHaveTakenEffect(error)) this.#deps.leftovers.note(now + pull.visibilityTimeoutMs);
    // Where others are answered, there is nothing to wait for.
    const isAwaited = !pull.isOverdue || this.answeredAt <= pull.sentAt;
    // What nobody waits for tells all the same whether everything is refused.
    const kind = this.#failures.judge(error, now);
    if (isAwaited || failureKind(error) !== 'transient') this.#waitAfter(pull, error, kind, now);
    onEnd();
  }

  /** Decides when to ask again after a failure, if at all. */
  #waitAfter(pull: Pull, error: unknown, kind: ReturnType<PullFailures['judge']>, now: number): void {
    const { wakes, report, onFinal } = this.#deps;
    this.#pace.failed();
    if (kind !== 'paused' && !pull.isOverdue) wakes.failed(pull.asking);
    if (kind === 'paused') {
      this.dueAt = now;
      this.#pace.paused(pull, now);
      report({ type: 'paused' });
    } else if (kind === 'final') onFinal(error);
    else {
      if (error instanceof QueueError && error.code === 'timeout') this.#times.timedOut(now - pull.sentAt);
      this.#failures.holdBack(error, now);
    }
  }
}
