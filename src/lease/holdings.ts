import { hashOf } from './id-hash.ts';
import { bySuspicion } from './isolation.ts';
import { KnownMessages } from './known-messages.ts';
import { type HeldMessage, Lease, LeaseBatch, type SettleKind } from './lease.ts';
import { marginMs } from './margin.ts';
import { RunningLeases } from './running-leases.ts';
import { Survived } from './survived.ts';

/** What became of the messages of one answer. */
export interface Received {
  /** How many were buffered as new. */
  readonly fresh: number;
  /** How many were repeated deliveries of messages already held: the newer lease stays. */
  readonly swapped: number;
  /** Repeated deliveries of messages whose handler had already succeeded: to be acknowledged, not delivered. */
  readonly done: readonly Lease[];
}

/** What leaves the buffer unstarted. */
export interface Trimmed {
  /** Too little time left to start, enough to give back. */
  readonly released: readonly Lease[];
  /** The same of deferred ones: come again at once, they would be in the way of the same handler. */
  readonly postponed: readonly Lease[];
  /** Their lease is over: the service has them already. */
  readonly dropped: readonly Lease[];
}

interface MutableTrimmed extends Trimmed {
  readonly released: Lease[];
  readonly postponed: Lease[];
  readonly dropped: Lease[];
}

function emptyTrimmed(): MutableTrimmed {
  return { released: [], postponed: [], dropped: [] };
}

const nothing: Trimmed = emptyTrimmed();

/** How many finished ids are remembered to recognise a delivery whose acknowledgement was lost. */
const rememberedIds = 10_000;

/**
 * Every message one consumer holds: buffered ones by deadline, started ones in the order they were started.
 *
 * Batches stand in order of their deadlines, so that looking for what ends next never walks the messages.
 */
export class Holdings {
  readonly #maxRetries: number;
  readonly #known = new KnownMessages(rememberedIds);
  /** Batches that may still have messages to start or trim, by deadline. */
  readonly #startable: LeaseBatch[] = [];
  /** The longest lease seen, in milliseconds: no margin is more than a quarter of it. */
  #longestMs = 0;
  /** Batches whose end has not been reported, by deadline. */
  #watched: LeaseBatch[] = [];
  #compactWatchedAt = 64;
  /** Buffered messages on their last attempt that are no suspects, by deadline. */
  readonly urgent: Lease[] = [];
  /** Buffered messages that may have ended a process, as they are to be started. */
  readonly suspects: Lease[] = [];
  readonly #suspectFrom: number;
  readonly #survived: Survived;
  /** Rarely anything: see {@link LeasePhase}. */
  readonly #deferred = new Set<Lease>();
  /** Started and their handler not finished, oldest first. */
  readonly running: RunningLeases = new RunningLeases();
  /** Buffered or deferred. */
  unstarted = 0;
  /** Length of the bodies of the unstarted ones, in characters. */
  unstartedLength = 0;
  /** How many handlers have ended. */
  ended = 0;

  /**
   * @param maxRetries - what the queue is set to: a message with more attempts is on its last
   * @param suspectFrom - from how many attempts on a message may have ended a process
   * @param survived - those that did not, although they were retried
   */
  constructor(maxRetries: number, suspectFrom: number = Infinity, survived: Survived = new Survived()) {
    this.#maxRetries = maxRetries;
    this.#suspectFrom = suspectFrom;
    this.#survived = survived;
  }

  /** Of the unstarted, those that wait for no handler. */
  get buffered(): number {
    return this.unstarted - this.#deferred.size;
  }

  /** Takes in the messages of an answer to a pull sent at `sentAt`. */
  receive(messages: readonly HeldMessage[], sentAt: number, timeoutMs: number): Received {
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
        this.#take(new Lease(message, batch, hash), held !== undefined);
        fresh += 1;
      }
    }
    if (batch.leases.length > 0) {
      this.#longestMs = Math.max(this.#longestMs, timeoutMs);
      insertByDeadline(this.#startable, batch);
      insertByDeadline(this.#watched, batch);
    }
    return { fresh, swapped, done };
  }

  /** Whether a message is held, or was lately finished. */
  knows(id: string): boolean {
    return this.#known.get(id, hashOf(id)) !== undefined;
  }

  #take(lease: Lease, handlerStillRuns: boolean): void {
    lease.batch.open += 1;
    this.unstarted += 1;
    this.unstartedLength += lease.bodyLength;
    // A deferred one takes the place of the retried one: whatever comes next for this id must find the newest.
    this.#known.hold(lease);
    lease.batch.leases.push(lease);
    if (handlerStillRuns) {
      lease.phase = 'deferred';
      this.#deferred.add(lease);
      return;
    }
    lease.isSuspect = lease.attempts >= this.#suspectFrom && !this.#survived.has(lease);
    this.#line(lease);
  }

  /** Puts a buffered message in front, or aside, where its turn does not come by its deadline and batch. */
  #line(lease: Lease): void {
    if (lease.isSuspect) insertInOrder(this.suspects, lease, bySuspicion);
    else if (this.#isLastAttempt(lease)) insertByDeadline(this.urgent, lease);
  }

  #swap(held: Lease, message: HeldMessage, batch: LeaseBatch): void {
    const isBuffered = held.phase === 'buffered';
    if (isBuffered) this.#hurryNoMore(held);
    held.leaseId = message.leaseId;
    held.attempts = message.attempts;
    held.batch.open -= 1;
    batch.open += 1;
    if (held.batch !== batch) batch.leases.push(held);
    held.batch = batch;
    if (isBuffered) this.#line(held);
  }

  #hurryNoMore(lease: Lease): void {
    if (lease.isSuspect) this.suspects.splice(this.suspects.indexOf(lease), 1);
    else if (this.#isLastAttempt(lease)) this.urgent.splice(this.urgent.indexOf(lease), 1);
  }

  #isLastAttempt(lease: Lease): boolean {
    return lease.attempts > this.#maxRetries;
  }

  /** The next message to start, now started, or `undefined`. Call {@link trim} with the same `now` before. */
  start(now: number): Lease | undefined {
    const lease = this.urgent.shift() ?? this.#nextBuffered() ?? this.suspects.shift();
    if (lease === undefined) return undefined;
    this.#unbuffer(lease);
    lease.phase = 'started';
    lease.startedAt = now;
    this.running.add(lease);
    return lease;
  }

  /** The first buffered message of the batches, left where it is; forgets what stands before it. */
  #nextBuffered(): Lease | undefined {
    for (let batch = this.#startable[0]; batch !== undefined; batch = this.#startable[0]) {
      for (; batch.cursor < batch.leases.length; batch.cursor += 1) {
        const lease: Lease | undefined = batch.leases[batch.cursor];
        if (lease !== undefined && stands(lease, batch)) return lease;
      }
      this.#startable.shift();
    }
    return undefined;
  }

  /** The batch of the buffered message whose lease ends first. */
  firstBatch(): LeaseBatch | undefined {
    // What is urgent may stand in no batch any more: those of its batch that were not are given back before it.
    const urgent = this.urgent[0]?.batch;
    const batch = (this.#nextBuffered() ?? this.suspects[0])?.batch;
    return urgent === undefined || (batch !== undefined && batch.deadline < urgent.deadline) ? batch : urgent;
  }

  #unbuffer(lease: Lease): void {
    this.unstarted -= 1;
    this.unstartedLength -= lease.bodyLength;
  }

  /** Takes out of the buffer what has too little time left to be started; a last attempt may use all of its lease. */
  trim(now: number, roundTripMs: number): Trimmed {
    return this.#mayTrim(now) ? this.#trim(now, roundTripMs) : nothing;
  }

  /** Whether anything is near its end. Asked for every message, where the answer is nearly always no. */
  #mayTrim(now: number): boolean {
    const [first] = this.#startable;
    const isNear = first !== undefined && first.deadline - now < this.#longestMs / 4;
    return isNear || this.urgent.length + this.suspects.length + this.#deferred.size > 0;
  }

  #trim(now: number, roundTripMs: number): Trimmed {
    const trimmed = emptyTrimmed();
    const isDue = (batch: LeaseBatch): boolean => batch.deadline - now < marginMs(batch.timeoutMs, roundTripMs);
    for (const lease of this.suspects.filter(({ batch }) => isDue(batch))) {
      this.#hurryNoMore(lease);
      lease.isSuspect = false;
      // On its last attempt it had better be started beside others than not at all.
      if (this.#isLastAttempt(lease)) this.#line(lease);
      else this.#leave(lease, now, trimmed);
    }
    while (this.urgent[0] !== undefined && this.urgent[0].deadline <= now) {
      this.#leave(this.urgent.shift(), now, trimmed);
    }
    // A longer lease has a wider margin, so that one that ends later may be due earlier.
    for (let index = 0; index < this.#startable.length;) {
      const batch = this.#startable[index];
      if (batch === undefined || batch.deadline - now >= this.#longestMs / 4) break;
      if (isDue(batch)) this.#trimBatch(index, now, trimmed);
      else index += 1;
    }
    for (const lease of this.#deferred) {
      if (this.#isLastAttempt(lease) ? lease.deadline <= now : isDue(lease.batch)) this.#leave(lease, now, trimmed);
    }
    return trimmed;
  }

  #trimBatch(index: number, now: number, trimmed: MutableTrimmed): void {
    const [batch] = this.#startable.splice(index, 1);
    for (const lease of batch?.leases ?? []) {
      if (batch !== undefined && stands(lease, batch) && !this.#isLastAttempt(lease)) this.#leave(lease, now, trimmed);
    }
  }

  /** Takes everything unstarted out of the buffer. */
  drain(now: number): Trimmed {
    const trimmed = emptyTrimmed();
    for (const lease of [...this.urgent.splice(0), ...this.suspects.splice(0)]) this.#leave(lease, now, trimmed);
    for (const batch of this.#startable.splice(0)) {
      for (const lease of batch.leases) if (stands(lease, batch)) this.#leave(lease, now, trimmed);
    }
    for (const lease of this.#deferred) this.#leave(lease, now, trimmed);
    return trimmed;
  }

  #leave(lease: Lease | undefined, now: number, trimmed: MutableTrimmed): void {
    if (lease === undefined) return;
    this.#end(lease);
    const wasDeferred = this.#deferred.delete(lease);
    if (wasDeferred) this.#holdRunning(lease);
    if (lease.deadline <= now) trimmed.dropped.push(lease);
    else (wasDeferred ? trimmed.postponed : trimmed.released).push(lease);
  }

  /** Holds an unstarted message no longer. */
  #end(lease: Lease): void {
    this.#unbuffer(lease);
    this.#known.release(lease);
    lease.phase = 'over';
    lease.batch.open -= 1;
  }

  /** The handler for which a message was deferred still runs: a delivery that comes now has to wait for it as well. */
  #holdRunning({ id }: Lease): void {
    for (const lease of this.running) if (lease.id === id) this.#known.hold(lease);
  }

  /**
   * Takes out of the buffer the newer delivery of a message that was given up when its lease ended and is finished now:
   * to be acknowledged, not delivered. Where it is started or finished itself, whichever settlement comes second finds
   * no lease, and the message acknowledged by the other.
   */
  takeNewer(lease: Lease): Lease | undefined {
    const newer = this.#known.get(lease.id, lease.hash);
    if (newer === undefined) return undefined;
    if (newer === 'done' || newer.phase !== 'buffered') {
      (newer === 'done' ? lease : newer).mayBeSettled = true;
      return undefined;
    }
    this.#hurryNoMore(newer);
    this.#end(newer);
    return newer;
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
  finish(lease: Lease): void {
    if (lease.phase !== 'started') return;
    if (!lease.isParked) this.running.remove(lease);
    this.ended += 1;
    if (lease.settledAs === 'retry') this.#survived.add(lease);
    lease.phase = 'over';
    if (lease.settledAs === undefined) lease.batch.open -= 1;
    // An acknowledged one is known as finished by now.
    if (lease.settledAs === 'ack') return;
    const newest = this.#known.get(lease.id, lease.hash);
    if (newest === lease) this.#known.release(lease);
    else if (newest !== 'done' && newest?.phase === 'deferred') this.#undefer(newest);
  }

  #undefer(lease: Lease): void {
    this.#deferred.delete(lease);
    lease.phase = 'buffered';
    this.#rejoin(lease);
  }

  /** Suspects are started in their turn, as all others. */
  mingle(): void {
    for (const lease of this.suspects.splice(0)) {
      lease.isSuspect = false;
      this.#rejoin(lease);
    }
  }

  #rejoin(lease: Lease): void {
    const { batch } = lease;
    if (this.#isLastAttempt(lease)) {
      insertByDeadline(this.urgent, lease);
      return;
    }
    batch.cursor = Math.min(batch.cursor, batch.leases.indexOf(lease));
    if (!this.#startable.includes(batch)) insertByDeadline(this.#startable, batch);
  }

  /** The started, unsettled messages whose lease has ended since the last call. */
  lapse(now: number): readonly Lease[] {
    const lapsed: Lease[] = [];
    while (this.#watched[0]?.open === 0) this.#watched.shift();
    for (let batch = this.#watched[0]; batch !== undefined && batch.deadline <= now; batch = this.#watched[0]) {
      this.#watched.shift();
      if (batch.open === 0) continue;
      for (const lease of batch.leases) {
        if (lease.batch === batch && lease.phase === 'started' && lease.settledAs === undefined) lapsed.push(lease);
      }
    }
    this.#compactWatched();
    return lapsed;
  }

  /** One hung handler at the head must not keep every finished batch behind it in memory. */
  #compactWatched(): void {
    if (this.#watched.length < this.#compactWatchedAt) return;
    this.#watched = this.#watched.filter((batch) => batch.open > 0);
    this.#compactWatchedAt = 2 * this.#watched.length + 64;
  }

  /** When {@link trim} has something to do next; `undefined` when nothing is unstarted. */
  nextTrimAt(roundTripMs: number): number | undefined {
    if (this.unstarted === 0) return undefined;
    // A millisecond later, because at the margin itself a message may still be started.
    const trimAt = (batch: LeaseBatch): number => batch.deadline - marginMs(batch.timeoutMs, roundTripMs) + 1;
    let next = this.urgent[0]?.deadline ?? Infinity;
    for (const batch of this.#startable) {
      if (batch.deadline - this.#longestMs / 4 > next) break;
      next = Math.min(next, trimAt(batch));
    }
    for (const lease of this.#deferred) {
      next = Math.min(next, this.#isLastAttempt(lease) ? lease.deadline : trimAt(lease.batch));
    }
    for (const { batch } of this.suspects) next = Math.min(next, trimAt(batch));
    return next;
  }

  /** When {@link lapse} may have something to report next. */
  nextLapseAt(): number | undefined {
    for (let batch = this.#watched[0]; batch !== undefined; batch = this.#watched[0]) {
      if (batch.open > 0) return batch.deadline;
      this.#watched.shift();
    }
    return undefined;
  }
}

/** Answers may overtake each other: of two deliveries of a message, the one with more attempts was the later. */
function isNewer({ attempts }: HeldMessage, batch: LeaseBatch, held: Lease): boolean {
  return attempts === held.attempts ? batch.deadline >= held.deadline : attempts > held.attempts;
}

/** Whether a message waits in this batch for its turn. A swapped one stands in its older batch as well. */
function stands(lease: Lease, batch: LeaseBatch): boolean {
  return lease.phase === 'buffered' && lease.batch === batch && !lease.isSuspect;
}

/** Nearly always at the end: answers come back about in the order of their pulls. */
function insertByDeadline<T extends { readonly deadline: number }>(list: T[], item: T): void {
  insertInOrder(list, item, (a, b) => a.deadline - b.deadline);
}

function insertInOrder<T>(list: T[], item: T, compare: (a: T, b: T) => number): void {
  let index = list.length;
  for (let before = list[index - 1]; before !== undefined && compare(before, item) > 0; before = list[index - 1])
    index -= 1;
  if (index === list.length) list.push(item);
  else list.splice(index, 0, item);
}
