/** Numbers what happens: many things happen at one moment of a manual clock, and their order counts. */
export class Sequence {
  #last = 0;

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}
