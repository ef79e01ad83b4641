/** The delay after an empty pull while traffic is recent, in milliseconds. */
const firstDelayMs = 250;

/** How long traffic counts as recent, in milliseconds. */
const recentMs = 5_000;

/**
 * When to ask an empty queue again. Every empty pull is billed, and the backlog that the service reports counts leased
 * and delayed messages, so that only a pull that brought something is a reason to ask again at once.
 */
export class PollSchedule {
  readonly #maxMs: number;
  readonly #random: () => number;
  #delayMs = firstDelayMs;
  #trafficAt = -Infinity;
  /** No pull before this time. */
  notBefore: number = -Infinity;

  /** @param maxMs - the longest delay between two pulls of an idle queue, in milliseconds */
  constructor(maxMs: number, random: () => number) {
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** A pull brought something. */
  onMessages(now: number): void {
    this.#trafficAt = now;
    this.wake();
  }

  /** Something was pushed through the same handle: ask at once. */
  wake(): void {
    this.#delayMs = firstDelayMs;
    this.notBefore = -Infinity;
  }

  /** A pull brought nothing. */
  onEmpty(now: number): void {
    if (now - this.#trafficAt < recentMs) this.#delayMs = firstDelayMs;
    const delayMs = Math.min(this.#delayMs, this.#maxMs);
    this.notBefore = now + delayMs * (0.8 + 0.2 * this.#random());
    this.#delayMs = Math.min(2 * this.#delayMs, this.#maxMs);
  }
}
