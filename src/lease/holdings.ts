import { DeferredLeases } from './deferred-leases.ts';
import { hashOf } from './id-hash.ts';
import { KnownMessages } from './known-messages.ts';
import type { Order } from './lanes.ts';
import { LeaseBuffer, trimAt } from './lease-buffer.ts';
import { type HeldMessage, Lease, LeaseBatch, type SettleKind } from './lease.ts';
import { marginMs } from './margin.ts';
import { OrderKeeper } from './order-keeper.ts';
import { budgetMs } from './plan-pull.ts';
import { RunningLeases } from './running-leases.ts';
import { Survived } from './survived.ts';
import { emptyTrimmed, type MutableTrimmed, type Trimmed } from './trimmed.ts';
import { WatchedLeases } from './watched-leases.ts';

/** What became of the messages of one answer. */
export interface Received {
  /** How many were buffered as new. */
  readonly fresh: number;
  /** How many were repeated deliveries of messages already held: the newer lease stays. */
  readonly swapped: number;
  /** Repeated deliveries of messages whose handler had already succeeded: to be acknowledged, not delivered. */
  readonly done: readonly Lease[];
}

const nothing: Trimmed = emptyTrimmed();

/** The longest delay of a retry, in seconds. */
const longestDelaySeconds = 86_400;

/** What else holdings are told. */
export interface HoldingsOptions {
  /** @defaultValue any */
  readonly order?: Order;
  /** From how many attempts on a message may have ended a process. @defaultValue none */
  readonly suspectFrom?: number;
  /** Those that did not, although they were retried. @defaultValue none */
  readonly survived?: Survived;
}

/** How many finished ids are remembered to recognise a delivery whose acknowledgement was lost. */
const rememberedIds = 10_000;

/** Every message one consumer holds: buffered, deferred or started, each once, by its newest lease. */
export class Holdings {
  readonly #maxRetries: number;
  readonly #known = new KnownMessages(rememberedIds);
  readonly #buffer: LeaseBuffer;
  readonly #deferred = new DeferredLeases();
  readonly #watched = new WatchedLeases();
  readonly #suspectFrom: number;
  readonly #survived: Survived;
  /** In which order messages are started, and what is expected again. */
  readonly order: OrderKeeper;
  /** Started and their handler not finished, oldest first. */
  readonly running: RunningLeases = new RunningLeases();
  /** Buffered or deferred. */
  unstarted = 0;
  /** Length of the bodies of the unstarted ones, in characters. */
  unstartedLength = 0;
  /** How many handlers have ended. */
  ended = 0;

  /** @param maxRetries - what the queue is set to: a message with more attempts is on its last */
  constructor(
    maxRetries: number,
    { order = 'any', suspectFrom = Infinity, survived = new Survived() }: HoldingsOptions = {},
  ) {
    this.#maxRetries = maxRetries;
    this.#buffer = new LeaseBuffer(maxRetries);
    this.order = new OrderKeeper(order, this.#buffer, this.#deferred);
    this.#suspectFrom = suspectFrom;
    this.#survived = survived;
  }

  /** Buffered messages on their last attempt that are no suspects, by deadline. */
  get urgent(): readonly Lease[] {
    return this.#buffer.urgent;
  }

  /** Buffered messages that may have ended a process, as they are to be started. */
  get suspects(): readonly Lease[] {
    return this.#buffer.suspects;
  }

  /** Of the unstarted, those that wait for no other message and no handler of their own. */
  get buffered(): number {
    return this.order.kind === 'as queued' ? this.order.ready : this.unstarted - this.#deferred.size;
  }

  /** How many wait for another message of their key, those included that were given back for that. */
  get blocked(): number {
    return this.order.kind === 'any' ? 0 : this.unstarted - this.buffered + this.order.setAside;
  }

  /** Takes in the messages of an answer to a pull sent at `sentAt`. */
  receive(messages: readonly HeldMessage[], sentAt: number, timeoutMs: number, now: number = sentAt): Received {
    const batch = new LeaseBatch(sentAt, timeoutMs);
    const done: Lease[] = [];
    let fresh = 0;
    let swapped = 0;
    for (const message of messages) {
      const hash = hashOf(message.id);
      const held = this.#known.get(message.id, hash);
      if (held === 'done') done.push(new Lease(message, batch, hash));
      else if (held !== undefined && held.settledAs === undefined) {
        if (isNewer(message, batch, held)) this.#swap(held, message, batch);
        swapped += 1;
      } else {
        this.#take(new Lease(message, batch, hash), message, held);
        fresh += 1;
      }
    }
    if (batch.leases.length > 0) {
      this.#buffer.addBatch(batch);
      this.#watched.add(batch);
    }
    this.order.arrange(now);
    return { fresh, swapped, done };
  }

  /** Whether a message is held, or was lately finished. */
  knows(id: string): boolean {
    return this.#known.get(id, hashOf(id)) !== undefined;
  }

  /** @param running - its retried earlier delivery, whose handler still runs */
  #take(lease: Lease, message: HeldMessage, running: Lease | undefined): void {
    lease.batch.open += 1;
    this.unstarted += 1;
    this.unstartedLength += lease.bodyLength;
    // A deferred one takes the place of the retried one: whatever comes next for this id must find the newest.
    this.#known.hold(lease);
    lease.batch.leases.push(lease);
    if (this.order.join(lease, message, running)) return;
    lease.isSuspect = lease.attempts >= this.#suspectFrom && !this.#survived.has(lease);
    this.#buffer.line(lease);
  }

  #swap(held: Lease, message: HeldMessage, batch: LeaseBatch): void {
    const isBuffered = held.phase === 'buffered';
    if (isBuffered) this.#buffer.unline(held);
    held.leaseId = message.leaseId;
    held.attempts = message.attempts;
    held.batch.open -= 1;
    batch.open += 1;
    if (held.batch !== batch) batch.leases.push(held);
    held.batch = batch;
    if (isBuffered) this.#buffer.line(held);
    if (held.phase === 'deferred') this.#deferred.note(held);
    this.order.touch(held);
  }

  /** The next message to start, now started, or `undefined`. Call {@link trim} with the same `now` before. */
  start(now: number): Lease | undefined {
    const lease = this.#buffer.next();
    if (lease === undefined) return undefined;
    this.#unbuffer(lease);
    lease.phase = 'started';
    lease.startedAt = now;
    this.running.add(lease);
    if (lease.key !== undefined) this.order.start(lease, now);
    return lease;
  }

  /** The batch of the buffered message whose lease ends first. */
  firstBatch(): LeaseBatch | undefined {
    return this.#buffer.firstBatch();
  }

  #unbuffer(lease: Lease): void {
    this.unstarted -= 1;
    this.unstartedLength -= lease.bodyLength;
  }

  /**
   * Takes out of the buffer what has too little time left to be started; a last attempt may use all of its lease.
   *
   * @param usualMs - how long a handler is expected to take
   */
  trim(now: number, roundTripMs: number, usualMs = 0): Trimmed {
    const mayTrim = this.#buffer.mayTrim(now) || this.#buffer.isNear(this.#deferred.until, now);
    return mayTrim ? this.#trim(now, roundTripMs, usualMs) : nothing;
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

  /** Puts a started message back, to be started again within its lease once it is {@link revive}d. */
  keep(lease: Lease): void {
    this.running.remove(lease);
    this.unstarted += 1;
    this.unstartedLength += lease.bodyLength;
    lease.isKept = true;
    // Its handler has ended, and the process goes on.
    lease.isSuspect = false;
    this.#survived.add(lease);
    this.#deferred.add(lease);
  }

  /** Those that are kept, the longest first. */
  get kept(): readonly Lease[] {
    return this.#deferred.kept;
  }

  /** Has a kept message wait for a handler again. */
  revive(lease: Lease): void {
    this.order.undefer(lease);
  }

  /** Takes a kept message out, which is settled after all: its handler counts as one that has ended. */
  takeKept(lease: Lease): void {
    if (!this.#deferred.delete(lease)) this.#buffer.unline(lease);
    this.#unbuffer(lease);
    lease.phase = 'started';
    lease.isParked = true;
  }

  /** Suspects are started in their turn, as all others. */
  mingle(): void {
    this.#buffer.mingle();
  }

  /** Takes everything unstarted out of the buffer. */
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
    this.#unbuffer(lease);
    this.#known.release(lease);
    lease.phase = 'over';
    lease.batch.open -= 1;
  }

  /**
   * Takes out of the buffer the newer delivery of a message that was given up when its lease ended and is finished now:
   * to be acknowledged, not delivered. Where it is started or finished itself, whichever settlement comes second finds
   * no lease, and the message acknowledged by the other.
   */
  takeNewer(lease: Lease, now: number): Lease | undefined {
    const newer = this.#known.get(lease.id, lease.hash);
    if (newer === undefined) return undefined;
    if (newer === 'done' || !this.#isWaiting(newer)) {
      (newer === 'done' ? lease : newer).mayBeSettled = true;
      return undefined;
    }
    if (newer.phase === 'buffered') this.#buffer.unline(newer);
    this.#deferred.delete(newer);
    this.#end(newer);
    this.order.remove(newer, now);
    return newer;
  }

  #isWaiting(lease: Lease): boolean {
    return lease.phase === 'buffered' || this.order.isNext(lease) || (lease.phase === 'deferred' && lease.isKept);
  }

  /** Decides the settlement of a message that was started; `false` when that was done before. */
  settle(lease: Lease, kind: SettleKind, delaySeconds: number | undefined): boolean {
    if (lease.settledAs !== undefined) return false;
    lease.settledAs = kind;
    lease.delaySeconds = delaySeconds;
    // One that is over was given up when its lease ended, and is settled late.
    if (lease.phase === 'started') lease.batch.open -= 1;
    if (kind === 'ack') this.#known.finish(lease);
    return true;
  }

  /**
   * Ends the handler of a started message whose settlement waits for something else: it stays known, so that it is not
   * started once more if it comes again meanwhile. To be finished when it is settled.
   *
   * @returns whether its handler ran until now
   */
  park(lease: Lease): boolean {
    if (lease.phase !== 'started' || lease.isParked) return false;
    this.running.remove(lease);
    lease.isParked = true;
    return true;
  }

  /** Ends a started message: its handler is no longer running. */
  finish(lease: Lease, now: number): void {
    if (lease.phase !== 'started') return;
    if (!lease.isParked) this.running.remove(lease);
    this.ended += 1;
    if (lease.settledAs === 'retry') this.#survived.add(lease);
    lease.phase = 'over';
    if (lease.settledAs === undefined) lease.batch.open -= 1;
    // An acknowledged one is known as finished by now.
    if (lease.settledAs !== 'ack') this.#known.release(lease);
    if (lease.key !== undefined) this.order.finish(lease, now);
  }

  /** The started, unsettled messages whose lease has ended since the last call. */
  lapse(now: number): readonly Lease[] {
    return this.#watched.lapse(now);
  }

  /** When {@link trim} has something to do next; `undefined` when nothing is unstarted. */
  nextTrimAt(roundTripMs: number): number | undefined {
    if (this.unstarted === 0) return undefined;
    let next = this.#buffer.nextTrimAt(roundTripMs);
    for (const lease of this.#deferred) {
      const at = this.#buffer.isLastAttempt(lease) ? lease.deadline : trimAt(lease.batch, roundTripMs);
      next = Math.min(next, at);
    }
    return next;
  }

  /** When {@link lapse} may have something to report next. */
  nextLapseAt(): number | undefined {
    return this.#watched.nextAt();
  }
}

/** Answers may overtake each other: of two deliveries of a message, the one with more attempts was the later. */
function isNewer({ attempts }: HeldMessage, batch: LeaseBatch, held: Lease): boolean {
  return attempts === held.attempts ? batch.deadline >= held.deadline : attempts > held.attempts;
}
