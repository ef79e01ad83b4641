import { hashOf } from './id-hash.ts';
import { bySuspicion } from './isolation.ts';
import { KnownMessages } from './known-messages.ts';
import type { Lane, LaneEntry } from './lane.ts';
import { Lanes, type Order } from './lanes.ts';
import { type HeldMessage, Lease, LeaseBatch, type SettleKind } from './lease.ts';
import { marginMs } from './margin.ts';
import { budgetMs } from './plan-pull.ts';
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
  /** The same of deferred ones: come again at once, they would be in the way of the same handler, or wait for it again. */
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

/** For how long a message is waited for, once it should have come again, in milliseconds, or for so many round trips. */
const patience = { leastMs: 5_000, roundTrips: 4 };

/** Who retries a message after a longer time, in milliseconds, leaves it to others: those after it do not wait for it. */
const longestWaitMs = 300_000;

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
  /** Rarely anything where no order is kept: see {@link LeasePhase}. */
  readonly #deferred = new Set<Lease>();
  /** When the first lease among them ends, or before that. */
  #deferredUntil = Infinity;
  readonly #lanes: Lanes;
  /** Lanes of which something has come or gone. */
  readonly #touched = new Set<Lane>();
  /** Lanes of keys to which an answer has brought something. */
  readonly #lengthened = new Set<Lane>();
  /** Started and their handler not finished, oldest first. */
  readonly running: RunningLeases = new RunningLeases();
  /** Buffered or deferred. */
  unstarted = 0;
  /** Length of the bodies of the unstarted ones, in characters. */
  unstartedLength = 0;
  /** How many handlers have ended. */
  ended = 0;
  /** How many were given back because too many of their key were there, less a twentieth of those that were handled since. */
  overtaken = 0;

  /** @param maxRetries - what the queue is set to: a message with more attempts is on its last */
  constructor(
    maxRetries: number,
    { order = 'any', suspectFrom = Infinity, survived = new Survived() }: HoldingsOptions = {},
  ) {
    this.#maxRetries = maxRetries;
    this.#lanes = new Lanes(order);
    this.#suspectFrom = suspectFrom;
    this.#survived = survived;
  }

  /** Of the unstarted, those that wait for no other message and no handler of their own. */
  get buffered(): number {
    return this.#lanes.order === 'as queued' ? (this.#lanes.get('')?.ready ?? 0) : this.unstarted - this.#deferred.size;
  }

  /** How many wait for another message of their key, those included that were given back for that. */
  get blocked(): number {
    return this.#lanes.order === 'any' ? 0 : this.unstarted - this.buffered + this.#lanes.setAside;
  }

  /** How many of one key there are at most, those at work and those expected again included. */
  get longest(): number {
    return this.#lanes.order === 'by key' ? this.#lanes.longest : 0;
  }

  /** When a message should last have come again that others wait for. */
  get dueSince(): number {
    return this.#lanes.dueSince;
  }

  /** Whether one is due that others wait for. */
  get isSeeking(): boolean {
    return this.#lanes.due > 0;
  }

  /** When {@link endWaits} has something to do next; `Infinity` when nothing is expected. */
  get nextWaitAt(): number {
    return this.#lanes.nextAt;
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
      this.#longestMs = Math.max(this.#longestMs, timeoutMs);
      insertByDeadline(this.#startable, batch);
      insertByDeadline(this.#watched, batch);
    }
    this.#arrangeTouched(now);
    return { fresh, swapped, done };
  }

  /** Whether a message is held, or was lately finished. */
  knows(id: string): boolean {
    return this.#known.get(id, hashOf(id)) !== undefined;
  }

  /** @param running - its retried earlier delivery, whose handler still runs */
  #take(lease: Lease, { key, timestampMs }: HeldMessage, running: Lease | undefined): void {
    lease.batch.open += 1;
    this.unstarted += 1;
    this.unstartedLength += lease.bodyLength;
    // A deferred one takes the place of the retried one: whatever comes next for this id must find the newest.
    this.#known.hold(lease);
    lease.batch.leases.push(lease);
    // Where no order is kept, what waits for its own handler does so in a lane of its own.
    lease.key = running?.key ?? (this.#lanes.order === 'any' ? running && lease.id : key);
    if (lease.key !== undefined) this.#join(this.#lanes.of(lease.key), lease, timestampMs, running);
    else {
      lease.isSuspect = lease.attempts >= this.#suspectFrom && !this.#survived.has(lease);
      this.#line(lease);
    }
  }

  /** Puts a buffered message in front, or aside, where its turn does not come by its deadline and batch. */
  #line(lease: Lease): void {
    if (lease.isSuspect) insertInOrder(this.suspects, lease, bySuspicion);
    else if (this.#isLastAttempt(lease)) insertByDeadline(this.urgent, lease);
  }

  #join(lane: Lane, lease: Lease, timestampMs: number, running: Lease | undefined): void {
    const entry = lane.entryOf(lease.id, timestampMs);
    if (running !== undefined && running.key === undefined) {
      running.key = lane.key;
      lane.start(entry, running);
    }
    this.#lanes.cameAgain(entry);
    entry.waiting = lease;
    this.#defer(lease);
    this.#touched.add(lane);
    if (this.#lanes.order === 'by key') this.#lengthened.add(lane);
  }

  #defer(lease: Lease): void {
    lease.phase = 'deferred';
    this.#deferred.add(lease);
    this.#deferredUntil = Math.min(this.#deferredUntil, lease.deadline);
  }

  /** Sees to it that of each lane just the one is buffered that may be started. */
  #arrangeTouched(now: number): void {
    for (const lane of this.#touched) this.#arrange(lane, now);
    this.#touched.clear();
  }

  #arrange(lane: Lane, now: number): void {
    const { head } = lane;
    const next = lane.next(now, (lease) => this.#isLastAttempt(lease));
    if (next === head) return;
    if (head !== undefined) {
      this.#hurryNoMore(head);
      this.#defer(head);
    }
    lane.head = next;
    if (next !== undefined) this.#undefer(next);
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
    if (held.phase === 'deferred') this.#deferredUntil = Math.min(this.#deferredUntil, held.deadline);
    const lane = this.#lanes.get(held.key);
    if (lane !== undefined) this.#touched.add(lane);
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
    if (lease.key !== undefined) this.#startInLane(lease, now);
    return lease;
  }

  #startInLane(lease: Lease, now: number): void {
    const lane = this.#lanes.get(lease.key);
    const entry = lane?.find(lease.id);
    if (lane === undefined || entry === undefined) return;
    lane.start(entry, lease);
    this.#arrange(lane, now);
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

  /**
   * Takes out of the buffer what has too little time left to be started; a last attempt may use all of its lease.
   *
   * @param usualMs - how long a handler is expected to take
   */
  trim(now: number, roundTripMs: number, usualMs = 0): Trimmed {
    return this.#mayTrim(now) ? this.#trim(now, roundTripMs, usualMs) : nothing;
  }

  /** Whether anything is near its end. Asked for every message, where the answer is nearly always no. */
  #mayTrim(now: number): boolean {
    const [first] = this.#startable;
    const isNear = first !== undefined && first.deadline - now < this.#longestMs / 4;
    return isNear || this.urgent.length + this.suspects.length > 0 || this.#deferredUntil - now < this.#longestMs / 4;
  }

  #trim(now: number, roundTripMs: number, usualMs: number): Trimmed {
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
    this.#deferredUntil = Infinity;
    for (const lease of this.#deferred) {
      const isLast = this.#isLastAttempt(lease);
      if (isLast ? lease.deadline <= now : isDue(lease.batch)) this.#postpone(lease, now, trimmed, usualMs);
      else {
        this.#deferredUntil = Math.min(this.#deferredUntil, lease.deadline);
        const lane = isLast ? this.#lanes.get(lease.key) : undefined;
        if (lane !== undefined) this.#touched.add(lane);
      }
    }
    this.#arrangeTouched(now);
    return trimmed;
  }

  /**
   * Takes out of the lanes that an answer has lengthened what one handler can't start in time, the youngest first: to come
   * again when that is likelier. What would be on its last attempt then waits on.
   */
  setAside(now: number, roundTripMs: number, usualMs: number): Trimmed {
    if (this.#lengthened.size === 0) return nothing;
    const trimmed = emptyTrimmed();
    for (const lane of this.#lengthened) {
      for (const lease of lane.waiting()) {
        // Half of it would do for what nobody expected; but what is given back has lost an attempt for certain.
        const inTimeMs = 2 * budgetMs(lease.batch.timeoutMs, roundTripMs);
        if (lane.waitMs(lease.id, now, usualMs) <= inTimeMs) break;
        if (lease.phase !== 'deferred') continue;
        this.overtaken += 1;
        if (lease.attempts < this.#maxRetries) this.#postpone(lease, now, trimmed, usualMs);
      }
    }
    this.#lengthened.clear();
    this.#arrangeTouched(now);
    return trimmed;
  }

  /** Gives a deferred one back for about as long as it would have to wait. */
  #postpone(lease: Lease, now: number, trimmed: MutableTrimmed, usualMs: number): void {
    const lane = this.#lanes.order === 'any' ? undefined : this.#lanes.get(lease.key);
    if (lane !== undefined) {
      const waitMs = lane.waitMs(lease.id, now, usualMs);
      // Rather too early, since it can wait here; but its last lease must not run out before it is its turn.
      const aimMs = lease.attempts < this.#maxRetries ? waitMs - budgetMs(lease.batch.timeoutMs, 0) / 2 : 2 * waitMs;
      const seconds = Math.max(Math.ceil(aimMs / 1_000), 2 ** (lease.attempts - 1));
      lease.delaySeconds = Math.min(seconds, longestDelaySeconds);
    }
    this.#leave(lease, now, trimmed);
  }

  #trimBatch(index: number, now: number, trimmed: MutableTrimmed): void {
    const [batch] = this.#startable.splice(index, 1);
    for (const lease of batch?.leases ?? []) {
      if (batch !== undefined && stands(lease, batch) && !this.#isLastAttempt(lease)) this.#leave(lease, now, trimmed);
    }
  }

  /** Takes out of the buffer what may come again: a last attempt stays. */
  shed(now: number): Trimmed {
    const { released, dropped } = this.#shed(now);
    // Come again at once, they would only go to others that fail as well.
    return { released: [], postponed: released, dropped };
  }

  #shed(now: number): Trimmed {
    const trimmed = emptyTrimmed();
    while (this.#startable.length > 0) this.#trimBatch(0, now, trimmed);
    for (const lease of this.suspects.filter((each) => !this.#isLastAttempt(each))) {
      this.#hurryNoMore(lease);
      this.#leave(lease, now, trimmed);
    }
    this.#arrangeTouched(now);
    return trimmed;
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
    this.#defer(lease);
  }

  /** Those that are kept, the longest first. */
  get kept(): readonly Lease[] {
    return this.#deferred.size === 0 ? [] : [...this.#deferred].filter(({ isKept }) => isKept);
  }

  /** Has a kept message wait for a handler again. */
  revive(lease: Lease): void {
    this.#undefer(lease);
  }

  /** Takes a kept message out, which is settled after all: its handler counts as one that has ended. */
  takeKept(lease: Lease): void {
    if (!this.#deferred.delete(lease)) this.#hurryNoMore(lease);
    this.#unbuffer(lease);
    lease.phase = 'started';
    lease.isParked = true;
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
    const lane = this.#lanes.get(lease.key);
    const isInItsWay = lane !== undefined && this.#leaveLane(lane, lease, now);
    if (lease.deadline <= now) trimmed.dropped.push(lease);
    else if (wasDeferred && (isInItsWay || lease.isKept || lease.delaySeconds !== undefined))
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

  /** Gives whether the handler of its earlier delivery still runs. */
  #leaveLane(lane: Lane, lease: Lease, now: number): boolean {
    const entry = lane.find(lease.id);
    if (entry === undefined) return false;
    const { running } = entry;
    entry.waiting = undefined;
    entry.isSetAside = true;
    if (lane.head === lease) lane.head = undefined;
    this.#touched.add(lane);
    // A delivery that comes now has to wait for that handler as well.
    if (running !== undefined) this.#known.hold(running);
    else this.#expect(lane, entry, lease, lease.deadline <= now ? now : now + 1_000 * (lease.delaySeconds ?? 0));
    return running !== undefined;
  }

  /** Has those after a message wait for it, if it comes again. */
  #expect(lane: Lane, entry: LaneEntry, lease: Lease, at: number): void {
    if (this.#lanes.order === 'any' || this.#isLastAttempt(lease)) this.#lanes.remove(lane, entry);
    else this.#lanes.expect(lane, entry, at);
  }

  /**
   * Takes out of the buffer the newer delivery of a message that was given up when its lease ended and is finished now:
   * to be acknowledged, not delivered. Where it is started or finished itself, whichever settlement comes second finds
   * no lease, and the message acknowledged by the other.
   */
  takeNewer(lease: Lease, now: number): Lease | undefined {
    const newer = this.#known.get(lease.id, lease.hash);
    if (newer === undefined) return undefined;
    const lane = newer === 'done' ? undefined : this.#lanes.get(newer.key);
    const entry = lane?.find(lease.id);
    const isNext = newer !== 'done' && entry?.waiting === newer && entry.running === undefined;
    const isWaiting = isNext || (newer !== 'done' && newer.phase === 'deferred' && newer.isKept);
    if (newer === 'done' || (newer.phase !== 'buffered' && !isWaiting)) {
      (newer === 'done' ? lease : newer).mayBeSettled = true;
      return undefined;
    }
    if (newer.phase === 'buffered') this.#hurryNoMore(newer);
    this.#deferred.delete(newer);
    this.#end(newer);
    if (lane === undefined || entry === undefined) return newer;
    if (lane.head === newer) lane.head = undefined;
    this.#lanes.remove(lane, entry);
    this.#arrange(lane, now);
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
  finish(lease: Lease, now: number): void {
    if (lease.phase !== 'started') return;
    if (!lease.isParked) this.running.remove(lease);
    this.ended += 1;
    if (lease.settledAs === 'retry') this.#survived.add(lease);
    lease.phase = 'over';
    if (lease.settledAs === undefined) lease.batch.open -= 1;
    // An acknowledged one is known as finished by now.
    if (lease.settledAs !== 'ack') this.#known.release(lease);
    if (lease.key !== undefined) this.#finishInLane(lease, now);
  }

  #finishInLane(lease: Lease, now: number): void {
    const lane = this.#lanes.get(lease.key);
    const entry = lane?.find(lease.id);
    if (lane === undefined || entry?.running !== lease) return;
    lane.finish(entry, now - lease.startedAt);
    this.overtaken = Math.max(0, this.overtaken - 0.05);
    if (entry.waiting === undefined) {
      const isRetried = lease.settledAs === 'retry' && lease.deadline > now;
      const at = isRetried ? now + 1_000 * (lease.delaySeconds ?? 0) : Math.max(now, lease.deadline);
      if (at - now <= longestWaitMs && lease.settledAs !== 'ack') this.#expect(lane, entry, lease, at);
      else this.#lanes.remove(lane, entry);
    }
    this.#arrange(lane, now);
  }

  /** It is known what became of a retry: its message comes again after its delay, or when its lease ends. */
  expectAgain(lease: Lease, isRetried: boolean, now: number): void {
    const lane = this.#lanes.get(lease.key);
    const entry = lane?.find(lease.id);
    if (lane === undefined || entry === undefined || entry.waiting !== undefined || entry.running !== undefined) return;
    const at = isRetried ? now + 1_000 * (lease.delaySeconds ?? 0) : Math.max(entry.at, lease.deadline);
    this.#expect(lane, entry, lease, at);
  }

  /**
   * Waits no longer for messages that should have come again. Gives whether one is due now.
   *
   * @param lookedAt - when the last pull was sent that was answered; `-Infinity` while nobody can look
   */
  endWaits(now: number, roundTripMs: number, lookedAt: number): boolean {
    const patienceMs = Math.max(patience.leastMs, patience.roundTrips * roundTripMs);
    for (const lane of this.#lanes.endWaits(now, patienceMs, lookedAt)) this.#arrange(lane, now);
    return this.dueSince === now;
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
