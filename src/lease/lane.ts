import type { Lease } from './lease.ts';

/** One message of a lane: waiting to be started, in its handler, both where it came again meanwhile, or expected again. */
export interface LaneEntry {
  readonly id: string;
  readonly timestampMs: number;
  /** The delivery that waits to be started. */
  waiting: Lease | undefined;
  /** The delivery whose handler runs. */
  running: Lease | undefined;
  /** Where it is neither: when it comes again, and once it is due, until when it is waited for. */
  at: number;
  isDue: boolean;
  /** Since when that is known. */
  dueAt: number;
  /** It is waited for once more, because nobody could look. */
  isExtended: boolean;
  /** It was given back unstarted, rather than after its handler. */
  isSetAside: boolean;
}

/** Messages that are started one after the other, in the order of the queue: by their timestamps, then as they came. */
export class Lane {
  readonly key: string;
  readonly #isExclusive: boolean;
  readonly #entries: LaneEntry[] = [];
  #running = 0;
  /** The one that may be started. */
  head: Lease | undefined = undefined;
  /** How long its handlers take, in milliseconds: the last one, or half of the one before. */
  #tookMs = 0;

  /** @param isExclusive - whether none is started while another of it is in its handler */
  constructor(key: string, isExclusive: boolean) {
    this.key = key;
    this.#isExclusive = isExclusive;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The entry of a message, a new one where it has none. */
  entryOf(id: string, timestampMs: number): LaneEntry {
    const existing = this.find(id);
    if (existing !== undefined) return existing;
    const nothing = {
      waiting: undefined,
      running: undefined,
      at: Infinity,
      isDue: false,
      dueAt: Infinity,
      isExtended: false,
      isSetAside: false,
    };
    const entry: LaneEntry = { id, timestampMs, ...nothing };
    let index = this.#entries.length;
    while (index > 0 && (this.#entries[index - 1]?.timestampMs ?? 0) > timestampMs) index -= 1;
    this.#entries.splice(index, 0, entry);
    return entry;
  }

  find(id: string): LaneEntry | undefined {
    return this.#entries.find((entry) => entry.id === id);
  }

  remove(entry: LaneEntry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  /** Its handler starts, or was started before it had a lane. */
  start(entry: LaneEntry, lease: Lease): void {
    if (entry.waiting === lease) entry.waiting = undefined;
    entry.running = lease;
    entry.isSetAside = false;
    this.#running += 1;
    this.head = undefined;
  }

  finish(entry: LaneEntry, tookMs: number): void {
    entry.running = undefined;
    this.#running -= 1;
    this.#tookMs = Math.max(tookMs, this.#tookMs / 2);
  }

  /**
   * The one that may be started: the oldest, unless an older one is expected again. On its last attempt a message waits
   * for none that is, and when the end of its lease is near it goes before older ones, too: it would be gone.
   */
  next(now: number, isLastAttempt: (lease: Lease) => boolean): Lease | undefined {
    if (this.#isExclusive && this.#running > 0) return undefined;
    let isOpen = true;
    let next: Lease | undefined;
    for (const { waiting, running } of this.#entries) {
      if (waiting === undefined || running !== undefined) {
        // Where it is not exclusive, one that runs is in nobody's way but its own.
        if (waiting !== undefined || running === undefined) isOpen = false;
        continue;
      }
      const isLast = isLastAttempt(waiting);
      if (isLast && waiting.deadline - now < waiting.batch.timeoutMs / 4) return waiting;
      if (isOpen || isLast) next ??= waiting;
    }
    return next;
  }

  /** How many can be started one after the other, where nothing comes in between. */
  get ready(): number {
    let ready = 0;
    for (const { waiting, running } of this.#entries) {
      if (waiting !== undefined && running === undefined) ready += 1;
      else if (waiting !== undefined || running === undefined) break;
    }
    return ready === 0 && this.head !== undefined ? 1 : ready;
  }

  /** Those that wait, the youngest first. */
  waiting(): readonly Lease[] {
    return this.#entries.flatMap(({ waiting }) => waiting ?? []).toReversed();
  }

  /** How long a message has to wait for those before it, in milliseconds. */
  waitMs(id: string, now: number, usualMs: number): number {
    let eachMs = Math.max(usualMs, this.#tookMs);
    let waitMs = 0;
    for (const { id: before, at, waiting, running, isSetAside } of this.#entries) {
      if (before === id) break;
      const ageMs = running === undefined ? 0 : now - running.startedAt;
      if (waiting === undefined && running === undefined && !isSetAside) waitMs = Math.max(waitMs, at - now);
      // What has taken longer than usual may take as long again, and so may the others.
      const isLong = ageMs >= eachMs;
      eachMs = Math.max(eachMs, ageMs);
      waitMs += isLong ? eachMs : eachMs - ageMs;
    }
    return waitMs;
  }
}
