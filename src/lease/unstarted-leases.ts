import { DeferredLeases } from './deferred-leases.ts';
import type { KnownMessages } from './known-messages.ts';
import type { Order } from './lanes.ts';
import { LeaseBuffer, trimAt } from './lease-buffer.ts';
import type { HeldMessage, Lease, LeaseBatch } from './lease.ts';
import { marginMs } from './margin.ts';
import { OrderKeeper } from './order-keeper.ts';
import { budgetMs } from './plan-pull.ts';
import { emptyTrimmed, type MutableTrimmed, type Trimmed } from './trimmed.ts';

const nothing: Trimmed = emptyTrimmed();

/** The longest delay of a retry, in seconds. */
const longestDelaySeconds = 86_400;

/** The messages that are leased and not started, buffered or deferred, until they are, or have to leave. */
export class UnstartedLeases {
  readonly #maxRetries: number;
  readonly #known: KnownMessages;
  readonly #buffer: LeaseBuffer;
  readonly #deferred = new DeferredLeases();
  /** In which order they are started, and what is expected again. */
  readonly order: OrderKeeper;
  size = 0;
  /** Length of the bodies, in characters. */
  bodyLength = 0;

  /** @param maxRetries - a message with more attempts is on its last */
  constructor(maxRetries: number, order: Order, known: KnownMessages) {
    this.#maxRetries = maxRetries;
    this.#known = known;
    this.#buffer = new LeaseBuffer(maxRetries);
    this.order = new OrderKeeper(order, this.#buffer, this.#deferred);
  }

  /** Those on their last attempt that are no suspects, by deadline. */
  get urgent(): readonly Lease[] {
    return this.#buffer.urgent;
  }

  /** Those that may have ended a process, as they are to be started. */
  get suspects(): readonly Lease[] {
    return this.#buffer.suspects;
  }

  /** Those that are kept to be tried again, the longest first. */
  get kept(): readonly Lease[] {
    return this.#deferred.kept;
  }

  /** How many wait for no other message and no handler of their own. */
  get buffered(): number {
    return this.order.kind === 'as queued' ? this.order.ready : this.size - this.#deferred.size;
  }

  /** How many wait for another message of their key, those included that were given back for that. */
  get blocked(): number {
    return this.order.kind === 'any' ? 0 : this.size - this.buffered + this.order.setAside;
  }

  #count(lease: Lease, sign: 1 | -1): void {
    this.size += sign;
    this.bodyLength += sign * lease.bodyLength;
  }

  /**
   * Adds a message. Where that is to be started in its turn, the order keeps it.
   *
   * @param running - its retried earlier delivery, whose handler still runs
   * @returns whether the order does; otherwise it is to be put in {@link line}
   */
  add(lease: Lease, message: HeldMessage, running: Lease | undefined): boolean {
    this.#count(lease, 1);
    return this.order.join(lease, message, running);
  }

  /** Adds what an answer brought, when all of its messages have been. */
  addBatch(batch: LeaseBatch): void {
    this.#buffer.addBatch(batch);
  }

  /** Puts a message where its turn will come. */
  line(lease: Lease): void {
    this.#buffer.line(lease);
  }

  /** Takes a message out of its place before its lease changes; to be followed by {@link reline}. */
  unline(lease: Lease): void {
    if (lease.phase === 'buffered') this.#buffer.unline(lease);
  }

  /** Puts a message, wherever it stands, where its turn will come by its changed lease. */
  reline(lease: Lease): void {
    if (lease.phase === 'buffered') this.#buffer.line(lease);
    if (lease.phase === 'deferred') this.#deferred.note(lease);
    this.order.touch(lease);
  }

  /** Takes out the next message to start. */
  next(): Lease | undefined {
    const lease = this.#buffer.next();
    if (lease !== undefined) this.#count(lease, -1);
    return lease;
  }

  /** The batch of the buffered message whose lease ends first. */
  firstBatch(): LeaseBatch | undefined {
    return this.#buffer.firstBatch();
  }

  /** Adds a message that was started, to be started again once it is {@link revive}d. */
  keep(lease: Lease): void {
    this.#count(lease, 1);
    this.#deferred.add(lease);
  }

  /** Has a kept message wait for a handler again. */
  revive(lease: Lease): void {
    this.order.undefer(lease);
  }

  /** Takes out a kept message. */
  takeKept(lease: Lease): void {
    if (!this.#deferred.delete(lease)) this.#buffer.unline(lease);
    this.#count(lease, -1);
  }

  /** Suspects are started in their turn, as all others. */
  mingle(): void {
    this.#buffer.mingle();
  }

  /**
   * Takes out of the buffer what has too little time left to be started; a last attempt may use all of its lease.
   *
   * @param usualMs - how long a handler is expected to take
   */
  trim(now: number, roundTripMs: number, usualMs = 0): Trimmed {
    return this.mayTrim(now) ? this.#trim(now, roundTripMs, usualMs) : nothing;
  }

  /** Whether {@link trim} may have something to do. Asked for every message, where the answer is nearly always no. */
  mayTrim(now: number): boolean {
    return this.#buffer.mayTrim(now) || this.#buffer.isNear(this.#deferred.until, now);
  }

  #trim(now: number, roundTripMs: number, usualMs: number): Trimmed {
    const trimmed = emptyTrimmed();
    const isDue = (batch: LeaseBatch): boolean => batch.deadline - now < marginMs(batch.timeoutMs, roundTripMs);
    this.#buffer.trim(now, isDue, (lease) => this.#leave(lease, now, trimmed));
    this.#deferred.until = Infinity;
    for (const lease of this.#deferred) {
      const isLast = this.#buffer.isLastAttempt(lease);
      if (isLast ? lease.deadline <= now : isDue(lease.batch)) this.#postpone(lease, now, trimmed, usualMs);
      else {
        this.#deferred.note(lease);
        if (isLast) this.order.touch(lease);
      }
    }
    this.order.arrange(now);
    return trimmed;
  }

  /**
   * Takes out of the lanes that an answer has lengthened what one handler can't start in time, the youngest first: to come
   * again when that is likelier. What would be on its last attempt then waits on.
   */
  setAside(now: number, roundTripMs: number, usualMs: number): Trimmed {
    if (!this.order.isLengthened) return nothing;
    const trimmed = emptyTrimmed();
    for (const lease of this.order.tooLate(now, roundTripMs, usualMs))
      if (lease.attempts < this.#maxRetries) this.#postpone(lease, now, trimmed, usualMs);
    this.order.arrange(now);
    return trimmed;
  }

  /** Gives a deferred one back for about as long as it would have to wait. */
  #postpone(lease: Lease, now: number, trimmed: MutableTrimmed, usualMs: number): void {
    const waitMs = this.order.waitMs(lease, now, usualMs);
    if (waitMs !== undefined) {
      // Rather too early, since it can wait here; but its last lease must not run out before it is its turn.
      const aimMs = lease.attempts < this.#maxRetries ? waitMs - budgetMs(lease.batch.timeoutMs, 0) / 2 : 2 * waitMs;
      const seconds = Math.max(Math.ceil(aimMs / 1_000), 2 ** (lease.attempts - 1));
      lease.delaySeconds = Math.min(seconds, longestDelaySeconds);
    }
    this.#leave(lease, now, trimmed);
  }

  /** Takes out of the buffer what may come again: a last attempt stays. */
  shed(now: number): Trimmed {
    const trimmed = emptyTrimmed();
    this.#buffer.shed((lease) => this.#leave(lease, now, trimmed));
    this.order.arrange(now);
    // Come again at once, they would only go to others that fail as well.
    return { released: [], postponed: trimmed.released, dropped: trimmed.dropped };
  }

  /** Takes out everything. */
  drain(now: number): Trimmed {
    const trimmed = emptyTrimmed();
    this.#buffer.drain((lease) => this.#leave(lease, now, trimmed));
    for (const lease of this.#deferred) this.#leave(lease, now, trimmed);
    return trimmed;
  }

  #leave(lease: Lease, now: number, trimmed: MutableTrimmed): void {
    this.#end(lease);
    const wasDeferred = this.#deferred.delete(lease);
    const running = this.order.leave(lease, now);
    // A delivery that comes now has to wait for that handler as well.
    if (running !== undefined) this.#known.hold(running);
    if (lease.deadline <= now) trimmed.dropped.push(lease);
    else if (wasDeferred && (running !== undefined || lease.isKept || lease.delaySeconds !== undefined))
      trimmed.postponed.push(lease);
    else trimmed.released.push(lease);
  }

  /** Holds an unstarted message no longer. */
  #end(lease: Lease): void {
    this.#count(lease, -1);
    this.#known.release(lease);
    lease.phase = 'over';
    lease.batch.open -= 1;
  }

  /** Whether a message is to be started, at once or in its turn. */
  has(lease: Lease): boolean {
    return lease.phase === 'buffered' || this.order.isNext(lease) || (lease.phase === 'deferred' && lease.isKept);
  }

  /** Takes out a message that nobody is to start any more. */
  remove(lease: Lease, now: number): void {
    this.unline(lease);
    this.#deferred.delete(lease);
    this.#end(lease);
    this.order.remove(lease, now);
  }

  /** When {@link trim} has something to do next; `undefined` when nothing is there. */
  nextTrimAt(roundTripMs: number): number | undefined {
    if (this.size === 0) return undefined;
    let next = this.#buffer.nextTrimAt(roundTripMs);
    for (const lease of this.#deferred) {
      const at = this.#buffer.isLastAttempt(lease) ? lease.deadline : trimAt(lease.batch, roundTripMs);
      next = Math.min(next, at);
    }
    return next;
  }
}
