import { onAbort } from './on-abort.ts';

/** What tells whether something was aborted. */
export type AbortState = AbortSignal | LazyController;

const key: unique symbol = Symbol('lazyController');

interface Signalled {
  readonly signal?: AbortSignal;
  readonly [key]?: LazyController;
}

// A property like any other for who spreads the options or sets it; and one for all, since a literal with a getter takes as
// long as all else that is done for a call.
const lazily: PropertyDescriptor & ThisType<{ readonly [key]: LazyController }> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[key].signal;
  },
  set(value: unknown) {
    Object.defineProperty(this, 'signal', { value, enumerable: true, configurable: true, writable: true });
  },
};

/** What has been given a lazy signal, itself. A controller that knew its options would keep them, and their body, for long. */
const made = new WeakSet<object>();

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
    for (let [next] = this.#callbacks; next !== undefined; [next] = this.#callbacks) {
      this.#callbacks = this.#callbacks.slice(1);
      next();
    }
  }

  /** Adds the signal, which is made when it is read, to options that are no one else's. */
  addTo<Options extends object>(options: Options): Options & { readonly signal: AbortSignal } {
    Object.defineProperty(options, 'signal', lazily);
    Object.defineProperty(options, key, { value: this, configurable: true });
    made.add(options);
    return options as Options & { readonly signal: AbortSignal };
  }
}

/** The state of a call by its options, without having a signal made where there is none yet. */
export function abortStateOf(options: { readonly signal: AbortSignal }): AbortState;
export function abortStateOf(options: Signalled | undefined): AbortState | undefined;
export function abortStateOf(options: Signalled | undefined): AbortState | undefined {
  if (options === undefined) return undefined;
  // By these very options, as those made of them may have another signal.
  const isLazy = made.has(options) && Object.getOwnPropertyDescriptor(options, 'signal')?.get === lazily.get;
  return isLazy ? options[key] : options.signal;
}

/**
 * Calls back when it aborts, and not where it has.
 *
 * @returns stops listening
 */
export function whenAborted(state: AbortState, callback: () => void): () => void {
  return state instanceof LazyController ? state.onAbort(callback) : onAbort(state, callback);
}
