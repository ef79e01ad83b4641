import type { Observers } from '../contract/observers.ts';
import type { Lease, SettleKind } from '../lease/lease.ts';
import type { CloseRequest } from './closing/closing.ts';
import { HeededSignal } from './closing/heeded-signal.ts';
import type { ResolvedConsumeOptions } from './consume-options.ts';
import type { Handouts } from './handing-out/handouts.ts';
import type { DeliveryMode } from './handing-out/modes.ts';
import { createParts, type Parts, type PartsHost } from './parts.ts';
import type { Wakeable } from './pulling/wakes.ts';
import { contextOfConsumer, type QueueContext } from './queue-context.ts';
import type { Keeper } from './settling/keeper.ts';
import { takeSnapshot } from './snapshot.ts';
import {
  type CloseReason,
  type ConsumerStats,
  type ConsumerSummary,
  createStats,
  isAsked,
  type StatsCounter,
} from './stats.ts';
import { type TurnHost, TurnWork } from './turn-work.ts';
import { Turns } from './turns.ts';

/**
 * Runs the lease core against a transport and a clock: pulls, hands out, settles, closes.
 *
 * Whatever happens only changes state and asks for a turn; once per turn of the event loop, {@link TurnWork} looks at the
 * state and does what is due. One timer serves everything that waits for the time.
 *
 * States: `idle` until a surface first asks for a message (`begin`), `open`, `closing` from the first reason to end,
 * `closed` when nothing of it is left.
 */
export class Engine implements PartsHost, TurnHost, Wakeable {
  readonly stats: StatsCounter = createStats();
  readonly options: ResolvedConsumeOptions;
  /** Resolves when nothing of the consumer is left. */
  readonly closed: Promise<ConsumerSummary>;
  /** What it runs, for those who hand out. */
  readonly parts: Parts;
  /** What messages ask for their settlement. */
  readonly keeper: Keeper;
  /** Called in a turn in which something may be taken; gives when it wants another turn at the latest. */
  onReady: (now: number) => number = () => Infinity;
  /** Called once, when no more messages will be handed out; those that are out may still be settled. */
  onClosing: (reason: CloseReason) => void = () => undefined;
  /** What else is waited for in the end. */
  readonly extended: Set<Promise<unknown>> = new Set();
  /** How many are waiting for a message: they keep the process alive. */
  waiting = 0;
  isPaused = false;
  /** Whether it was asked for a message. */
  hasBegun = false;
  /** Whom to tell of the work. */
  readonly observers: Observers | undefined;
  readonly #context: QueueContext;
  readonly #handouts: Handouts;
  readonly #turns: Turns;
  readonly #work: TurnWork;
  readonly #signal: HeededSignal;
  #resolveClosed!: (summary: ConsumerSummary) => void;
  #summary: ConsumerSummary | undefined;

  constructor(handles: QueueContext, options: ResolvedConsumeOptions, mode: DeliveryMode) {
    const context = contextOfConsumer(handles);
    this.#context = context;
    this.observers = context.observers;
    this.options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.parts = createParts(this, context, mode);
    this.keeper = this.parts.keeper;
    this.#handouts = this.parts.handouts;
    this.#signal = new HeededSignal(options.signal, () => void this.close('aborted'));
    this.#turns = new Turns(context.clock, context.time, (waitedMs) => this.#turn(waitedMs));
    this.#work = new TurnWork(this, this.parts, this.#turns, context.time);
  }

  /** What it did so far, as of now. */
  snapshot(): ConsumerStats {
    return takeSnapshot(this, this.#context);
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

  /** Whether no more messages will be handed out. */
  get isEnding(): boolean {
    return this.parts.closing.hasBegun;
  }

  /** Whether nothing of the consumer is left. */
  get isClosed(): boolean {
    return this.#summary !== undefined;
  }

  get queueName(): string {
    return this.#context.queueName;
  }

  /** Starts pulling: a surface asks for its first message. */
  begin(): void {
    if (this.hasBegun || this.isEnding) return;
    const { observers } = this;
    const { holders, wakes } = this.#context;
    const { arrivals, demand } = this.parts;
    this.hasBegun = true;
    this.#turns.open();
    demand.onMessages(this.now());
    wakes.add(this);
    holders.add(arrivals);
    if (observers !== undefined) {
      const consumer = { queue: observers.queue, closed: this.closed, stats: () => this.snapshot() };
      observers.tell((observer) => observer.consume?.(consumer));
    }
    if (!this.isEnding) this.#signal.heed();
    this.wake();
  }

  /** Has a turn follow soon. */
  wake(): void {
    if (this.#summary === undefined && (this.hasBegun || this.isEnding)) this.#turns.soon();
  }

  /** Has the next turn at once. */
  hasten(): void {
    this.#turns.now();
  }

  /** Does something soon, in the async context in which the consumer was opened. */
  atHome(work: () => void): void {
    this.#turns.atHome(work);
  }

  #turn(waitedMs: number): void {
    if (this.isClosed) return;
    const nextAt = this.#work.run(waitedMs);
    if (this.parts.closing.isDone) this.#end();
    else this.#turns.at(nextAt, this.#work.keepsAlive);
  }

  get appetite(): 0 | 1 | 2 {
    return this.isEnding || this.isPaused ? 0 : this.parts.demand.appetite;
  }

  pause(): void {
    this.isPaused = true;
    this.wake();
    this.#context.wakes.rouse();
  }

  resume(): void {
    this.isPaused = false;
    this.parts.puller.dueAt = Infinity;
    this.wake();
  }

  /** The next message that may be started now; none while the event loop has been waited for too long. */
  take(now: number): Lease | undefined {
    return this.#work.take(now);
  }

  /** How many messages are leased and may be handed out. */
  get buffered(): number {
    return this.parts.holdings.buffered;
  }

  /** The handler of a message ended. What it did not settle is settled as `kind`, a retry with the growing delay. */
  complete(lease: Lease, kind: SettleKind, now: number, delaySeconds?: number): void {
    this.#handouts.complete(lease, kind, now, delaySeconds);
    this.wake();
  }

  /** Notes how many reads wait now; see {@link Handlers.onReaders}. */
  noteReaders(readers: number, now: number): void {
    this.#handouts.handlers.onReaders(readers, now);
  }

  /** From now on so many handlers work at once. */
  resize(count: number): void {
    this.#handouts.resize(count);
    this.wake();
  }

  /** Waits for the end, what is in hand included; of a consumer that never begins, for its signal. */
  awaitEnd(): Promise<ConsumerSummary> {
    if (!this.isEnding) this.#signal.heed();
    this.parts.closing.isAwaited = true;
    this.wake();
    return this.closed;
  }

  /**
   * Begins the end, or hastens it when called again with less grace; without any, the signals of what is in hand abort
   * before it returns.
   *
   * @returns what happened, when nothing of the consumer is left
   */
  close(reason: CloseReason, { graceMs, error }: { graceMs?: number; error?: unknown } = {}): Promise<ConsumerSummary> {
    this.parts.closing.isAwaited = true;
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
    return this.isUnseen ? Promise.race([this.parts.closing.left, this.closed]) : this.closed;
  }

  #close(request: CloseRequest): void {
    const isFirst = !this.isEnding;
    this.parts.closing.begin(request, this.now());
    this.wake();
    if (!isFirst) return;
    this.#context.wakes.delete(this);
    this.onClosing(request.reason);
    // Nothing was asked for, and nothing is waited for.
    if (!this.hasBegun) this.#end();
  }

  #end(): void {
    this.#turns.cancel();
    this.#signal.unheed();
    this.#context.holders.delete(this.parts.arrivals);
    this.#summary = { reason: 'closed', ...this.snapshot(), state: 'closed' };
    this.#resolveClosed(this.#summary);
  }
}
