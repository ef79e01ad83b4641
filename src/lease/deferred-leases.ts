import type { Lease } from './lease.ts';

/** Leased messages that wait for another one, or to be tried again: rarely any where no order is kept. */
export class DeferredLeases implements Iterable<Lease> {
  readonly #leases = new Set<Lease>();
  /** When the first lease among them ends, or before that. */
  until: number = Infinity;

  get size(): number {
    return this.#leases.size;
  }

  add(lease: Lease): void {
    lease.phase = 'deferred';
    this.#leases.add(lease);
    this.note(lease);
  }

  /** Heeds when a lease ends. */
  note({ deadline }: Lease): void {
    this.until = Math.min(this.until, deadline);
  }

  /** Gives whether it was there. */
  delete(lease: Lease): boolean {
    return this.#leases.delete(lease);
  }

  /** Those whose work has failed and is tried again, the longest kept first. */
  get kept(): readonly Lease[] {
    return this.size === 0 ? [] : [...this.#leases].filter(({ isKept }) => isKept);
  }

  [Symbol.iterator](): IterableIterator<Lease> {
    return this.#leases.values();
  }
}
