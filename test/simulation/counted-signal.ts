import { getEventListeners } from 'node:events';

/** An abort signal that knows how many listeners it has. */
export class CountedSignal {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Added and not removed. */
  get listeners(): number {
    return getEventListeners(this.signal, 'abort').length;
  }

  abort(): void {
    this.#controller.abort();
  }
}
