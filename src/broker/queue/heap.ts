/** What a {@link Heap} holds. The heap writes `heapIndex`; an item is in one heap at a time. */
export interface HeapItem {
  /** Sorts first. Must not change while the item is in the heap. */
  dueAt: number;
  /** Breaks ties, the lower one first. */
  readonly sequence: number;
  heapIndex: number;
}

// Children of an item: half the depth of a binary heap, and of the memory that a large one has to look at.
const arity = 4;

/** A heap by `dueAt`, then `sequence`, from which any item can be taken out in O(log n). */
export class Heap<Item extends HeapItem> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The first item; it stays in the heap. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Takes out an item that is in this heap. */
  remove(item: Item): void {
    const index = item.heapIndex;
    const last = this.#items.pop();
    item.heapIndex = -1;
    if (last === undefined || last === item) return;
    this.#rise(last, index);
    if (last.heapIndex === index) this.#sink(last, index);
  }

  /** The items in no order. The heap must not change meanwhile. */
  values(): Iterable<Item> {
    return this.#items;
  }

  /** The items in order; costs O(k) for the k-th one. The heap must not change meanwhile. */
  *inOrder(): Generator<Item, void, undefined> {
    const first = this.#items[0];
    const frontier = first === undefined ? [] : [first];
    for (;;) {
      const next = takeFirst(frontier);
      if (next === undefined) return;
      yield next;
      const firstChild = arity * next.heapIndex + 1;
      frontier.push(...this.#items.slice(firstChild, firstChild + arity));
    }
  }

  #rise(item: Item, from: number): void {
    let index = from;
    while (index > 0) {
      const above = Math.floor((index - 1) / arity);
      const parent = this.#items[above];
      if (parent === undefined || !isBefore(item, parent)) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(item, index);
  }

  #sink(item: Item, from: number): void {
    let index = from;
    for (;;) {
      const below = this.#earliestChild(index);
      if (below === undefined || !isBefore(below, item)) break;
      const next = below.heapIndex;
      this.#put(below, index);
      index = next;
    }
    this.#put(item, index);
  }

  #earliestChild(index: number): Item | undefined {
    const first = arity * index + 1;
    let earliest = this.#items[first];
    if (earliest === undefined) return undefined;
    for (let child = first + 1; child < first + arity; child += 1) {
      const item = this.#items[child];
      if (item !== undefined && isBefore(item, earliest)) earliest = item;
    }
    return earliest;
  }

  #put(item: Item, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}

function isBefore(a: HeapItem, b: HeapItem): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.sequence < b.sequence);
}

function takeFirst<Item extends HeapItem>(frontier: Item[]): Item | undefined {
  const [head, ...rest] = frontier;
  if (head === undefined) return undefined;
  const first = rest.reduce((least, item) => (isBefore(item, least) ? item : least), head);
  frontier.splice(frontier.indexOf(first), 1);
  return first;
}
