/**
 * The last so many ids that were added, in a table of fixed size.
 *
 * A `Set` would do, at several times the cost: every message is looked up here once and added once, among so many that
 * each look-up in a `Set` waits for the memory.
 */
export class RecentIds {
  readonly #capacity: number;
  /** A ring: the oldest gives its place to the next. */
  readonly #ids: string[] = [];
  readonly #hashes: Int32Array;
  #next = 0;
  /** Open addressing: 0 for nothing, else 1 more than a place in the ring. Small, as each look-up waits for the memory. */
  readonly #slots: Uint16Array;
  readonly #mask: number;

  /** @param capacity - 1 to 65 535 */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#hashes = new Int32Array(capacity);
    // Half full at most, so that little is found on the way to nothing.
    const size = 2 ** Math.ceil(Math.log2(2 * capacity));
    this.#slots = new Uint16Array(size);
    this.#mask = size - 1;
  }

  /** @param hash - the id's */
  has(id: string, hash: number): boolean {
    return this.#slots[this.#find(id, hash)] !== 0;
  }

  /** Adds an id; one that is there stays as old as it is. */
  add(id: string, hash: number): void {
    if (this.#slots[this.#find(id, hash)] !== 0) return;
    const place = this.#next;
    if (place < this.#ids.length) this.#forget(place);
    this.#ids[place] = id;
    this.#hashes[place] = hash;
    this.#next = (place + 1) % this.#capacity;
    // Anew, because what was forgotten may have been in its way.
    this.#slots[this.#find(id, hash)] = place + 1;
  }

  /** The slot of an id, or the empty one where it would go. */
  #find(id: string, hash: number): number {
    let slot = hash & this.#mask;
    for (let entry = this.#at(slot); entry !== 0; entry = this.#at(slot)) {
      if (this.#hashes[entry - 1] === hash && this.#ids[entry - 1] === id) break;
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #at(slot: number): number {
    return this.#slots[slot] ?? 0;
  }

  #forget(place: number): void {
    let empty = (this.#hashes[place] ?? 0) & this.#mask;
    while (this.#at(empty) !== place + 1) empty = (empty + 1) & this.#mask;
    this.#slots[empty] = 0;
    // What follows moves up, unless its own place lies behind the gap: no search may end too early.
    for (let slot = (empty + 1) & this.#mask; this.#at(slot) !== 0; slot = (slot + 1) & this.#mask) {
      const home = (this.#hashes[this.#at(slot) - 1] ?? 0) & this.#mask;
      if (((slot - home) & this.#mask) < ((slot - empty) & this.#mask)) continue;
      this.#slots[empty] = this.#at(slot);
      this.#slots[slot] = 0;
      empty = slot;
    }
  }
}
