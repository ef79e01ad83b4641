import { HandlerTime } from './smoothed.ts';

/**
 * For how long the event loop is not free for each message that is handed out: what its handler computes before it waits
 * for something, and whatever else ran until the loop had its turn again.
 *
 * However many handlers there are, no message is started while the loop is not free. So this bounds how many may wait to be
 * started, beside what the handlers can take side by side.
 */
export class SerialTime {
  readonly #time = new HandlerTime();
  readonly #stalls = new HandlerTime();
  readonly #mostMs: number;
  /** How many messages were handed out, and the loop has had its turn since. */
  handed = 0;

  /** @param mostMs - counts in place of any longer time: a machine that slept did not compute */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** Notes that the loop was not free for so long after so many messages, 1 or more, were handed out. */
  observe(busyMs: number, messages: number): void {
    this.handed += messages;
    const countedMs = Math.min(busyMs, this.#mostMs);
    this.#time.observe(countedMs / messages);
    this.#stalls.observe(countedMs);
  }

  /** The smoothed mean in milliseconds; 0 before the first. */
  get meanMs(): number {
    return this.#time.meanMs;
  }

  /** For how long the event loop is rarely kept from its turn by all that is handed out in between, in milliseconds. */
  get stallMs(): number {
    return this.#stalls.estimateMs;
  }

  /**
   * How many messages can be started one after the other within a time: n of them take n means and four deviations of
   * their sum, which grows with the root of n.
   */
  startableWithin(budgetMs: number): number {
    const { meanMs, deviationMs } = this.#time;
    const root = (2 * budgetMs) / (4 * deviationMs + Math.sqrt(16 * deviationMs ** 2 + 4 * meanMs * budgetMs));
    return Math.floor(root ** 2);
  }
}
