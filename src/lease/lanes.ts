import { Lane, type LaneEntry } from './lane.ts';

/** In what order messages are started: any, that of the queue within each key, or that of the queue. */
export type Order = 'any' | 'by key' | 'as queued';

/** How many messages are expected at most: what comes after one more of them does not wait for it. */
const mostExpected = 10_000;

/** Who looks so much later than asked for, in milliseconds, was kept from it. */
const lateMs = 1_000;

/** The lanes that have messages, and which of these are expected to come again. */
export class Lanes {
  readonly order: Order;
  readonly #lanes = new Map<string, Lane>();
  readonly #expected = new Map<LaneEntry, Lane>();
  /** When the first of them is due, or is waited for no longer; or before that. */
  nextAt: number = Infinity;
  /** When one was due last. */
  dueSince: number = -Infinity;
  /** How many of them should have come by now. */
  due = 0;
  /** How many were given back unstarted and can't be pulled yet. */
  setAside = 0;

  constructor(order: Order) {
    this.order = order;
  }

  get(key: string | undefined): Lane | undefined {
    return key === undefined ? undefined : this.#lanes.get(key);
  }

  /** How many the longest one has. */
  get longest(): number {
    let longest = 0;
    for (const { size } of this.#lanes.values()) if (size > longest) longest = size;
    return longest;
  }

  /** The lane of a key, a new one where it has none. */
  of(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key, this.order !== 'as queued');
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  remove(lane: Lane, entry: LaneEntry): void {
    this.cameAgain(entry);
    lane.remove(entry);
    if (lane.isEmpty) this.#lanes.delete(lane.key);
  }

  /** Has those that come later wait for a message until it has come again, at the given time, or should have. */
  expect(lane: Lane, entry: LaneEntry, at: number): void {
    this.cameAgain(entry);
    if (this.#expected.size >= mostExpected) {
      this.remove(lane, entry);
      return;
    }
    entry.at = at;
    entry.isDue = false;
    entry.isExtended = false;
    if (entry.isSetAside) this.setAside += 1;
    this.#expected.set(entry, lane);
    this.nextAt = Math.min(this.nextAt, at);
  }

  /** It is expected no longer. */
  cameAgain(entry: LaneEntry): void {
    if (!this.#expected.delete(entry)) return;
    if (entry.isDue) this.due -= 1;
    else if (entry.isSetAside) this.setAside -= 1;
  }

  /** What was given back does not come in time: those that came since are not to be given back for the sake of it. */
  #forgetSetAside(lane: Lane): void {
    for (const [entry, itsLane] of this.#expected) if (itsLane === lane && entry.isSetAside) this.remove(lane, entry);
  }

  /**
   * Notes what is due, and waits for it no longer than `patienceMs` more, but in any case until somebody has looked.
   *
   * @param lookedAt - when the last pull was sent that was answered; `-Infinity` while nobody can look
   * @returns the lanes of what is waited for no longer
   */
  endWaits(now: number, patienceMs: number, lookedAt: number): ReadonlySet<Lane> {
    const ended = new Set<Lane>();
    if (now < this.nextAt) return ended;
    this.nextAt = Infinity;
    for (const [entry, lane] of this.#expected) {
      // Nobody could look, or ask for it, while nothing was pulled, the event loop was not free or the machine slept: once it
      // has its time again.
      const isUnseen = lookedAt < entry.dueAt;
      const isLate = !entry.isExtended && now - entry.dueAt > patienceMs + lateMs;
      if (entry.isDue && entry.at <= now && (isUnseen || isLate)) {
        entry.isExtended = !isUnseen;
        entry.at = now + patienceMs;
      }
      if (entry.at <= now && entry.isDue) {
        this.remove(lane, entry);
        if (entry.isSetAside) this.#forgetSetAside(lane);
        ended.add(lane);
        continue;
      }
      if (entry.at <= now) {
        entry.isDue = true;
        entry.dueAt = now;
        this.due += 1;
        if (entry.isSetAside) this.setAside -= 1;
        entry.at = now + patienceMs;
        this.dueSince = now;
      }
      this.nextAt = Math.min(this.nextAt, entry.at);
    }
    return ended;
  }
}
