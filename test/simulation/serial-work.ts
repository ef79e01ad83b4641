import type { Start } from './handler-log.ts';

/** A stretch of work after which a consumer lets the event loop have its turn, and learns what it took, in milliseconds. */
const longestStretchMs = 10;

/** What was started so many times ago counts for next to nothing, whatever mean is made of it. */
const remembered = 24;

/** The share that so many samples have in a mean with gain 1/8. */
const shareOfRemembered = 1 - (7 / 8) ** remembered;

/** Messages that were started together, and kept the event loop as soon as they were. */
interface Started {
  readonly at: number;
  readonly keptMs: number;
  count: number;
}

/** How long messages keep the event loop one after the other, by what their handlers did. */
export class SerialWork {
  readonly #mostMs: number;
  #last: Started | undefined;
  /** Of those before the last: the least of all, and each of the latest, by the message. */
  #leastEver = Infinity;
  #lately: number[] = [];

  /** @param mostMs - counts in place of any longer time */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  note({ at, keptMs }: Start): void {
    const last = this.#last;
    // What keeps the loop moves the time.
    if (last !== undefined && last.at === at && last.keptMs === keptMs) last.count += 1;
    else {
      if (last !== undefined) this.#keep(this.#perMessage(last));
      this.#last = { at, keptMs, count: 1 };
    }
  }

  #keep(ms: number): void {
    this.#leastEver = Math.min(this.#leastEver, ms);
    this.#lately = [...this.#lately.slice(1 - remembered), ms];
  }

  #perMessage({ keptMs, count }: Started): number {
    const allMs = keptMs * count;
    return allMs > longestStretchMs ? Math.min(allMs, this.#mostMs) / count : 0;
  }

  /**
   * What a consumer must take a message to keep the loop for at the least, in milliseconds: as long as each did so far, or
   * nearly as long as each did lately. 0 where not each of them kept it for so long that the consumer had to learn of it.
   */
  get leastMs(): number {
    if (this.#last === undefined) return 0;
    const lastMs = this.#perMessage(this.#last);
    // The first of the latest may have been seen together with what was started before.
    const lately = this.#lately.length < remembered ? 0 : Math.min(lastMs, ...this.#lately);
    return Math.max(Math.min(this.#leastEver, lastMs), shareOfRemembered * lately);
  }
}
