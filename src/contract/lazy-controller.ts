import { onAbort } from './on-abort.ts';

/** What tells whether something was aborted. */
export type AbortState = AbortSignal | LazyController;

const key: unique symbol = Symbol('lazyController');

interface Signalled {
  readonly signal?: AbortSignal;
  readonly [key]?: LazyController;
}

// Of the object's own, so that who spreads the options has it; and one for all, as each getter makes a hidden class.
const lazily: PropertyDescriptor & ThisType<{ readonly [key]: LazyController }> = {
  enumerable: true,
  get() {
    return this[key].signal;
  },
};

/**
 * An abort controller whose signal is made when somebody asks for it. On Node 20 a signal costs more than anything else
 * that is done for a call here, and the garbage collector keeps it, with all that it leads to, beyond the young.
 */
export class LazyController {
  #aborted = false;
  #controller: AbortController | undefined;
  #callbacks: readonly (() => void)[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  get reason(): unknown {
    return this.signal.reason as unknown;
  }

  throwIfAborted(): void {
    if (this.#aborted) this.signal.throwIfAborted();
  }

  onAbort(callback: () => void): () => void {
    this.#callbacks = [...this.#callbacks, callback];
    return () => {
      this.#callbacks = this.#callbacks.filter((other) => other !== callback);
    };
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#controller?.abort();
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
  }

  /** Adds the signal, which is made when it is read, to options that are no one else's. */
  addTo<Options extends object>(options: Options): Options & { readonly signal: AbortSignal } {
    const signalled: object = Object.defineProperty(options, 'signal', lazily);
    // Not enumerable, as a copy may have another signal.
    return Object.defineProperty(signalled, key, { value: this }) as Options & { readonly signal: AbortSignal };
  }
}

/** The state of a call by its options, without having a signal made where there is none yet. */
export function abortStateOf(options: { readonly signal: AbortSignal }): AbortState;
export function abortStateOf(options: Signalled): AbortState | undefined;
export function abortStateOf(options: Signalled): AbortState | undefined {
  return options[key] ?? options.signal;
}

/**
 * Calls back when it aborts, and not where it has.
 *
 * @returns stops listening
 */
export function whenAborted(state: AbortState, callback: () => void): () => void {
  return state instanceof LazyController ? state.onAbort(callback) : onAbort(state, callback);
}
