import type { Lease } from './lease.ts';

/** What is handed out, as those see it who only look. */
export interface Running extends Iterable<Lease> {
  readonly size: number;
}

/**
 * Started messages whose handler has not ended, oldest first.
 *
 * A list through the leases themselves, because every message goes in and out again, from anywhere.
 */
export class RunningLeases implements Running {
  size = 0;
  #first: Lease | undefined = undefined;
  #last: Lease | undefined = undefined;

  /** Adds a lease that is not in it. */
  add(lease: Lease): void {
    lease.startedBefore = this.#last;
    if (this.#last === undefined) this.#first = lease;
    else this.#last.startedAfter = lease;
    this.#last = lease;
    this.size += 1;
  }

  /** Takes out a lease that is in it. */
  remove(lease: Lease): void {
    const { startedBefore, startedAfter } = lease;
    if (startedBefore === undefined) this.#first = startedAfter;
    else startedBefore.startedAfter = startedAfter;
    if (startedAfter === undefined) this.#last = startedBefore;
    else startedAfter.startedBefore = startedBefore;
    // One that somebody holds on to must not hold the others.
    lease.startedBefore = undefined;
    lease.startedAfter = undefined;
    this.size -= 1;
  }

  /** The one that was started last. */
  get newest(): Lease | undefined {
    return this.#last;
  }

  *[Symbol.iterator](): IterableIterator<Lease> {
    for (let lease = this.#first; lease !== undefined;) {
      const next: Lease | undefined = lease.startedAfter;
      yield lease;
      lease = next;
    }
  }
}
