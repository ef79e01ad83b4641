import { errorOf, watch } from '../contract/callback.ts';
import { onAbort } from '../contract/on-abort.ts';
import type { QueueError } from '../contract/errors.ts';
import type { ObservedMessage } from '../contract/observer.ts';
import { Holdings } from '../lease/holdings.ts';
import { Isolation, suspectFrom } from '../lease/isolation.ts';
import type { HeldMessage, Lease, LeaseBatch, SettleKind } from '../lease/lease.ts';
import { marginMs } from '../lease/margin.ts';
import { ObservedWork } from '../lease/observed-work.ts';
import { RateLimit } from '../lease/rate-limit.ts';
import { SerialTime } from '../lease/serial-time.ts';
import type { StartLimit } from '../lease/start-limit.ts';
import { Breaking } from './handing-out/breaking.ts';
import { type CloseRequest, Closing } from './closing/closing.ts';
import type { ResolvedConsumeOptions } from './consume-options.ts';
import type { ConsumerEvent } from './events.ts';
import { Handouts } from './handing-out/handouts.ts';
import { Intake } from './intake/intake.ts';
import { LeaseSignals } from './settling/lease-signals.ts';
import { DeliveredMessage } from './handing-out/leased-message.ts';
import { Leftovers } from './pulling/leftovers.ts';
import type { DeliveryMode } from './handing-out/modes.ts';
import type { PullAnswer } from './pulling/pull-answer.ts';
import { Puller, type PullSituation } from './pulling/puller.ts';
import { contextOfConsumer, type QueueContext } from './queue-context.ts';
import { Settlements } from './settling/settlements.ts';
import { Settler } from './settling/settler.ts';
import {
  type CloseReason,
  type ConsumerState,
  type ConsumerStats,
  type ConsumerSummary,
  createStats,
  isAsked,
  type StatsCounter,
} from './stats.ts';
import { Turns } from './turns.ts';

/**
 * After so many milliseconds in which the event loop was not free, nothing is handed out before it has had its turn: so that
 * acknowledgements leave and signals fire. Below lies what a turn costs many times over; ten times as much would be seen by
 * whoever else the loop serves, and where leases are shortest.
 */
const longestStretchMs = 10;

const receivedBodyOf = (message: object): unknown => DeliveredMessage.receivedBodyOf(message);

/** How often a paused consumer that somebody waits for looks up, in milliseconds. */
const pausedTurnMs = 3_600_000;

/**
 * Runs the lease core against a transport and a clock: pulls, hands out, settles, closes.
 *
 * Whatever happens only changes state and asks for a turn; once per turn of the event loop, `#turn` looks at the state
 * and does what is due. One timer serves everything that waits for the time.
 *
 * States: `idle` until a surface first asks for a message (`begin`), `open`, `closing` from the first reason to end,
 * `closed` when nothing of it is left.
 */
export class Engine {
  readonly stats: StatsCounter = createStats();
  readonly options: ResolvedConsumeOptions;
  /** Resolves when nothing of the consumer is left. */
  readonly closed: Promise<ConsumerSummary>;
  /** What messages ask for their settlement. */
  readonly keeper: Settlements;
  /** Called in a turn in which something may be taken; gives when it wants another turn at the latest. */
  onReady: (now: number) => number = () => Infinity;
  /** Called once, when no more messages will be handed out; those that are out may still be settled. */
  onClosing: (reason: CloseReason) => void = () => undefined;
  /** What else is waited for in the end. */
  readonly extended: Set<Promise<unknown>> = new Set();
  /** How many are waiting for a message: they keep the process alive. */
  waiting = 0;
  readonly #context: QueueContext;
  readonly #holdings: Holdings;
  readonly #puller: Puller;
  readonly #settler: Settler;
  readonly #signals: LeaseSignals;
  readonly #intake: Intake;
  readonly #handouts: Handouts;
  readonly #breaking: Breaking;
  readonly #closing: Closing;
  readonly #turns: Turns;
  readonly #leftovers = new Leftovers();
  readonly #serial: SerialTime;
  readonly #isolation: Isolation | undefined;
  /** How many messages were handed out since the last turn. */
  #handedOut = 0;
  /** Listens to the signal of the options no longer. */
  #unheed: (() => void) | undefined;
  #begun = false;
  #paused = false;
  #resolveClosed!: (summary: ConsumerSummary) => void;
  #summary: ConsumerSummary | undefined;
  #lastMessageAt = 0;
  /** Something was in hand since the last pull that found the consumer idle. */
  #wasBusy = false;

  constructor(handles: QueueContext, options: ResolvedConsumeOptions, mode: DeliveryMode) {
    const context = contextOfConsumer(handles);
    this.#context = context;
    this.options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { maxRetries, isolateSuspects, order } = options;
    const isolates = isolateSuspects && order === undefined;
    this.#holdings = new Holdings(maxRetries, {
      order: order === undefined ? 'any' : order.key === undefined ? 'as queued' : 'by key',
      suspectFrom: isolates ? suspectFrom(maxRetries) : Infinity,
      survived: context.survived,
    });
    const isPending = (): boolean =>
      this.#settler.unconfirmed + this.keeper.claimed + this.#intake.held > 0 || this.#puller.isPulling;
    this.#isolation = isolates ? new Isolation(this.#holdings, options.visibilityTimeoutMs, isPending) : undefined;
    this.#signals = new LeaseSignals(
      () => context.time.now(),
      () => this.wake(),
    );
    this.#turns = new Turns(context.clock, context.time, (waitedMs) => this.#turn(waitedMs));
    this.#serial = new SerialTime(options.visibilityTimeoutMs);
    const shared = {
      ...context,
      options,
      stats: this.stats,
      leftovers: this.#leftovers,
      report: (event: ConsumerEvent) => this.report(event),
      onFinal: (error: unknown) => void this.close('failed', { error }),
      onEnd: () => this.wake(),
    };
    this.#puller = new Puller({ ...shared, onAnswer: (answer) => this.#received(answer) });
    this.#intake = new Intake({
      ...shared,
      accept: (messages, answer) => this.#accept(messages, answer),
      onJudged: () => this.#turns.now(),
      reject: (lease, action, error) => {
        this.#settleUnstarted(lease, action === 'ack' ? 'ack' : 'retry');
        if (action === 'throw') void this.close('failed', { error });
      },
    });
    this.#settler = new Settler({
      ...shared,
      batchSize: options.batchSize,
      visibilityTimeoutMs: options.visibilityTimeoutMs,
      roundTripMs: () => this.#puller.roundTripMs,
      onOutcome: (lease, settlement) => {
        this.keeper.conclude(lease, settlement);
        const isRetried = settlement.outcome === 'retried';
        if (isRetried) this.#retried(lease);
        if (lease.key !== undefined && lease.settledAs === 'retry')
          this.#holdings.order.expectAgain(lease, isRetried, this.now());
      },
    });
    this.#breaking = new Breaking({ ...shared, holdings: this.#holdings, puller: this.#puller });
    this.keeper = new Settlements({
      ...shared,
      breaking: this.#breaking,
      holdings: this.#holdings,
      settler: this.#settler,
      signals: this.#signals,
      isClosed: () => this.#summary !== undefined,
      onSettled: (lease, now) => {
        if (this.isUnseen || lease.isParked) this.#handouts.finish(lease, now);
        this.wake();
      },
      wake: () => this.wake(),
    });
    const parts = {
      ...shared,
      holdings: this.#holdings,
      intake: this.#intake,
      puller: this.#puller,
      settler: this.#settler,
      signals: this.#signals,
      breaking: this.#breaking,
      limits: this.#startLimits(),
      settlements: this.keeper,
      wake: () => this.wake(),
    };
    this.#handouts = new Handouts(parts, mode);
    this.#closing = new Closing({ ...parts, handouts: this.#handouts, extended: this.extended });
  }

  #startLimits(): readonly StartLimit[] {
    const { rate } = this.options;
    const { time } = this.#context;
    return [
      ...this.#breaking.limits,
      ...(this.#isolation === undefined ? [] : [this.#isolation]),
      ...(rate === undefined ? [] : [new RateLimit(rate, (now) => time.toMonotonic(now))]),
    ];
  }

  /** What it did so far, as of now. */
  snapshot(): ConsumerStats {
    const { time, gates } = this.#context;
    const now = this.now();
    const heldBackUntil = gates.notBefore('pull');
    const toWall = (at: number): number | undefined =>
      Math.abs(at) === Infinity ? undefined : Math.round(time.toWall(at));
    const { state } = this;
    return {
      ...this.stats,
      ...this.#closing.cause,
      at: Math.round(time.toWall(now)),
      state,
      lastPullAt: toWall(this.#puller.answeredAt),
      lastMessageAt: this.stats.received > 0 ? toWall(this.#lastMessageAt) : undefined,
      lastSettlementAt: toWall(this.#settler.confirmedAt),
      pullDueAt: state === 'open' ? toWall(this.#puller.dueAt) : undefined,
      heldBackUntil: heldBackUntil > now ? toWall(heldBackUntil) : undefined,
      stalledSince: toWall(this.#handouts.stalledSince(now)),
      buffered: this.#holdings.unstarted,
      breaker: this.#breaking.stats,
    };
  }

  get state(): ConsumerState {
    if (this.isEnding) return this.#summary === undefined ? 'closing' : 'closed';
    if (this.#paused) return 'paused';
    return this.#begun ? 'open' : 'new';
  }

  /** The steady time now. */
  now(): number {
    return this.#context.time.now();
  }

  /** The steady time to within a millisecond, at less cost. */
  recent(): number {
    return this.#context.time.recent();
  }

  /** Whether messages go to code that the engine can't see. */
  get isUnseen(): boolean {
    return this.#handouts.mode.unseen;
  }

  /** Whether what is waited for in the end has a limit. */
  get hasGrace(): boolean {
    return this.#closing.hasGrace;
  }

  /** Whether no more messages will be handed out. */
  get isEnding(): boolean {
    return this.#closing.hasBegun;
  }

  /** Starts pulling: a surface asks for its first message. */
  begin(): void {
    if (this.#begun || this.isEnding) return;
    this.#begun = true;
    this.#turns.open();
    this.#lastMessageAt = this.now();
    this.#context.wakes.add(this);
    this.#context.holders.add(this);
    this.#tellBegin();
    this.#heedSignal();
    this.wake();
  }

  #tellBegin(): void {
    const { observers } = this.#context;
    if (observers === undefined) return;
    const consumer = { queue: observers.queue, closed: this.closed, stats: () => this.snapshot() };
    observers.tell((observer) => observer.consume?.(consumer));
  }

  /** Waits for the end, what is in hand included; of a consumer that never begins, for its signal. */
  awaitEnd(): Promise<ConsumerSummary> {
    this.#heedSignal();
    this.#closing.isAwaited = true;
    this.wake();
    return this.closed;
  }

  /** Closes when the signal of the options aborts, also before a message was asked for. */
  #heedSignal(): void {
    const { signal } = this.options;
    if (this.isEnding) return;
    if (signal?.aborted === true) void this.close('aborted');
    else if (signal !== undefined) this.#unheed ??= onAbort(signal, () => void this.close('aborted'));
  }

  /** Has a turn follow soon. */
  wake(): void {
    if (this.#summary === undefined && (this.#begun || this.isEnding)) this.#turns.soon();
  }

  /** Does something soon, in the async context in which the consumer was opened. */
  atHome(work: () => void): void {
    this.#turns.atHome(work);
  }

  /** A message is in the queue again. */
  #retried({ delaySeconds, isUnstarted }: Lease): void {
    if (isUnstarted || (this.isEnding && delaySeconds === 0)) {
      // What is given back in the end is for others.
      if (this.isEnding) this.#context.wakes.push(1);
    } else if (delaySeconds === 0) {
      // Its handler wants to see it again at once.
      this.#puller.wake();
      this.wake();
    } else this.#puller.onRetried();
  }

  get appetite(): 0 | 1 | 2 {
    if (this.isEnding || this.#paused || this.#puller.isPulling || this.#hasTooManyUnconfirmed) return 0;
    return this.#handouts.handlers.idle(this.recent()) > this.#holdings.buffered + this.#intake.held ? 2 : 1;
  }

  get #hasTooManyUnconfirmed(): boolean {
    return this.#settler.unconfirmed >= 4 * this.options.maxInFlight;
  }

  pause(): void {
    this.#paused = true;
    this.wake();
    this.#context.wakes.rouse();
  }

  resume(): void {
    this.#paused = false;
    this.#puller.dueAt = Infinity;
    this.wake();
  }

  /** Notes how many reads wait now; see {@link Handlers.onReaders}. */
  noteReaders(readers: number, now: number): void {
    this.#handouts.handlers.onReaders(readers, now);
  }

  /** Goes on in another mode. */
  changeMode(mode: DeliveryMode): void {
    this.#handouts.changeMode(mode);
  }

  /** From now on so many handlers work at once. */
  resize(count: number): void {
    this.#handouts.resize(count);
    this.wake();
  }

  report(event: ConsumerEvent): void {
    // A handler may fail with no error at all.
    if ('error' in event) this.stats.lastError = event.error ?? errorOf('The work', event.error);
    const { observers } = this.#context;
    observers?.tell((observer) => observer.event?.(event, observers.queue));
    const note = (error: unknown): void => void (this.stats.lastError = errorOf('onEvent()', error));
    try {
      watch(this.options.onEvent?.(event), note);
    } catch (error) {
      note(error);
    }
  }

  // Handing out

  /** The next message that may be started now; none while the event loop has been waited for too long. */
  take(now: number): Lease | undefined {
    if (this.isEnding || this.#paused || this.#turns.waitedMs(now) > longestStretchMs) return undefined;
    const lease = this.#handouts.take(now);
    if (lease === undefined) return undefined;
    this.#handedOut += 1;
    this.#wasBusy = true;
    this.wake();
    return lease;
  }

  /** Whether anybody is to be told of what is handed out. */
  get isObserved(): boolean {
    return this.#context.observers !== undefined;
  }

  /** Tells observers that work begins on what was handed out together; gives what runs it, where somebody follows it. */
  observe(
    leases: readonly Lease[],
    messages: readonly ObservedMessage[],
    how: { readonly isBatch: boolean; readonly isRun: boolean },
  ): ObservedWork | undefined {
    const ongoing = this.#context.observers?.begin('process', {
      messages,
      isBatch: how.isBatch,
      isRun: how.isRun,
      receivedBodyOf,
    });
    const observed = ongoing && new ObservedWork(ongoing, leases.length);
    for (const lease of leases) lease.observed = observed;
    return observed;
  }

  /** The handler of a message ended. What it did not settle is settled as `kind`, a retry with the growing delay. */
  complete(lease: Lease, kind: SettleKind, now: number, delaySeconds?: number): void {
    this.#handouts.complete(lease, kind, now, delaySeconds);
    this.wake();
  }

  /** The handler of a message has had its time: its signal aborts. */
  timeOut(lease: Lease, error: QueueError): void {
    this.#signals.timeOut(lease, error);
  }

  /** How many messages are leased and may be handed out. */
  get buffered(): number {
    return this.#holdings.buffered;
  }

  /** The batch whose buffered messages end first. */
  get firstBatch(): LeaseBatch | undefined {
    return this.#holdings.firstBatch();
  }

  /** How long a handler is expected to take, in milliseconds. */
  get expectedMs(): number {
    return this.#handouts.handlers.estimateMs;
  }

  /** How much time a lease of this length must have left for its message to be started, in milliseconds. */
  marginMs(timeoutMs: number): number {
    return marginMs(timeoutMs, this.#puller.roundTripMs);
  }

  /** How many messages may be leased and not handed out. */
  unstartedBound(now: number): number {
    return this.#puller.unstartedBound(this.#handouts.handlers, this.#holdings, now, this.#situation(now));
  }

  /** How many messages can be started one after the other, if each keeps the event loop as the last ones did. */
  startableWithin(budgetMs: number): number {
    return this.#serial.startableWithin(budgetMs);
  }

  /** When the limits let more start than now, where they don't let so many; `Infinity` where they do, or never will. */
  nextStartAt(now: number, count: number): number {
    return this.#handouts.nextStartAt(now, count);
  }

  get queueName(): string {
    return this.#context.queueName;
  }

  // Answers

  #received(answer: PullAnswer): void {
    if (answer.messages.length === 0) {
      this.#isolation?.onAnswer([], this.now());
      this.#foundEmpty(answer);
      this.wake();
      return;
    }
    this.#lastMessageAt = this.now();
    this.#intake.take(answer);
    this.#turns.now();
  }

  #accept(messages: readonly HeldMessage[], answer: PullAnswer): void {
    if (this.#summary !== undefined) return;
    this.#hold(this.#notHeldBeside(messages, answer), answer);
  }

  /** Gives what comes again to the consumer of the same handle that has it, and gives the others. */
  #notHeldBeside(messages: readonly HeldMessage[], answer: PullAnswer): readonly HeldMessage[] {
    const { holders } = this.#context;
    if (holders.size === 1) return messages;
    return messages.filter(
      (message) =>
        message.attempts === 1 ||
        this.#holdings.knows(message.id) ||
        ![...holders].some((holder) => holder.takeBack(message, answer)),
    );
  }

  takeBack(message: HeldMessage, answer: PullAnswer): boolean {
    if (!this.#holdings.knows(message.id)) return false;
    this.#hold([message], answer);
    this.wake();
    return true;
  }

  leaseMs(now: number): number {
    return this.#handouts.leaseMs(now);
  }

  #hold(messages: readonly HeldMessage[], { sentAt, visibilityTimeoutMs }: PullAnswer): void {
    // What is forgotten by now is not in hand any more when it comes again.
    const now = this.now();
    this.#handouts.lapse(now);
    const { swapped, done } = this.#holdings.receive(messages, sentAt, visibilityTimeoutMs, now);
    this.#isolation?.onAnswer(messages, now);
    this.stats.swapped += swapped;
    this.stats.reacked += done.length;
    for (const lease of done) this.#settleUnstarted(lease, 'ack');
    this.#handouts.setAside(now);
  }

  #settleUnstarted(lease: Lease, kind: SettleKind, delaySeconds?: number): void {
    this.keeper.settleUnstarted(lease, kind, delaySeconds);
    this.wake();
  }

  /** A pull brought nothing: a reason to end, if that was asked for and nothing was in hand or left since it was sent. */
  #foundEmpty({ isAlone, sentAt, answeredAt }: PullAnswer): void {
    const { emptyForMs } = this.options;
    // Another pull may bring what this one did not.
    if (emptyForMs === undefined || !isAlone || this.#puller.isPulling || sentAt < this.#leftovers.until) return;
    // Callbacks may have taken time since it came.
    if (this.#isIdle(this.now()) && answeredAt - this.#lastMessageAt >= emptyForMs) void this.close('empty');
  }

  /** Whether nothing is held that may come back. */
  #isIdle(now: number): boolean {
    const { running, unstarted } = this.#holdings;
    const working = now < this.#handouts.gatheredAt ? running.size : 0;
    return working + unstarted + this.#intake.held + this.keeper.claimed + this.#settler.unconfirmed === 0;
  }

  // The turn

  #turn(waitedMs: number): void {
    if (this.#summary !== undefined) return;
    if (this.#handedOut > 0) this.#serial.observe(waitedMs, this.#handedOut);
    this.#handedOut = 0;
    const now = this.now();
    this.#handouts.trim(now);
    this.#handouts.lapse(now);
    this.#handouts.heedBreaker(now);
    this.#intake.lapse(now);
    this.#endWaits(now);
    const wasKept = waitedMs > longestStretchMs;
    // Answers may be there that nobody could read while the event loop was not free: it has its turn first.
    if (!wasKept) this.#puller.underWay.noteOverdue(now);
    else if (this.#puller.isPulling) this.wake();
    let nextAt = this.isEnding ? this.#closing.turn(now) : this.#openTurn(now, wasKept);
    const isWaiting = this.#holdings.running.size === 0 && this.#holdings.unstarted === 0;
    nextAt = Math.min(
      nextAt,
      // Handlers and callbacks that ran meanwhile have taken time.
      this.#settler.plan(this.now(), { isWaiting, isClosing: this.isEnding, stallMs: this.#serial.estimateMs }),
      this.#nextLeaseAt(),
    );
    if (this.#closing.isDone) this.#end();
    else this.#turns.at(nextAt, this.#keepsAlive());
  }

  /** Waits no longer for messages that others wait for, where they could have come again. */
  #endWaits(now: number): void {
    if (now < this.#holdings.order.nextWaitAt) return;
    const lookedAt = this.#paused || !this.#breaking.isClosed ? -Infinity : this.#puller.lookedAt;
    if (this.#holdings.order.endWaits(now, this.#puller.roundTripMs, lookedAt)) this.#puller.wake();
  }

  /** Whether the process is to stay for what comes next. */
  #keepsAlive(): boolean {
    if (this.waiting > 0 || this.#settler.unconfirmed > 0) return true;
    return this.isEnding ? this.#closing.keepsAlive : this.#signals.size > 0;
  }

  /** @param wasKept - the event loop was not free for long before it: what is handed out now may keep it as long again */
  #openTurn(now: number, wasKept: boolean): number {
    // Whoever waits for a message waits for `resume()`, which is no timer of ours: without one the process would end.
    if (this.#paused) return this.waiting > 0 ? now + pausedTurnMs : Infinity;
    const pullAt = wasKept ? this.#planPulls(this.now()) : Infinity;
    const surfaceAt = Math.min(pullAt, this.onReady(this.now()), this.#handouts.nextStartAt(now));
    if (this.isEnding) return surfaceAt;
    const later = this.now();
    // What was just handed out says how many may follow, once the loop has had its turn.
    if (this.#turns.waitedMs(later) > longestStretchMs) return surfaceAt;
    return Math.min(surfaceAt, this.#planPulls(later));
  }

  #planPulls(now: number): number {
    if (this.#hasTooManyUnconfirmed) {
      this.#puller.dueAt = Math.min(this.#puller.dueAt, now);
      return Infinity;
    }
    const { emptyForMs } = this.options;
    const situation = this.#situation(now);
    if (emptyForMs !== undefined && this.#wasBusy && situation.isIdle) {
      this.#wasBusy = false;
      this.#puller.wake();
    }
    const { gatheredAt, handlers } = this.#handouts;
    const idleAt = emptyForMs !== undefined && gatheredAt > now ? gatheredAt : Infinity;
    return Math.min(idleAt, this.#puller.plan(handlers, this.#holdings, now, situation));
  }

  #situation(now: number): PullSituation {
    const { emptyForMs } = this.options;
    const { held, heldLength } = this.#intake;
    const pollBy =
      emptyForMs === undefined ? -Infinity : Math.max(this.#lastMessageAt + emptyForMs, this.#leftovers.until);
    return {
      isIdle: this.#isIdle(now),
      pollBy,
      most: this.#isolation?.most(now) ?? Infinity,
      held,
      heldLength,
      serial: this.#serial,
      usualLeaseMs: this.#handouts.usualLeaseMs,
      leaseMs: () =>
        Math.max(this.#breaking.leaseMs, ...[...this.#context.holders].map((holder) => holder.leaseMs(now))),
    };
  }

  #nextLeaseAt(): number {
    const trimAt = this.#holdings.nextTrimAt(this.#puller.roundTripMs) ?? Infinity;
    const lapseAt = this.#holdings.nextLapseAt() ?? Infinity;
    return Math.min(
      trimAt,
      lapseAt,
      this.#intake.nextLapseAt,
      this.#puller.underWay.nextOverdueAt,
      this.#holdings.order.nextWaitAt,
    );
  }

  // Ending

  /**
   * Begins the end, or hastens it when called again with less grace; without any, the signals of what is in hand abort
   * before it returns.
   *
   * @returns what happened, when nothing of the consumer is left
   */
  close(reason: CloseReason, { graceMs, error }: { graceMs?: number; error?: unknown } = {}): Promise<ConsumerSummary> {
    this.#closing.isAwaited = true;
    this.#close({ reason, graceMs: graceMs ?? (isAsked(reason) ? this.options.graceMs : undefined), error });
    return this.closed;
  }

  /**
   * Begins the end because the reader goes away.
   *
   * @returns when nothing of the consumer is left, of code that the engine can't see but what is in its hands: it may go
   * on settling that until the leases end, and nobody knows whether it will
   */
  leave(): Promise<unknown> {
    this.#close({ reason: 'left' });
    return this.isUnseen ? Promise.race([this.#closing.left, this.closed]) : this.closed;
  }

  #close(request: CloseRequest): void {
    const isFirst = !this.isEnding;
    this.#closing.begin(request, this.now());
    this.wake();
    if (!isFirst) return;
    this.#context.wakes.delete(this);
    this.onClosing(request.reason);
    // Nothing was asked for, and nothing is waited for.
    if (!this.#begun) this.#end();
  }

  #end(): void {
    this.#turns.cancel();
    this.#unheed?.();
    this.#context.holders.delete(this);
    this.#summary = { reason: 'closed', ...this.snapshot(), state: 'closed' };
    this.#resolveClosed(this.#summary);
  }
}
