import { rule } from './check-options.ts';
import type { Clock, Timer } from './clock.ts';
import { onAbort } from './on-abort.ts';
import { QueueError } from './errors.ts';
import type { CallOptions } from './transport.ts';

/** A call, and what keeps it in bounds. */
export interface BoundedCall<Result> {
  /** What it does, as its errors say. */
  readonly action: string;
  readonly clock: Clock;
  readonly options: CallOptions | undefined;
  /** @param bounds - whose signal aborts at the end of the call */
  readonly work: (bounds: { readonly signal: AbortSignal }) => Promise<Result>;
  /** What the call rejects with where the work failed by itself. */
  readonly failureOf: (error: unknown) => QueueError;
}

/**
 * Makes a call that ends by the caller's signal or by the clock, whether or not the work listens to them.
 *
 * @throws the signal's reason when aborted; QueueError `timeout`; RangeError when `timeoutMs` is not a positive number
 */
export async function callWithin<Result>(call: BoundedCall<Result>): Promise<Result> {
  const { action, clock, options = {}, work, failureOf } = call;
  const { signal, timeoutMs = Infinity } = options;
  signal?.throwIfAborted();
  if (!(timeoutMs > 0)) {
    throw new RangeError(rule(action, 'timeoutMs', 'above 0', timeoutMs));
  }
  const bounds = new CallBounds(clock, signal, timeoutMs);
  try {
    return await bounds.race(() => work(bounds));
  } catch (error) {
    signal?.throwIfAborted();
    throw bounds.timedOut ? timeoutFailure(action, timeoutMs) : failureOf(error);
  } finally {
    bounds.release();
  }
}

/**
 * The end of one call. Linked by hand, as `AbortSignal.any` and `.timeout` hold on to a long-lived signal on Node 20.
 */
class CallBounds {
  timedOut = false;
  #controller: AbortController | undefined;
  readonly #clock: Clock;
  readonly #unheed: (() => void) | undefined;
  readonly #timeoutMs: number;
  #timer: Timer | undefined;
  #reject: (() => void) | undefined;

  constructor(clock: Clock, signal: AbortSignal | undefined, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#unheed = signal && onAbort(signal, this.#end);
  }

  /** For a fetch, which adds listeners of its own: one signal a call, gone with it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Gives what the work gives, and rejects when the call is over before. */
  race<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work().then(resolve, reject);
      // After the work has begun: its own timer for the same time, if it has one, goes first.
      this.#limit();
    });
  }

  #limit(): void {
    if (this.#timeoutMs === Infinity) return;
    this.#timer = this.#clock.setTimer(() => {
      this.timedOut = true;
      this.#end();
    }, this.#timeoutMs);
  }

  /** To be called when the answer is there: an object of this age would keep it from being collected with the young. */
  release(): void {
    this.#reject = undefined;
    this.#timer?.cancel();
    this.#unheed?.();
  }

  readonly #end = (): void => {
    this.#controller?.abort();
    this.#reject?.();
  };
}

function timeoutFailure(action: string, timeoutMs: number): QueueError {
  return new QueueError(`Cannot ${action}: no whole answer within ${timeoutMs} ms.`, { code: 'timeout' });
}
