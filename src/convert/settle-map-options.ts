import type { LeasedMessage } from '../consumer/leased-message.ts';
import { checkRetryDelay, judgeDelay, type RetryDelay } from '../consumer/process-options.ts';
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
   * that gives one. When the function fails, the default applies.
   *
   * @defaultValue `min(300, 2^attempts)`, of which the last half is drawn at random
   */
  readonly retryDelaySeconds?: RetryDelay<Body>;
}

/** @throws TypeError or RangeError that names the option, what it must be, and its value */
export function resolveSettleMapOptions<Body>(options: SettleMapOptions<Body>): {
  readonly concurrency: number;
  /** The delay of a failed message; `undefined` for the default. */
  readonly delayOf: (message: LeasedMessage<Body>, error: unknown) => number | undefined;
} {
  const { concurrency = 10, retryDelaySeconds } = options;
  checkInteger('settle', 'concurrency', concurrency, [1, Infinity]);
  checkRetryDelay(retryDelaySeconds);
  // The consumer behind the messages is not at hand here to note what the function failed with.
  const met = { lastError: undefined };
  return { concurrency, delayOf: (message, error) => judgeDelay(retryDelaySeconds, message, error, met) };
}
