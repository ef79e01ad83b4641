import type { Lease } from './lease.ts';

/** How many buckets there are at first. A power of two, as ever. */
const firstBuckets = 64;

/**
 * The newest lease of each message held, by the message's id: chains through the leases themselves, found by the ids'
 * hashes.
 *
 * A `Map` would do, at several times the cost: every message goes in and out again.
 */
export class HeldLeases {
  size = 0;
  #buckets: Array<Lease | undefined> = emptyBuckets(firstBuckets);

  get(id: string, hash: number): Lease | undefined {
    for (let lease = this.#first(hash); lease !== undefined; lease = lease.heldBefore)
      if (lease.id === id) return lease;
    return undefined;
  }

  /** Adds a lease that is not in it, in place of the one of its message that is. */
  set(lease: Lease): void {
    this.delete(lease.id, lease.hash);
    if (this.size === this.#buckets.length) this.#grow();
    this.#chain(lease);
    this.size += 1;
  }

  /** Takes out the lease of a message, if there is one. */
  delete(id: string, hash: number): void {
    let after: Lease | undefined;
    for (let lease = this.#first(hash); lease !== undefined; lease = lease.heldBefore) {
      if (lease.id === id) {
        if (after === undefined) this.#buckets[this.#bucketOf(hash)] = lease.heldBefore;
        else after.heldBefore = lease.heldBefore;
        // One that somebody holds on to must not hold the others.
        lease.heldBefore = undefined;
        this.size -= 1;
        return;
      }
      after = lease;
    }
  }

  #bucketOf(hash: number): number {
    return hash & (this.#buckets.length - 1);
  }

  #first(hash: number): Lease | undefined {
    return this.#buckets[this.#bucketOf(hash)];
  }

  #chain(lease: Lease): void {
    const bucket = this.#bucketOf(lease.hash);
    lease.heldBefore = this.#buckets[bucket];
    this.#buckets[bucket] = lease;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = emptyBuckets(2 * old.length);
    for (let lease of old) {
      while (lease !== undefined) {
        const next: Lease | undefined = lease.heldBefore;
        this.#chain(lease);
        lease = next;
      }
    }
  }
}

function emptyBuckets(count: number): Array<Lease | undefined> {
  return Array.from({ length: count }, () => undefined);
}
