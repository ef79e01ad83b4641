import type { PulledMessage } from '../contract/message.ts';
import type { Handlers } from '../lease/handlers.ts';
import { Holdings, type Trimmed } from '../lease/holdings.ts';
import type { Lease, LeaseBatch, SettleKind } from '../lease/lease.ts';
import { marginMs } from '../lease/margin.ts';
import type { ResolvedConsumeOptions } from './consume-options.ts';
import { type ConsumerEvent, identityOf } from './events.ts';
import { Intake } from './intake.ts';
import { LeaseSignals } from './lease-signals.ts';
import { type PullAnswer, Puller } from './puller.ts';
import type { QueueContext } from './queue-context.ts';
import { Settlements } from './settlements.ts';
import { Settler } from './settler.ts';
import { Shutdown } from './shutdown.ts';
import { type CloseReason, type ConsumerSummary, createStats, type StatsCounter } from './stats.ts';
import { Turns } from './turns.ts';
import { warnAbandoned } from './warn-abandoned.ts';

/** How a surface works on messages. */
export interface DeliveryMode {
  /** Builds the view of the handlers that the pull planner asks. */
  readonly handlers: (running: ReadonlySet<Lease>) => Handlers;
  /**
   * Whether a message is finished by its settlement alone, because the engine can't see its handler: its place is then
   * freed when its lease ends.
   */
  readonly unseen: boolean;
  /** Whether, once the consumer closes, a message settled by hand counts as finished although its handler runs on. */
  readonly endsWithSettlement: boolean;
}

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
  handlers: Handlers;
  /** Called in a turn in which something may be taken; gives when it wants another turn at the latest. */
  onReady: (now: number) => number = () => Infinity;
  /** Called once, when no more messages will be handed out; those that are out may still be settled. */
  onClosing: (reason: CloseReason) => void = () => undefined;
  /** How many are waiting for a message: they keep the process alive. */
  waiting = 0;
  readonly #context: QueueContext;
  readonly #holdings: Holdings;
  readonly #puller: Puller;
  readonly #settler: Settler;
  readonly #signals: LeaseSignals;
  readonly #intake: Intake;
  readonly #turns: Turns;
  #mode: DeliveryMode;
  #begun = false;
  #paused = false;
  #shutdown: Shutdown | undefined;
  /** Closing has taken as long as it may. */
  #isOver = false;
  #resolveClosed!: (summary: ConsumerSummary) => void;
  #summary: ConsumerSummary | undefined;
  #lastMessageAt = 0;
  #hasWarned = false;
  /** Something was in hand since the last pull that found the consumer idle. */
  #wasBusy = false;

  constructor(context: QueueContext, options: ResolvedConsumeOptions, mode: DeliveryMode) {
    this.#context = context;
    this.options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#holdings = new Holdings(options.maxRetries);
    this.handlers = mode.handlers(this.#holdings.running);
    this.#mode = mode;
    this.#signals = new LeaseSignals(
      () => context.time.now(),
      () => this.wake(),
    );
    this.#turns = new Turns(context.clock, () => this.#turn());
    const shared = {
      ...context,
      options,
      stats: this.stats,
      report: (event: ConsumerEvent) => this.report(event),
      onFinal: (error: unknown) => void this.close('failed', { error }),
      onEnd: () => this.wake(),
    };
    this.#puller = new Puller({ ...shared, onAnswer: (answer) => this.#received(answer) });
    this.#intake = new Intake({
      ...shared,
      accept: (messages, answer) => this.#accept(messages, answer),
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
        // What its handler wants to see again at once is in the queue now.
        if (settlement.outcome === 'retried' && lease.delaySeconds === 0 && !lease.isUnstarted) this.poll();
      },
    });
    this.keeper = new Settlements({
      ...shared,
      holdings: this.#holdings,
      settler: this.#settler,
      signals: this.#signals,
      isClosed: () => this.#summary !== undefined,
      onSettled: (lease, now) => {
        if (this.#mode.unseen) this.#finish(lease, now);
        this.wake();
      },
    });
  }

  /** The steady time now. */
  now(): number {
    return this.#context.time.now();
  }

  /** Whether messages go to code that the engine can't see. */
  get isUnseen(): boolean {
    return this.#mode.unseen;
  }

  /** Whether no more messages will be handed out. */
  get isEnding(): boolean {
    return this.#shutdown !== undefined;
  }

  /** Starts pulling: a surface asks for its first message. */
  begin(): void {
    if (this.#begun || this.isEnding) return;
    this.#begun = true;
    this.#lastMessageAt = this.now();
    this.#context.consumers.add(this);
    const { signal } = this.options;
    if (signal?.aborted === true) void this.close('aborted');
    else signal?.addEventListener('abort', this.#onAbort);
    this.wake();
  }

  readonly #onAbort = (): void => void this.close('aborted');

  /** Has a turn follow soon. */
  wake(): void {
    if (this.#summary === undefined && (this.#begun || this.isEnding)) this.#turns.soon();
  }

  /** Asks an idle queue at once. */
  poll(): void {
    this.#puller.wake();
    this.wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** Goes on in another mode. */
  changeMode(mode: DeliveryMode): void {
    this.#mode = mode;
    this.handlers = mode.handlers(this.#holdings.running);
  }

  report(event: ConsumerEvent): void {
    if ('error' in event) this.stats.lastError = event.error;
    try {
      const result: unknown = this.options.onEvent?.(event);
      if (result instanceof Promise) result.catch((error: unknown) => void (this.stats.lastError = error));
    } catch (error) {
      this.stats.lastError = error;
    }
  }

  // Handing out

  /** The next message that may be started now. */
  take(now: number = this.now()): Lease | undefined {
    if (this.#holdings.unstarted === 0 || this.isEnding || this.#paused) return undefined;
    if (this.stats.inFlight >= this.options.maxInFlight || this.handlers.idle() < 1) return undefined;
    this.#release(this.#holdings.trim(now, this.#puller.roundTripMs));
    const lease = this.#holdings.start(now);
    if (lease === undefined) return undefined;
    this.stats.delivered += 1;
    this.stats.inFlight += 1;
    this.stats.buffered = this.#holdings.unstarted;
    this.wake();
    return lease;
  }

  #release({ released, dropped }: Trimmed): void {
    if (released.length === 0 && dropped.length === 0) return;
    this.stats.released += released.length;
    this.stats.dropped += dropped.length;
    this.stats.buffered = this.#holdings.unstarted;
    for (const lease of released) this.#settleUnstarted(lease, 'retry', 0);
  }

  /** How many messages are leased and not handed out. */
  get buffered(): number {
    return this.#holdings.unstarted;
  }

  /** The batch whose buffered messages end first. */
  get firstBatch(): LeaseBatch | undefined {
    return this.#holdings.firstBatch();
  }

  /** How long a handler is expected to take, in milliseconds. */
  get expectedMs(): number {
    return this.handlers.estimateMs;
  }

  /** How much time a lease must have left for its message to be started, in milliseconds. */
  get marginMs(): number {
    return marginMs(this.options.visibilityTimeoutMs, this.#puller.roundTripMs);
  }

  get queueName(): string {
    return this.#context.queueName;
  }

  /** The handler of a message ended. What it did not settle is settled as `kind`, a retry with the growing delay. */
  complete(lease: Lease, kind: SettleKind, now: number, delaySeconds?: number): void {
    this.keeper.complete(lease, kind, now, delaySeconds);
    this.#finish(lease, now);
  }

  #finish(lease: Lease, now: number): void {
    if (!this.#holdings.running.has(lease)) return;
    this.#holdings.finish(lease);
    this.handlers.observe(now - lease.startedAt, now);
    this.#wasBusy = true;
    this.wake();
  }

  #lapse(now: number): void {
    for (const lease of this.#holdings.lapse(now)) {
      this.#signals.endLease(lease);
      if (this.#mode.unseen) this.#forgotten(lease, now);
    }
  }

  #forgotten(lease: Lease, now: number): void {
    if (!this.#hasWarned && this.options.onEvent === undefined) {
      this.#hasWarned = true;
      warnAbandoned(identityOf(lease));
    }
    this.#abandon(lease, now);
  }

  #abandon(lease: Lease, now: number): void {
    if (lease.settledAs === undefined) {
      lease.isAbandoned = true;
      this.stats.abandoned += 1;
      this.stats.inFlight -= 1;
      this.report({ type: 'abandoned', message: identityOf(lease) });
    }
    this.#finish(lease, now);
  }

  // Answers

  #received(answer: PullAnswer): void {
    if (answer.messages.length === 0) {
      this.#foundEmpty(answer);
      this.wake();
      return;
    }
    this.#lastMessageAt = this.now();
    this.#intake.take(answer);
  }

  #accept(messages: readonly PulledMessage[], { sentAt, visibilityTimeoutMs }: PullAnswer): void {
    if (this.#summary !== undefined) return;
    const { swapped, done } = this.#holdings.receive(messages, sentAt, visibilityTimeoutMs);
    this.stats.swapped += swapped;
    this.stats.reacked += done.length;
    this.stats.buffered = this.#holdings.unstarted;
    for (const lease of done) this.#settleUnstarted(lease, 'ack');
    this.#turns.now();
  }

  #settleUnstarted(lease: Lease, kind: SettleKind, delaySeconds?: number): void {
    this.keeper.settleUnstarted(lease, kind, delaySeconds);
    this.wake();
  }

  /** A pull brought nothing: a reason to end, if that was asked for and nothing was in hand when it was sent. */
  #foundEmpty({ sentIdle }: PullAnswer): void {
    const { emptyForMs } = this.options;
    if (emptyForMs === undefined || !sentIdle || !this.#isIdle()) return;
    if (this.now() - this.#lastMessageAt >= emptyForMs) void this.close('empty');
  }

  #isIdle(): boolean {
    const { running, unstarted } = this.#holdings;
    const held = running.size + unstarted + this.#intake.held + this.keeper.claimed + this.#settler.unconfirmed;
    return held === 0;
  }

  // The turn

  #turn(): void {
    if (this.#summary !== undefined) return;
    const now = this.now();
    this.#release(this.#holdings.trim(now, this.#puller.roundTripMs));
    this.#lapse(now);
    let nextAt = this.#shutdown === undefined ? this.#openTurn(now) : this.#closingTurn(now, this.#shutdown);
    const isWaiting = this.#holdings.running.size === 0 && this.#holdings.unstarted === 0;
    nextAt = Math.min(nextAt, this.#settler.plan(now, isWaiting, this.isEnding), this.#nextLeaseAt());
    if (this.#shutdown !== undefined && this.#isGone()) this.#end(this.#shutdown);
    else
      this.#turns.at(
        nextAt,
        now,
        this.waiting > 0 || this.#settler.unconfirmed > 0 || this.#signals.size > 0 || this.isEnding,
      );
  }

  #openTurn(now: number): number {
    if (this.#paused) return Infinity;
    const surfaceAt = this.onReady(now);
    if (this.isEnding || this.#settler.unconfirmed >= 4 * this.options.maxInFlight) return surfaceAt;
    const { emptyForMs } = this.options;
    if (emptyForMs !== undefined && this.#wasBusy && this.#isIdle()) {
      this.#wasBusy = false;
      this.#puller.wake();
    }
    const pollBy = emptyForMs === undefined ? Infinity : this.#lastMessageAt + emptyForMs;
    const situation = { isIdle: this.#isIdle(), pollBy, held: this.#intake.held };
    return Math.min(surfaceAt, this.#puller.plan(this.handlers, this.#holdings, now, situation));
  }

  #closingTurn(now: number, shutdown: Shutdown): number {
    this.#release(this.#holdings.drain(now));
    shutdown.awaitLeases(this.#puller.leasesEndBy);
    const step = shutdown.step(this.#holdings.running, now);
    for (const lease of step.finished) this.#finish(lease, now);
    if (step.abort.length > 0) this.#signals.endGrace();
    for (const lease of step.abandon) this.#abandon(lease, now);
    this.#isOver = step.isOver;
    if (step.isOver) this.#settler.giveUp();
    return Math.min(step.nextAt, this.#puller.giveUp(now, step.graceIsOver));
  }

  #nextLeaseAt(): number {
    const trimAt = this.#holdings.nextTrimAt(this.#puller.roundTripMs) ?? Infinity;
    const isWatched = this.#mode.unseen || this.isEnding || this.#signals.size > 0;
    return isWatched ? Math.min(trimAt, this.#holdings.nextLapseAt() ?? Infinity) : trimAt;
  }

  // Ending

  /**
   * Begins the end, or hastens it when called again with less grace; without any, the signals of what is in hand abort
   * before it returns.
   *
   * @returns what happened, when nothing of the consumer is left
   */
  close(reason: CloseReason, { graceMs, error }: { graceMs?: number; error?: unknown } = {}): Promise<ConsumerSummary> {
    const isFirst = this.#shutdown === undefined;
    this.#shutdown ??= new Shutdown({
      reason,
      error,
      endsWithSettlement: this.#mode.endsWithSettlement,
      leasesEndBy: this.now() + this.options.visibilityTimeoutMs,
    });
    if (graceMs !== undefined) this.#shutdown.limit(this.now() + graceMs);
    if (graceMs === 0) this.#signals.endGrace();
    this.wake();
    if (isFirst) this.onClosing(reason);
    return this.closed;
  }

  #isGone(): boolean {
    if (this.#holdings.running.size + this.#settler.unconfirmed + this.#puller.calls > 0) return false;
    // A schema or a push to another queue that never answers must not keep it from closing.
    return this.#isOver || this.#isIdle();
  }

  #end({ reason, error }: Shutdown): void {
    this.#turns.cancel();
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#context.consumers.delete(this);
    const stats = { ...this.stats };
    this.#summary = reason === 'failed' ? { ...stats, reason, error } : { ...stats, reason };
    this.#resolveClosed(this.#summary);
  }
}
