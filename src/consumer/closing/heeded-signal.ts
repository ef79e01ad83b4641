import { onAbort } from '../../contract/on-abort.ts';

/** A signal of the caller's that ends a consumer, listened to from when the consumer is used. */
export class HeededSignal {
  readonly #signal: AbortSignal | undefined;
  readonly #end: () => void;
  #unheed: (() => void) | undefined;

  constructor(signal: AbortSignal | undefined, end: () => void) {
    this.#signal = signal;
    this.#end = end;
  }

  /** Ends when it aborts, or at once if it has. */
  heed(): void {
    if (this.#signal?.aborted === true) this.#end();
    else if (this.#signal !== undefined) this.#unheed ??= onAbort(this.#signal, this.#end);
  }

  /** Listens no longer. */
  unheed(): void {
    this.#unheed?.();
  }
}
