import { QueueError } from '../../contract/errors.ts';
import { limits } from '../../contract/limits.ts';
import type { PulledMessage } from '../../contract/message.ts';
import type { ReceiveEnd } from '../../contract/observer.ts';
import type { Observers, Ongoing } from '../../contract/observers.ts';
import type { PullResult, QueueTransport } from '../../contract/transport.ts';
import { Backoff } from '../../lease/backoff.ts';
import { failureKind, mayHaveTakenEffect } from '../../lease/failure-policy.ts';
import type { Gates } from '../../lease/gates.ts';
import type { Handlers } from '../../lease/handlers.ts';
import type { Holdings } from '../../lease/holdings.ts';
import { OverdueTime } from '../../lease/overdue.ts';
import { Patience, type Standing } from '../../lease/patience.ts';
import { planPull, type PullBounds, type PullState, stretchMs, unstartedBound } from '../../lease/plan-pull.ts';
import { PollSchedule } from '../../lease/poll-schedule.ts';
import type { SerialTime } from '../../lease/serial-time.ts';
import { SmoothedMean } from '../../lease/smoothed.ts';
import { type Call, openCall } from '../call.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { ConsumerEvent } from '../events.ts';
import type { Leftovers } from './leftovers.ts';
import type { StatsCounter } from '../stats.ts';
import type { SteadyTime } from '../steady-time.ts';
import type { Asking, Wakes } from './wakes.ts';
import { warnUnanswered } from '../warnings.ts';

/** The least time that a pull may take, in milliseconds, however short its lease. */
const leastPullTimeoutMs = 30_000;

/** The most time that a pull may take, in milliseconds: a connection that is gone must not stop the consumer for long. */
const mostPullTimeoutMs = 300_000;

/**
 * How old a message may be that was just pushed, in milliseconds. A queue's delay is a whole number of seconds. Where the
 * clocks of this machine and the service differ by more, messages look older or younger: then more is polled, or less.
 */
const freshMs = 1_000;

/** For how long the first pulls may be in vain without a word, in milliseconds. */
const silentMs = 5_000;

/** What a pull brings that brings nothing. */
const nothing = { messages: [], backlogCount: undefined };

/** A request on its way. */
interface Pull {
  readonly asked: number;
  /** What it would have asked for, but for caution. */
  readonly wanted: number;
  readonly sentAt: number;
  readonly visibilityTimeoutMs: number;
  readonly call: Call;
  readonly asking: Asking;
  readonly receiving: Ongoing<ReceiveEnd> | undefined;
  /** When its answer is overdue. */
  readonly overdueAt: number;
  /** It is not counted on any more; its answer is taken if it comes. */
  isOverdue: boolean;
  /** Nothing was in hand when it was sent and nothing has come since, so that an empty answer speaks for the queue. */
  isAlone: boolean;
}

/** The answer to a pull. */
export interface PullAnswer {
  readonly messages: readonly PulledMessage[];
  readonly sentAt: number;
  /** When it came. */
  readonly answeredAt: number;
  readonly visibilityTimeoutMs: number;
  /** Whether nothing was in hand when it was sent and nothing has come since. */
  readonly isAlone: boolean;
}

/** When the leases that a pull brings end, in steady milliseconds. */
export function leasesEndAt({
  sentAt,
  visibilityTimeoutMs,
}: Pick<PullAnswer, 'sentAt' | 'visibilityTimeoutMs'>): number {
  return sentAt + visibilityTimeoutMs;
}

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

export interface PullerDeps {
  readonly transport: QueueTransport;
  readonly time: SteadyTime;
  readonly gates: Gates;
  readonly standing: Standing;
  readonly wakes: Wakes;
  readonly leftovers: Leftovers;
  readonly random: () => number;
  readonly observers: Observers | undefined;
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly report: (event: ConsumerEvent) => void;
  readonly onAnswer: (answer: PullAnswer) => void;
  readonly onFinal: (error: unknown) => void;
  /** A pull ended without messages. */
  readonly onEnd: () => void;
}

/** Sends the pulls that the plan asks for, and decides what to make of their answers and failures. */
export class Puller {
  readonly #deps: PullerDeps;
  readonly #schedule: PollSchedule;
  readonly #backoff: Backoff;
  readonly #underWay = new Set<Pull>();
  readonly #roundTrip = new SmoothedMean();
  readonly #length = new SmoothedMean();
  readonly #overdueTime = new OverdueTime();
  /** Of those under way. */
  #overdue = 0;
  #asked = 0;
  /** When the last one was answered. */
  answeredAt: number = -Infinity;
  /** When that was sent. */
  lookedAt: number = -Infinity;
  /** When the next one is due, those that fail or are not answered apart; `Infinity` when none is wanted. */
  dueAt: number = Infinity;
  /** When the first pull was sent, and the last. */
  #startedAt = Infinity;
  #sentAt = -Infinity;
  #lastWasFull = false;
  /** The lease that the next pull asks for while answers are slow. */
  #slowTimeoutMs: number | undefined;
  #timeouts = 0;
  readonly #patience: Patience;

  constructor(deps: PullerDeps) {
    this.#deps = deps;
    this.#schedule = new PollSchedule(deps.options.maxIdleMs, deps.random);
    this.#backoff = new Backoff({ firstMs: 250, maxMs: 30_000 }, deps.random);
    this.#patience = new Patience(deps.standing);
  }

  /** How many calls have not ended, those given up included. */
  calls = 0;

  /** The smoothed round trip in milliseconds; 0 before the first. */
  get roundTripMs(): number {
    return this.#roundTrip.value ?? 0;
  }

  /** When the leases that pulls under way may bring are over; `-Infinity` when none is. */
  get leasesEndBy(): number {
    let latest = -Infinity;
    for (const pull of this.#underWay) latest = Math.max(latest, leasesEndAt(pull));
    return latest;
  }

  /** Asks an idle queue at once. */
  wake(): void {
    this.#schedule.wake();
  }

  /** A message was given back that comes again in a while. */
  onRetried(): void {
    this.#schedule.onTraffic(this.#deps.time.now());
  }

  /** Whether an answer is counted on. */
  get isPulling(): boolean {
    return this.#waitedFor > 0;
  }

  get #waitedFor(): number {
    return this.#underWay.size - this.#overdue;
  }

  /** Sends the pulls that are due. Gives the time of the next one that has to wait, `Infinity` when none does. */
  plan(handlers: Handlers, holdings: Holdings, now: number, situation: PullSituation): number {
    // What comes meanwhile would be ready before what waits for a schema.
    if (this.#deps.options.order !== undefined && situation.held > 0) return Infinity;
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
      const most = Math.max(situation.most, handlers.atOnce, this.#deps.wakes.owed);
      const asked = Math.min(wanted, most - state.unstarted - state.asked);
      if (asked < 1 && this.#underWay.size === 0) this.dueAt = Infinity;
      // While answers are slow, one pull at a time: what the others bring would arrive as late.
      if (asked < 1 || (this.#slowTimeoutMs !== undefined && this.isPulling)) return Infinity;
      const scheduledAt = Math.min(this.#schedule.notBefore, this.#deps.wakes.notBefore);
      const { isIdle, pollBy } = situation;
      const pollAt = isIdle && this.#sentAt < pollBy ? Math.min(scheduledAt, pollBy) : scheduledAt;
      this.dueAt = Math.max(this.dueAt === Infinity ? now : this.dueAt, pollAt);
      const notBefore = Math.max(pollAt, this.#deps.gates.notBefore('pull'));
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
      unstartedLength: holdings.unstartedLength + heldLength,
      blocked: holdings.blocked,
      // Walks all lanes, and is seldom asked for.
      get longest() {
        return holdings.order.longest;
      },
      overtaken: holdings.order.overtaken,
      due: holdings.order.dueSince > this.#sentAt ? 1 : 0,
      isSeeking: holdings.order.isSeeking,
      asked: this.#asked,
      pullsUnderWay: this.#waitedFor,
      lastWasFull: this.#lastWasFull,
      roundTripMs: this.roundTripMs,
      meanLength: this.#length.value ?? 0,
    };
  }

  #send(plan: Pick<Pull, 'wanted' | 'asked'>, leaseMs: number, isAlone: boolean, now: number): void {
    const { observers, options, stats, transport, wakes } = this.#deps;
    const visibilityTimeoutMs = Math.max(leaseMs, this.#slowTimeoutMs ?? 0);
    const asked = this.#slowTimeoutMs === undefined ? plan.asked : 1;
    const wanted = this.#slowTimeoutMs === undefined ? plan.wanted : 1;
    const usualMs = Math.max(leastPullTimeoutMs, 4 * options.visibilityTimeoutMs) * 2 ** this.#timeouts;
    const call = openCall(Math.min(mostPullTimeoutMs, usualMs));
    const pull: Pull = {
      asked,
      wanted,
      sentAt: now,
      visibilityTimeoutMs,
      call,
      asking: wakes.ask(asked),
      receiving: observers?.begin('receive', { batchSize: asked, visibilityTimeoutMs }),
      overdueAt: now + this.#overdueTime.limitMs(this.roundTripMs),
      isOverdue: false,
      isAlone,
    };
    this.#underWay.add(pull);
    this.#startedAt = Math.min(this.#startedAt, now);
    this.#sentAt = now;
    wakes.rouse();
    this.calls += 1;
    this.#asked += asked;
    stats.pulls += 1;
    transport.pull({ batchSize: asked, visibilityTimeoutMs }, call.options).then(
      (result) => this.#answered(pull, result),
      (error: unknown) => this.#failed(pull, error),
    );
  }

  #end(pull: Pull): boolean {
    if (!this.#underWay.delete(pull)) return false;
    if (pull.isOverdue) this.#overdue -= 1;
    else this.#asked -= pull.asked;
    return true;
  }

  /**
   * Counts no longer on pulls whose answers are overdue: a way that swallows a request must not keep an idle consumer
   * waiting. Messages may be leased by them, which come with a late answer, or again.
   */
  noteOverdue(now: number): void {
    for (const pull of this.#underWay) if (!pull.isOverdue && pull.overdueAt <= now) this.#overdueNow(pull, now);
  }

  /** When the next answer will be overdue; `Infinity` when none is waited for. */
  get nextOverdueAt(): number {
    let next = Infinity;
    for (const pull of this.#underWay) if (!pull.isOverdue) next = Math.min(next, pull.overdueAt);
    return next;
  }

  #overdueNow(pull: Pull, now: number): void {
    const { leftovers, report, wakes } = this.#deps;
    pull.isOverdue = true;
    this.#overdue += 1;
    this.#asked -= pull.asked;
    this.#overdueTime.note();
    leftovers.note(now + pull.visibilityTimeoutMs);
    wakes.failed(pull.asking);
    const waitedMs = now - pull.sentAt;
    report({ type: 'pullOverdue', waitedMs });
    this.#warn(now);
    // If answers are only slow, those asked for beside would come as late.
    if (waitedMs >= this.#deps.options.visibilityTimeoutMs / 2) this.#lengthenLease(waitedMs);
  }

  /** What others have overtaken by far will not be answered any more. */
  #giveUpOvertaken(now: number): void {
    if (this.#overdue === 0) return;
    for (const pull of this.#underWay) {
      const limitMs = pull.overdueAt - pull.sentAt;
      if (pull.isOverdue && now - pull.sentAt > 10 * limitMs) {
        // It may have reached the service as late as this.
        this.#deps.leftovers.note(now + pull.visibilityTimeoutMs);
        this.#giveUp(pull);
      }
    }
  }

  #giveUp(pull: Pull): void {
    this.#end(pull);
    if (!pull.isOverdue) this.#deps.wakes.failed(pull.asking);
    pull.receiving?.end({ ...nothing, error: new QueueError('The pull was given up', { code: 'closed' }) });
    pull.call.giveUp();
  }

  #answered(pull: Pull, { messages, backlogCount }: PullResult): void {
    this.calls -= 1;
    if (!this.#end(pull)) {
      this.#deps.onEnd();
      return;
    }
    pull.receiving?.end({ messages, backlogCount });
    const { stats, time } = this.#deps;
    const now = time.now();
    this.#backoff.succeed();
    this.#timeouts = 0;
    this.answeredAt = now;
    this.lookedAt = pull.sentAt;
    this.dueAt = now;
    if (!pull.isOverdue) this.#overdueTime.reset();
    this.#giveUpOvertaken(now);
    this.#patience.succeed();
    this.#observeAnswer(now - pull.sentAt);
    this.#deps.leftovers.observe(now - pull.sentAt);
    stats.received += messages.length;
    this.#plan(pull, messages, now);
    if (messages.length === 0) stats.emptyPulls += 1;
    else {
      for (const message of messages) this.#length.observe(message.bodyLength);
      for (const other of this.#underWay) other.isAlone = false;
    }
    this.#deps.onAnswer({ ...pull, messages, answeredAt: now });
  }

  /** Decides when to ask again after an answer. */
  #plan({ asked, wanted, asking, sentAt }: Pull, messages: readonly PulledMessage[], now: number): void {
    const { wakes, time } = this.#deps;
    const isFull = messages.length >= asked;
    // It may not be there yet everywhere.
    if (asking.covered > 0 && messages.length === 0 && !wakes.isTrying) this.#schedule.wake();
    const freshAfter = time.toWall(now) - freshMs;
    const areFresh = messages.every(({ timestampMs }) => timestampMs >= freshAfter);
    const isOwn = wakes.answered(asking, { brought: messages.length, isFull, areFresh, sentAt, now });
    const hasMore = messages.length >= wanted;
    this.#lastWasFull = hasMore && !isOwn;
    if (messages.length === 0) this.#schedule.onEmpty(now);
    else if (isOwn) this.#schedule.onOwn(now, hasMore);
    else this.#schedule.onMessages(now, hasMore, asking.covered > 0);
    // There may be more, that only caution did not ask for.
    if (isFull && !hasMore && !isOwn) this.#schedule.wake();
  }

  #observeAnswer(tookMs: number): void {
    const { visibilityTimeoutMs } = this.#deps.options;
    this.#roundTrip.observe(tookMs);
    this.#slowTimeoutMs = undefined;
    if (tookMs > visibilityTimeoutMs / 2) this.#lengthenLease(tookMs);
  }

  /** Between T − margin and T every message arrives too late to be started: pulling on would use up its attempts. */
  #lengthenLease(tookMs: number): void {
    const visibilityTimeoutMs = Math.max(2 * this.#deps.options.visibilityTimeoutMs, 4 * tookMs);
    this.#slowTimeoutMs = Math.min(Math.ceil(visibilityTimeoutMs), limits.visibilityTimeoutMs);
    this.#deps.report({ type: 'slowAnswer', tookMs, visibilityTimeoutMs: this.#slowTimeoutMs });
  }

  #failed(pull: Pull, error: unknown): void {
    this.calls -= 1;
    if (!this.#end(pull)) {
      this.#deps.onEnd();
      return;
    }
    pull.receiving?.end({ ...nothing, error });
    const { wakes, time } = this.#deps;
    const now = time.now();
    this.#deps.stats.lastError = error;
    if (mayHaveTakenEffect(error)) this.#deps.leftovers.note(now + pull.visibilityTimeoutMs);
    // Others are answered: there is nothing to wait for.
    if (pull.isOverdue && this.answeredAt > pull.sentAt && failureKind(error) === 'transient') {
      this.#deps.onEnd();
      return;
    }
    this.#lastWasFull = false;
    const kind = this.#patience.judge(error, now);
    if (kind !== 'paused' && !pull.isOverdue) wakes.failed(pull.asking);
    if (kind === 'paused') {
      this.dueAt = now;
      wakes.answered(pull.asking, { brought: 0, isFull: false, areFresh: true, sentAt: pull.sentAt, now });
      this.#schedule.onEmpty(now);
      this.#deps.report({ type: 'paused' });
    } else if (kind === 'final') this.#deps.onFinal(error);
    else {
      if (error instanceof QueueError && error.code === 'timeout') this.#timedOut(now - pull.sentAt);
      // Never at once: the answer may have been lost with messages leased in it.
      this.#deps.gates.close('pull', error, this.#patience.limit(this.#backoff.fail(0.5), now), now);
      this.#deps.report({ type: 'pullFailed', error, retryInMs: this.#deps.gates.notBefore('pull') - now });
      this.#warn(now);
    }
    this.#deps.onEnd();
  }

  /** Lets nobody wait in silence for what may never work. */
  #warn(now: number): void {
    const { standing, options, stats } = this.#deps;
    if (this.answeredAt > -Infinity || now - this.#startedAt < silentMs) return;
    if (standing.isWarnedOf === true || options.onEvent !== undefined) return;
    standing.isWarnedOf = true;
    warnUnanswered(stats.lastError, now - this.#startedAt);
  }

  #timedOut(tookMs: number): void {
    this.#timeouts = Math.min(this.#timeouts + 1, 8);
    this.#lengthenLease(tookMs);
  }

  /**
   * Gives up the pulls that are not worth waiting for: those that are overdue, those whose leases would be over, or all.
   *
   * @returns when the next one will be, `Infinity` when none is under way
   */
  giveUp(now: number, all: boolean): number {
    let next = Infinity;
    for (const pull of this.#underWay) {
      const endsAt = leasesEndAt(pull);
      if (all || endsAt <= now || pull.isOverdue) this.#giveUp(pull);
      else next = Math.min(next, endsAt);
    }
    return next;
  }
}
