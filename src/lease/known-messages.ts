import type { Lease } from './lease.ts';
import { RecentIds } from './recent-ids.ts';

/** Which messages are held, and which were the last to be finished. */
export class KnownMessages {
  readonly #held = new Map<string, Lease>();
  readonly #capacity: number;
  /** Made with the first: its tables are larger than all else of a consumer that has nothing to do. */
  #finished: RecentIds | undefined = undefined;

  /** @param capacity - how many finished ones are remembered */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The newest lease of a held message, `'done'` for a finished one. */
  get(id: string): Lease | 'done' | undefined {
    return this.#held.get(id) ?? (this.#finished?.has(id) === true ? 'done' : undefined);
  }

  /** Notes that a message is held. */
  hold(id: string, lease: Lease): void {
    this.#held.set(id, lease);
  }

  /** Notes that a message is finished, so that it is recognised when it comes again. */
  finish(id: string): void {
    this.#held.delete(id);
    this.#finished ??= new RecentIds(this.#capacity);
    this.#finished.add(id);
  }

  /** Forgets a message that is not held any more, unless it is finished or held by another lease. */
  release(id: string, lease: Lease): void {
    if (this.#held.get(id) === lease) this.#held.delete(id);
  }
}
