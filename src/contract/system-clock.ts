import type { Clock, Timer } from './clock.ts';

// setTimeout takes a signed 32-bit delay and fires at once beyond it.
const maxTimeoutMs = 2 ** 31 - 1;

/** What `setTimeout` and `setImmediate` give back: an object on Node and Bun, a number elsewhere. */
type Handle = number | { ref?(): unknown; unref?(): unknown };

interface Runtime {
  setTimeout(callback: () => void, delayMs: number): Handle;
  clearTimeout(handle: Handle): void;
  setImmediate?(callback: () => void): Handle;
  clearImmediate?(handle: Handle): void;
}

const runtime = globalThis as unknown as Runtime;

class SystemTimer implements Timer {
  #handle: Handle | undefined;
  #immediate = false;
  #refed = true;

  constructor(callback: () => void, delayMs: number) {
    this.#start(callback, delayMs);
  }

  #start(callback: () => void, delayMs: number): void {
    if (delayMs <= 0 && runtime.setImmediate && runtime.clearImmediate) {
      this.#immediate = true;
      this.#handle = runtime.setImmediate(() => this.#fire(callback));
    } else if (delayMs > maxTimeoutMs) {
      this.#handle = runtime.setTimeout(() => this.#start(callback, delayMs - maxTimeoutMs), maxTimeoutMs);
    } else {
      this.#handle = runtime.setTimeout(() => this.#fire(callback), Math.ceil(delayMs));
    }
    if (!this.#refed) this.unref();
  }

  #fire(callback: () => void): void {
    this.#handle = undefined;
    callback();
  }

  cancel(): void {
    if (this.#handle === undefined) return;
    if (this.#immediate) runtime.clearImmediate?.(this.#handle);
    else runtime.clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  ref(): void {
    this.#refed = true;
    if (typeof this.#handle === 'object') this.#handle.ref?.();
  }

  unref(): void {
    this.#refed = false;
    if (typeof this.#handle === 'object') this.#handle.unref?.();
  }
}

/** The clock of the machine: `Date`, `performance` and `setTimeout`. The default of every `clock` option. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (callback, delayMs) => new SystemTimer(callback, delayMs),
};
