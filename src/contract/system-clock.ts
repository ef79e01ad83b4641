import type { Clock, Timer } from './clock.ts';

// setTimeout takes a signed 32-bit delay and fires at once beyond it.
const maxTimeoutMs = 2 ** 31 - 1;

/** What `setTimeout` and `setImmediate` give back: an object on Node and Bun, a number elsewhere. */
type Handle = number | { ref?(): unknown; unref?(): unknown };

interface Runtime {
  readonly setTimeout: (callback: () => void, delayMs: number) => Handle;
  readonly clearTimeout: (handle: Handle) => void;
  readonly setImmediate?: (callback: () => void) => Handle;
  readonly clearImmediate?: (handle: Handle) => void;
  /** The edge runtime of Next.js, whose `setImmediate` is there and throws. */
  readonly EdgeRuntime?: string;
}

class SystemTimer implements Timer {
  #handle: Handle | undefined;
  #clear: (handle: Handle) => void = () => undefined;
  #refed = true;

  constructor(callback: () => void, delayMs: number) {
    this.#start(callback, delayMs);
  }

  #start(callback: () => void, delayMs: number): void {
    // What is global now, so that a test that fakes timers moves this clock, too; and what set a timer clears it, since
    // that may be another by then.
    const runtime = globalThis as unknown as Runtime;
    const { setTimeout, clearTimeout, setImmediate, clearImmediate } = runtime;
    this.#clear = clearTimeout;
    if (delayMs <= 0 && setImmediate && clearImmediate && runtime.EdgeRuntime === undefined) {
      this.#clear = clearImmediate;
      this.#handle = setImmediate(() => this.#fire(callback));
    } else if (delayMs > maxTimeoutMs) {
      this.#handle = setTimeout(() => this.#start(callback, delayMs - maxTimeoutMs), maxTimeoutMs);
    } else {
      this.#handle = setTimeout(() => this.#fire(callback), Math.ceil(delayMs));
    }
    if (!this.#refed) this.unref();
  }

  #fire(callback: () => void): void {
    this.#handle = undefined;
    callback();
  }

  cancel(): void {
    if (this.#handle === undefined) return;
    const clear = this.#clear;
    clear(this.#handle);
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
