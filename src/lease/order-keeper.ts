import type { DeferredLeases } from './deferred-leases.ts';
import type { Lane, LaneEntry } from './lane.ts';
import { Lanes, type Order } from './lanes.ts';
import type { LeaseBuffer } from './lease-buffer.ts';
import type { Lease } from './lease.ts';
import { budgetMs } from './plan-pull.ts';

/** For how long a message is waited for, once it should have come again, in milliseconds, or for so many round trips. */
const patience = { leastMs: 5_000, roundTrips: 4 };

/** Who retries a message after a longer time, in milliseconds, leaves it to others: those after it do not wait for it. */
const longestWaitMs = 300_000;

/** Sees to it that of each lane just the one message is buffered that may be started, and those after it are deferred. */
export class OrderKeeper {
  readonly #lanes: Lanes;
  readonly #buffer: LeaseBuffer;
  readonly #deferred: DeferredLeases;
  /** Lanes of which something has come or gone. */
  readonly #touched = new Set<Lane>();
  /** Lanes of keys to which an answer has brought something. */
  readonly #lengthened = new Set<Lane>();
  /** How many were given back because too many of their key were there, less a twentieth of those that were handled since. */
  overtaken = 0;

  constructor(order: Order, buffer: LeaseBuffer, deferred: DeferredLeases) {
    this.#lanes = new Lanes(order);
    this.#buffer = buffer;
    this.#deferred = deferred;
  }

  /** Which order it keeps. */
  get kind(): Order {
    return this.#lanes.order;
  }

  /** How many can be started one after the other where the order is that of the queue. */
  get ready(): number {
    return this.#lanes.get('')?.ready ?? 0;
  }

  /** How many were given back unstarted and can't be pulled yet. */
  get setAside(): number {
    return this.#lanes.setAside;
  }

  /** How many of one key there are at most, those at work and those expected again included. */
  get longest(): number {
    return this.kind === 'by key' ? this.#lanes.longest : 0;
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

  /**
   * Puts a message in its lane, if it has one. Where no order is kept, what waits for its own handler does so in a lane of
   * its own.
   *
   * @param running - its retried earlier delivery, whose handler still runs
   */
  join(lease: Lease, { key, timestampMs }: { key?: string; timestampMs: number }, running: Lease | undefined): boolean {
    lease.key = running?.key ?? (this.kind === 'any' ? running && lease.id : key);
    if (lease.key === undefined) return false;
    const lane = this.#lanes.of(lease.key);
    const entry = lane.entryOf(lease.id, timestampMs);
    if (running !== undefined && running.key === undefined) {
      running.key = lane.key;
      lane.start(entry, running);
    }
    this.#lanes.cameAgain(entry);
    entry.waiting = lease;
    this.#deferred.add(lease);
    this.#touched.add(lane);
    if (this.kind === 'by key') this.#lengthened.add(lane);
    return true;
  }

  /** Something about a message has changed. */
  touch({ key }: Lease): void {
    const lane = this.#lanes.get(key);
    if (lane !== undefined) this.#touched.add(lane);
  }

  /** Sees to the lanes of which something has come or gone. */
  arrange(now: number): void {
    // A set that is cleared makes another table, and it is empty nearly always.
    if (this.#touched.size === 0) return;
    for (const lane of this.#touched) this.#arrange(lane, now);
    this.#touched.clear();
  }

  #arrange(lane: Lane, now: number): void {
    const { head } = lane;
    const next = lane.next(now, (lease) => this.#buffer.isLastAttempt(lease));
    if (next === head) return;
    if (head !== undefined) {
      this.#buffer.unline(head);
      this.#deferred.add(head);
    }
    lane.head = next;
    if (next !== undefined) this.undefer(next);
  }

  /** It is a deferred message's turn. */
  undefer(lease: Lease): void {
    this.#deferred.delete(lease);
    lease.phase = 'buffered';
    this.#buffer.rejoin(lease);
  }

  #find({ key, id }: Lease): { readonly lane: Lane; readonly entry: LaneEntry } | undefined {
    const lane = this.#lanes.get(key);
    const entry = lane?.find(id);
    return lane === undefined || entry === undefined ? undefined : { lane, entry };
  }

  /** Its handler starts. */
  start(lease: Lease, now: number): void {
    const found = this.#find(lease);
    if (found === undefined) return;
    found.lane.start(found.entry, lease);
    this.#arrange(found.lane, now);
  }

  /** Its handler has ended. */
  finish(lease: Lease, now: number): void {
    const found = this.#find(lease);
    if (found?.entry.running !== lease) return;
    const { lane, entry } = found;
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

  /** It leaves unstarted. Gives its earlier delivery whose handler still runs. */
  leave(lease: Lease, now: number): Lease | undefined {
    const found = this.#find(lease);
    if (found === undefined) return undefined;
    const { lane, entry } = found;
    const { running } = entry;
    entry.waiting = undefined;
    entry.isSetAside = true;
    if (lane.head === lease) lane.head = undefined;
    this.#touched.add(lane);
    if (running === undefined)
      this.#expect(lane, entry, lease, lease.deadline <= now ? now : now + 1_000 * (lease.delaySeconds ?? 0));
    return running;
  }

  /** Whether a message waits for nothing but its turn. */
  isNext(lease: Lease): boolean {
    const entry = this.#find(lease)?.entry;
    return entry?.waiting === lease && entry.running === undefined;
  }

  /** It is to be started by nobody any more. */
  remove(lease: Lease, now: number): void {
    const found = this.#find(lease);
    if (found === undefined) return;
    const { lane, entry } = found;
    if (lane.head === lease) lane.head = undefined;
    this.#lanes.remove(lane, entry);
    this.#arrange(lane, now);
  }

  /** Has those after a message wait for it, if it comes again. */
  #expect(lane: Lane, entry: LaneEntry, lease: Lease, at: number): void {
    if (this.kind === 'any' || this.#buffer.isLastAttempt(lease)) this.#lanes.remove(lane, entry);
    else this.#lanes.expect(lane, entry, at);
  }

  /** It is known what became of a retry: its message comes again after its delay, or when its lease ends. */
  expectAgain(lease: Lease, isRetried: boolean, now: number): void {
    const found = this.#find(lease);
    if (found === undefined || found.entry.waiting !== undefined || found.entry.running !== undefined) return;
    const { lane, entry } = found;
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

  /** How long a message of a lane has to wait for those before it, in milliseconds. */
  waitMs({ key, id }: Lease, now: number, usualMs: number): number | undefined {
    const lane = this.kind === 'any' ? undefined : this.#lanes.get(key);
    return lane?.waitMs(id, now, usualMs);
  }

  /** Whether an answer has lengthened a lane. */
  get isLengthened(): boolean {
    return this.#lengthened.size > 0;
  }

  /** Of the lanes that an answer has lengthened, what one handler can't start in time, the youngest first. */
  *tooLate(now: number, roundTripMs: number, usualMs: number): Generator<Lease, void> {
    for (const lane of this.#lengthened) {
      for (const lease of lane.waiting()) {
        // Half of it would do for what nobody expected; but what is given back has lost an attempt for certain.
        const inTimeMs = 2 * budgetMs(lease.batch.timeoutMs, roundTripMs);
        if (lane.waitMs(lease.id, now, usualMs) <= inTimeMs) break;
        if (lease.phase !== 'deferred') continue;
        this.overtaken += 1;
        yield lease;
      }
    }
    this.#lengthened.clear();
  }
}
