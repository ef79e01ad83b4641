import { checkRetryDelay, type RetryDelay } from '../consumer/process-options.ts';
import { checkNames } from '../contract/check-names.ts';
import { checkInteger } from '../contract/check-options.ts';

/** How `settleMap` works on messages. */
export interface SettleMapOptions<Body = unknown> {
  /**
   * How many messages are worked on at once, 1 or more.
   *
   * @defaultValue 10
   */
  readonly concurrency?: number;
  /**
   * The delay of a message whose inner observable failed, in seconds, a whole number from 0 to 86 400, or a function
   * that gives one. When the function fails, the default applies, and the consumer's `stats.lastError` says why.
   *
   * @defaultValue `min(300, 2^attempts)`, of which the last half is drawn at random
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly retryDelaySeconds?: RetryDelay<Body>;
}

/** {@link SettleMapOptions} with every default filled in. */
export interface ResolvedSettleMapOptions<Body> {
  readonly concurrency: number;
  readonly retryDelaySeconds: RetryDelay<Body> | undefined;
}

/** @throws TypeError or RangeError that names the option, what it must be, and its value */
export function resolveSettleMapOptions<Body>(options: SettleMapOptions<Body>): ResolvedSettleMapOptions<Body> {
  checkNames('settle', options, { allowed: ['concurrency', 'retryDelaySeconds'] });
  const { concurrency = 10, retryDelaySeconds } = options;
  checkInteger('settle', 'concurrency', concurrency, [1, Infinity]);
  checkRetryDelay(retryDelaySeconds);
  return { concurrency, retryDelaySeconds };
}
