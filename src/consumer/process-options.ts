import { errorOf, watch } from '../contract/callback.ts';
import { checkInteger, rule } from '../contract/check-options.ts';
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
   * The delay of a message whose handler failed, in seconds, a whole number from 0 to 86 400, or a function that gives
   * one. When the function fails, the default applies, and `lastError` says why.
   *
   * @defaultValue `min(300, 2^attempts)`, of which the last half is drawn at random
   */
  readonly retryDelaySeconds?: RetryDelay<Body>;
}

/** {@link ProcessOptions} with every default filled in. */
export interface ResolvedProcessOptions<Body> extends ResolvedConsumeOptions {
  readonly concurrency: number;
  readonly retryDelaySeconds: RetryDelay<Body> | undefined;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveProcessOptions<Body>(options: ProcessOptions<Body> = {}): ResolvedProcessOptions<Body> {
  const resolved = resolveConsumeOptions(options, 'auto');
  const { concurrency = Math.min(10, resolved.maxInFlight), retryDelaySeconds } = options;
  checkInteger('process', 'concurrency', concurrency, [1, Infinity]);
  if (concurrency > resolved.maxInFlight) {
    throw new RangeError(rule('process', 'concurrency', `at most 'maxInFlight', ${resolved.maxInFlight}`, concurrency));
  }
  checkRetryDelay(retryDelaySeconds);
  return { ...resolved, concurrency, retryDelaySeconds };
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
 * @param met - where a failure of theirs is noted
 */
export function judgeDelay<Body>(
  retryDelaySeconds: RetryDelay<Body> | undefined,
  message: LeasedMessage<Body>,
  error: unknown,
  met: { lastError: unknown },
): number | undefined {
  if (typeof retryDelaySeconds !== 'function') return retryDelaySeconds;
  try {
    const delaySeconds = retryDelaySeconds(message, error);
    watch(delaySeconds);
    checkInteger('retry', 'retryDelaySeconds()', delaySeconds, [0, limits.delaySeconds]);
    return delaySeconds;
  } catch (failure) {
    met.lastError = errorOf('retryDelaySeconds()', failure);
    return undefined;
  }
}
