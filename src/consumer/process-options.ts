import { errorOf, watch } from '../contract/callback.ts';
import { checkInteger, checkNumber, rule } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import { type ConsumeOptions, type ResolvedConsumeOptions, resolveConsumeOptions } from './consume-options.ts';
import type { LeasedMessage } from './leased-message.ts';

/** How long until a failed message is delivered again, in seconds: always the same, or judged for each. */
export type RetryDelay<Body> = number | ((message: LeasedMessage<Body>, error: unknown) => number);

/** How `process` runs handlers. */
export interface ProcessOptions<Body = unknown> extends Omit<ConsumeOptions, 'settle' | 'minInFlight'> {
  /**
   * How many handlers run at once, 1 to `maxInFlight`.
   *
   * @defaultValue 10
   */
  readonly concurrency?: number;
  /**
   * The delay of a message whose handler failed, in seconds, a whole number from 0 to 86 400, or a function that gives a
   * number, which is rounded, to 1 at least if it is above 0, and brought to the nearer bound where it lies outside. When
   * it gives none or fails, the default applies, and the event `callbackFailed` says why.
   *
   * @defaultValue `min(300, 2^attempts)`, of which the last half is drawn at random
   */
  readonly retryDelaySeconds?: RetryDelay<Body>;
  /**
   * How long a handler may take, in milliseconds, 1 or more. Then its message's signal aborts, with a `QueueError` of code
   * `timeout`, the message is retried as after a failure, and its place is free, although nobody can end a handler that does
   * not heed the signal: it may run on beside `concurrency` others, and beside the next one for its message.
   *
   * @defaultValue no limit: work that goes on is told by the event `overdue` when its lease ends
   */
  readonly handlerTimeoutMs?: number;
}

/** {@link ProcessOptions} with every default filled in. */
export interface ResolvedProcessOptions<Body> extends ResolvedConsumeOptions {
  readonly concurrency: number;
  readonly retryDelaySeconds: RetryDelay<Body> | undefined;
  readonly handlerTimeoutMs: number | undefined;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveProcessOptions<Body>(options: ProcessOptions<Body> = {}): ResolvedProcessOptions<Body> {
  const resolved = resolveConsumeOptions(options, 'auto');
  const { concurrency = Math.min(10, resolved.maxInFlight), retryDelaySeconds, handlerTimeoutMs } = options;
  checkConcurrency(concurrency, resolved);
  checkRetryDelay(retryDelaySeconds);
  checkHandlerTimeout(handlerTimeoutMs);
  return { ...resolved, concurrency, retryDelaySeconds, handlerTimeoutMs };
}

/**
 * Checks how many handlers work at once.
 *
 * @param bounds - what the messages in hand must fit in, and how many a handler takes where it takes batches
 */
export function checkConcurrency(
  concurrency: number,
  { maxInFlight, size }: { readonly maxInFlight: number; readonly size?: number },
): void {
  const [action, bound] = size === undefined ? ['process', ''] : ['process batches', " / 'size'"];
  checkInteger(action, 'concurrency', concurrency, [1, Infinity]);
  const most = Math.floor(maxInFlight / (size ?? 1));
  if (concurrency > most)
    throw new RangeError(rule(action, 'concurrency', `at most 'maxInFlight'${bound}, ${most}`, concurrency));
}

/** Checks how long a handler may take. */
export function checkHandlerTimeout(handlerTimeoutMs: number | undefined): void {
  if (handlerTimeoutMs !== undefined) checkNumber('process', 'handlerTimeoutMs', handlerTimeoutMs, [1, Infinity]);
}

/** Checks a delay that was given as an option. */
export function checkRetryDelay(retryDelaySeconds: unknown): void {
  if (typeof retryDelaySeconds === 'number') {
    checkInteger('process', 'retryDelaySeconds', retryDelaySeconds, [0, limits.delaySeconds]);
  } else if (retryDelaySeconds !== undefined && typeof retryDelaySeconds !== 'function') {
    throw new TypeError(rule('process', 'retryDelaySeconds', 'a number or a function', retryDelaySeconds));
  }
}

/**
 * The delay that the options give to a failed message; `undefined` for the default, also when they fail to.
 *
 * @param onFailure - is told why they do
 */
export function judgeDelay<Body>(
  retryDelaySeconds: RetryDelay<Body> | undefined,
  message: LeasedMessage<Body>,
  error: unknown,
  onFailure: (failure: unknown) => void,
): number | undefined {
  if (typeof retryDelaySeconds !== 'function') return retryDelaySeconds;
  try {
    const given: unknown = retryDelaySeconds(message, error);
    watch(given);
    if (typeof given !== 'number' || Number.isNaN(given)) {
      throw new TypeError(rule('retry', 'retryDelaySeconds()', 'a number', given));
    }
    // Jitter gives fractions, and growth leaves the range: everybody's do.
    return given > 0 ? Math.min(Math.max(1, Math.round(given)), limits.delaySeconds) : 0;
  } catch (failure) {
    onFailure(errorOf('retryDelaySeconds()', failure));
    return undefined;
  }
}
