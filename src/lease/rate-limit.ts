import type { Lease } from './lease.ts';
import type { StartLimit } from './start-limit.ts';

/** How many messages may be started in any stretch of time of a length. */
export interface StartRate {
  /** The most starts, a whole number, 1 or more. */
  readonly limit: number;
  /** The length of the stretch in milliseconds, a whole number, 1 or more. */
  readonly perMs: number;
}

/** A rate, and how many messages are started together. */
export interface BatchRate extends StartRate {
  /** 1 or more, at most `limit`. */
  readonly atOnce: number;
}

/** Starts that count as one, for as long as the last of them does. */
interface Bunch {
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

/** How far starts may run ahead of an even pace, or catch up with it, as a share of the stretch. */
const aheadShare = 1 / 10;

/** The time is read to within a millisecond: so much longer are stretches by the readings. */
const grainMs = 1;

/** How many bunches a stretch has at most: what is remembered, and how exactly. */
const mostBunches = 1_000;

/** To how much a time may be wrong that was added up, in milliseconds. */
const roundingMs = 0.001;

/**
 * Starts no more than `limit` in any stretch of `perMs`, wherever it begins: the last `limit` starts are remembered, since
 * a bucket of tokens would let twice as many pass around the moment when it is full. Beside that they are spread evenly, so
 * that leases are short and the service that is asked sees no bursts; a tenth of them may come at once after a pause, or
 * late after something kept the event loop. Messages that are started together, a batch, are let through together.
 */
export class RateLimit implements StartLimit {
  readonly #limit: number;
  readonly #stretchMs: number;
  readonly pauseMs: number;
  readonly #aheadMs: number;
  readonly #toMonotonic: (steadyMs: number) => number;
  /** Oldest first. */
  readonly #bunches: Bunch[] = [];
  #remembered = 0;
  /** When the next one is due at an even pace. */
  #dueAt = -Infinity;

  /**
   * @param toMonotonic - what the monotonic clock shows at a steady time: one that was set forward, or a machine that slept,
   * must not shorten a stretch
   */
  constructor({ limit, perMs, atOnce }: BatchRate, toMonotonic: (steadyMs: number) => number) {
    this.#limit = limit;
    this.#stretchMs = perMs + grainMs;
    this.pauseMs = perMs / limit;
    this.#aheadMs = Math.max(aheadShare * perMs, (atOnce - 1) * this.pauseMs);
    this.#toMonotonic = toMonotonic;
  }

  startable(now: number): number {
    return this.startableWithin(0, now);
  }

  startableWithin(windowMs: number, now: number): number {
    const at = this.#toMonotonic(now);
    this.#forget(at);
    const evenly = this.#aheadMs + windowMs - Math.max(0, this.#dueAt - at);
    const stretches = Math.floor(windowMs / this.#stretchMs);
    const room = (stretches + 1) * this.#limit - this.#countAt(at + windowMs - stretches * this.#stretchMs);
    return Math.max(0, Math.min(room, Math.floor((evenly + roundingMs) / this.pauseMs) + 1));
  }

  nextAt(now: number): number {
    const at = this.#toMonotonic(now);
    const more = this.startable(now) + 1;
    const dueAt = Math.max(this.#dueAt, at);
    const evenAt = dueAt - this.#aheadMs + (more - 1) * this.pauseMs;
    // No pause lets more come at once than that.
    return evenAt > dueAt + roundingMs ? Infinity : now + Math.max(evenAt, this.#roomAt(more)) - at;
  }

  onStarted(_: Lease, now: number): void {
    const at = this.#toMonotonic(now);
    this.#dueAt = Math.max(this.#dueAt, at) + this.pauseMs;
    this.#remembered += 1;
    const last = this.#bunches.at(-1);
    if (last !== undefined && at - last.firstAt < this.#stretchMs / mostBunches) {
      last.lastAt = at;
      last.count += 1;
    } else this.#bunches.push({ firstAt: at, lastAt: at, count: 1 });
  }

  #isOver({ lastAt }: Bunch, at: number): boolean {
    return lastAt + this.#stretchMs <= at + roundingMs;
  }

  #forget(at: number): void {
    for (let [first] = this.#bunches; first !== undefined && this.#isOver(first, at); [first] = this.#bunches) {
      this.#remembered -= first.count;
      this.#bunches.shift();
    }
  }

  /** How many of the starts so far are in the stretch that ends then. */
  #countAt(at: number): number {
    let count = this.#remembered;
    for (const bunch of this.#bunches) {
      if (!this.#isOver(bunch, at)) break;
      count -= bunch.count;
    }
    return count;
  }

  /** When so many may be started together, going by the starts of the last stretch. */
  #roomAt(count: number): number {
    let over = this.#remembered + count - this.#limit;
    if (over <= 0) return -Infinity;
    for (const bunch of this.#bunches) {
      over -= bunch.count;
      if (over <= 0) return bunch.lastAt + this.#stretchMs;
    }
    return Infinity;
  }
}
