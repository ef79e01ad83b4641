/** The delay after an empty pull while traffic is recent, in milliseconds. */
const firstDelayMs = 250;

/** How long traffic counts as recent, in milliseconds. */
const recentMs = 5_000;

/**
 * How many pulls that brought less than they asked for are followed by a wait, once one was followed by an empty pull;
 * then it is tried again whether there is more at once.
 */
const waitsBetweenTries = 8;

/**
 * When to ask an empty queue again. Every empty pull is billed, and the backlog that the service reports counts leased
 * and delayed messages, so that only a pull that brought something is a reason to ask again at once. After one that
 * brought less than it asked for there may be more, where the service spreads a queue over several places, or nothing
 * yet, where messages trickle in: the schedule learns which it is.
 */
export class PollSchedule {
  readonly #maxMs: number;
  readonly #random: () => number;
  #delayMs = firstDelayMs;
  #trafficAt = -Infinity;
  /** Waits left after pulls that brought less than they asked for; 0 to ask again at once. */
  #waitsLeft = 0;
  /** The next pull follows at once on one that brought less than it asked for. */
  #isTry = false;
  /** No pull before this time. */
  notBefore: number = -Infinity;

  /** @param maxMs - the longest delay between two pulls of an idle queue, in milliseconds */
  constructor(maxMs: number, random: () => number) {
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /**
   * A pull brought something: as much as it asked for, or less.
   *
   * @param isWoken - it was sent because something was pushed through the same handle: the next push tries for it
   */
  onMessages(now: number, isFull: boolean, isWoken = false): void {
    this.#trafficAt = now;
    this.wake();
    this.#isTry = !isFull && !isWoken && this.#waitsLeft === 0;
    if (isFull) this.#waitsLeft = 0;
    else if (!this.#isTry) {
      if (!isWoken) this.#waitsLeft -= 1;
      this.notBefore = now + this.#jitter(firstDelayMs);
    }
  }

  /**
   * A pull brought what had just been pushed through the same handle, and nothing else. That is no traffic, and where it
   * brought less than it asked for no sign of more: of the next such message a wake will tell.
   */
  onOwn(now: number, isFull: boolean): void {
    this.#isTry = isFull && this.#waitsLeft === 0;
    if (isFull && this.#waitsLeft > 0) this.#waitsLeft -= 1;
    if (this.#isTry) this.notBefore = -Infinity;
    else this.#backOff(now);
  }

  /** A message was given back that comes again in a while: as good as one that came now. */
  onTraffic(now: number): void {
    this.#trafficAt = now;
    this.#delayMs = firstDelayMs;
    this.notBefore = Math.min(this.notBefore, now + firstDelayMs);
  }

  /** There is a reason to ask at once. */
  wake(): void {
    this.#delayMs = firstDelayMs;
    this.notBefore = -Infinity;
  }

  /** A pull brought nothing. */
  onEmpty(now: number): void {
    if (this.#isTry) this.#waitsLeft = waitsBetweenTries;
    this.#isTry = false;
    this.#backOff(now);
  }

  #backOff(now: number): void {
    if (now - this.#trafficAt < recentMs) this.#delayMs = firstDelayMs;
    this.notBefore = now + this.#jitter(Math.min(this.#delayMs, this.#maxMs));
    this.#delayMs = Math.min(2 * this.#delayMs, this.#maxMs);
  }

  #jitter(delayMs: number): number {
    return delayMs * (0.8 + 0.2 * this.#random());
  }
}
