import type { Lease } from './lease.ts';

/**
 * Which messages are held, and which were finished: at least the last `capacity` finished ones, at most one
 * more than twice as many.
 *
 * One map for both, in two generations in place of a list in order of use, because every message passes through here and
 * each look-up of an id costs.
 */
export class KnownMessages {
  readonly #capacity: number;
  #young = new Map<string, Lease | 'done'>();
  #old = new Map<string, Lease | 'done'>();
  /** How many of the young are finished: what is held must not push them out. */
  #youngFinished = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The newest lease of a held message, `'done'` for a finished one. */
  get(id: string): Lease | 'done' | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  /** Notes that a message is held. */
  hold(id: string, lease: Lease): void {
    this.#young.set(id, lease);
  }

  /** Notes that a message is finished, so that it is recognised when it comes again. */
  finish(id: string): void {
    if (this.#young.get(id) !== 'done') this.#youngFinished += 1;
    this.#young.set(id, 'done');
    if (this.#youngFinished > this.#capacity) this.#age();
  }

  #age(): void {
    const previous = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngFinished = 0;
    // What is held outlives its generation, unless a newer one knows better.
    for (const [oldId, held] of previous) {
      if (held !== 'done' && !this.#old.has(oldId)) this.#young.set(oldId, held);
    }
  }

  /** Forgets a message that is not held any more, unless it is finished or held by another lease. */
  release(id: string, lease: Lease): void {
    if (this.#young.get(id) === lease) this.#young.delete(id);
    if (this.#old.get(id) === lease) this.#old.delete(id);
  }
}
