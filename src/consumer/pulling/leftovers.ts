/**
 * Until when the service may have something leased to a consumer that the consumer has let go without giving it back: what
 * it dropped or abandoned, what a settlement or the answer to a pull was lost of. It can't come again before, so that no
 * pull sent earlier tells whether the queue is empty.
 */
export class Leftovers {
  #leasesEndAt = -Infinity;
  #slowestMs = 0;

  /** The steady time at which a pull tells. */
  get until(): number {
    // The service counts a lease from the moment at which it gave the answer.
    return this.#leasesEndAt + this.#slowestMs;
  }

  /** Notes something let go, and when its lease ends by the consumer's own count. */
  note(leaseEndsAt: number): void {
    this.#leasesEndAt = Math.max(this.#leasesEndAt, leaseEndsAt);
  }

  /** Notes how long the answer to a pull took. */
  observe(tookMs: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
  }
}
