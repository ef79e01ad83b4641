/** The weight of the newest outcome in the share, once there were as many; fewer count alike. */
const gain = 1 / 64;

/** The share that is assumed at first counts as much as so many outcomes. */
const assumed = 2;

/** No more failures in a row are taken for the usual: what fails longer than that is an accident that has passed. */
const mostInARow = 10;

/** However much succeeds usually, one failure tells no more than if this share did. */
const mostTold = 0.8;

/** Which share of the work succeeds while not everything fails. */
export class UsualSuccess {
  share: number;
  #seen: number = assumed;
  #failed = 0;

  /** @param share - what is assumed at first, from 0 to 1 */
  constructor(share: number) {
    this.share = share;
  }

  /** How unlikely a failure is if all is as usual: the negative logarithm of its probability. */
  get surprise(): number {
    return -Math.log(1 - Math.min(mostTold, this.share));
  }

  /** Work failed: as usual, if other work succeeds soon. */
  fail(): void {
    this.#failed += 1;
  }

  /** What failed last did so while everything did: that is not usual. */
  forget(): void {
    this.#failed = 0;
  }

  /** Other work succeeded: what failed before it did so as usual. */
  confirm(): void {
    for (let left = Math.min(this.#failed, mostInARow); left > 0; left -= 1) this.#observe(0);
    this.#failed = 0;
  }

  succeed(): void {
    this.#observe(1);
  }

  #observe(outcome: 0 | 1): void {
    this.#seen += 1;
    this.share += (outcome - this.share) * Math.max(gain, 1 / this.#seen);
  }
}
