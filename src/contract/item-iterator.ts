/**
 * The iterator that a loop reads, which is one to loop over, too. As `AsyncIterableIterator<Item, undefined>`, which
 * compilers before TypeScript 5.6 do not know with two arguments.
 */
export interface ItemIterator<Item> extends AsyncIterator<Item, undefined> {
  /** Gives back itself. */
  [Symbol.asyncIterator](): ItemIterator<Item>;
}
