import { rule } from './check-options.ts';
import type { Clock, Timer } from './clock.ts';
import { QueueError } from './errors.ts';
import { type AbortState, abortStateOf, LazyController, whenAborted } from './lazy-controller.ts';
import type { CallOptions } from './transport.ts';

/** A call, and what keeps it in bounds. */
export interface BoundedCall<Result> {
  /** What it does, as its errors say. */
  readonly action: string;
  readonly clock: Clock;
  readonly options: CallOptions | undefined;
  /** @param controller - aborts at the end of the call, unless the work has ended before */
  readonly work: (controller: LazyController) => Promise<Result>;
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
  const { timeoutMs = Infinity } = options;
  const caller = abortStateOf(options);
  caller?.throwIfAborted();
  if (!(timeoutMs > 0)) {
    throw new RangeError(rule(action, 'timeoutMs', 'above 0', timeoutMs));
  }
  const bounds = new CallBounds(clock, caller, timeoutMs);
  try {
    return await bounds.race(work);
  } catch (error) {
    caller?.throwIfAborted();
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
  readonly #controller = new LazyController();
  readonly #clock: Clock;
  readonly #unheed: (() => void) | undefined;
  readonly #timeoutMs: number;
  #timer: Timer | undefined;
  #reject: (() => void) | undefined;

  constructor(clock: Clock, caller: AbortState | undefined, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#unheed = caller && whenAborted(caller, this.#end);
  }

  /** Gives what the work gives, and rejects when the call is over before. */
  race<Result>(work: BoundedCall<Result>['work']): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work(this.#controller).then(resolve, reject);
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
    this.#reject?.();
    this.#controller.abort();
  };
}

function timeoutFailure(action: string, timeoutMs: number): QueueError {
  return new QueueError(`Cannot ${action}: no whole answer within ${timeoutMs} ms.`, { code: 'timeout' });
}
