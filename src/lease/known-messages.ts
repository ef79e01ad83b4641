import { HeldLeases } from './held-leases.ts';
import type { Lease } from './lease.ts';
import { RecentIds } from './recent-ids.ts';

/** Which messages are held, and which were the last to be finished. */
export class KnownMessages {
  readonly #held = new HeldLeases();
  readonly #capacity: number;
  /** Made with the first: its tables are larger than all else of a consumer that has nothing to do. */
  #finished: RecentIds | undefined = undefined;

  /** @param capacity - how many finished ones are remembered */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * The newest lease of a held message, `'done'` for a finished one.
   *
   * @param hash - the id's
   */
  get(id: string, hash: number): Lease | 'done' | undefined {
    return this.#held.get(id, hash) ?? (this.#finished?.has(id, hash) === true ? 'done' : undefined);
  }

  /** Notes that a message is held by a lease. */
  hold(lease: Lease): void {
    this.#held.set(lease);
  }

  /** Notes that a message is finished, so that it is recognised when it comes again. */
  finish({ id, hash }: Lease): void {
    this.#held.delete(id, hash);
    this.#finished ??= new RecentIds(this.#capacity);
    this.#finished.add(id, hash);
  }

  /** Forgets a message that is not held any more, unless it is finished or held by another lease. */
  release(lease: Lease): void {
    if (this.#held.get(lease.id, lease.hash) === lease) this.#held.delete(lease.id, lease.hash);
  }
}
