import { errorOf, watch } from '../contract/callback.ts';
import { checkFunction, checkInteger, checkNumber, rule } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import type { ConsumeOptions, ResolvedConsumeOptions } from './consume-options.ts';
import type { LeasedMessage } from './handing-out/leased-message.ts';
import type { KeyedMessage, KeyOf, Order } from './intake/message-key.ts';
import { resolveConsumeOptions } from './resolve-consume-options.ts';

/** How long until a failed message is delivered again, in seconds: always the same, or judged for each. */
export type RetryDelay<Body> = number | ((message: LeasedMessage<Body>, error: unknown) => number);

/** How `process` runs handlers. */
export interface ProcessOptions<Body = unknown> extends Omit<ConsumeOptions, 'settle' | 'minInFlight'> {
  /**
   * How many handlers run at once, 1 to `maxInFlight`; 1 with `ordered`.
   *
   * @defaultValue 10, or 1 with `ordered`
   */
  readonly concurrency?: number;
  /**
   * Gives the key of a message, a string: messages of one key are handled one after the other, in the order of the queue, by
   * their timestamps, then as they came; those of others side by side. A message of which it gives none, or throws, is
   * invalid: `onInvalid` decides.
   *
   * - As with `ordered`, but within its key, later messages wait for an earlier one that is retried.
   * - What waits for its key is leased. A key has no more waiting than one handler can start in time; what is beyond, or waits
   *   for too long, is given back for about as long as it would have to wait. That costs an attempt, so let `max_retries` be
   *   3 or more. A message is not given back on its last attempt.
   * - To reach the messages of other keys, up to ten times `concurrency` are pulled that have to wait; once as many had to be
   *   given back, no more than can wait are: others come later then, but a long backlog of one key costs few attempts.
   *
   * @defaultValue none: messages are handled side by side
   */
  readonly key?: (message: KeyedMessage<Body>) => string;
  /**
   * The delay of a message whose handler failed, in seconds, a whole number from 0 to 86 400, or a function that gives a
   * number, which is rounded, to 1 at least if it is above 0, and brought to the nearer bound where it lies outside. When
   * it gives none or fails, the default applies, and the event `callbackFailed` says why.
   *
   * @defaultValue `min(300, 2^attempts)`, of which the last half is drawn at random
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly retryDelaySeconds?: RetryDelay<Body>;
  /**
   * How long a handler may take, in milliseconds, 1 or more. Then its message's signal aborts, with a `QueueError` of code
   * `timeout`, the message is retried as after a failure, and its place is free, although nobody can end a handler that does
   * not heed the signal: it may run on beside `concurrency` others, and beside the next one for its message, or its key.
   *
   * @defaultValue no limit: work that goes on is told by the event `overdue` when its lease ends
   */
  readonly handlerTimeoutMs?: number;
}

/** The names of what is said of handlers, whatever they take. */
export const handlerOptions: readonly string[] = ['concurrency', 'retryDelaySeconds', 'handlerTimeoutMs'];

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
  const resolved = resolveConsumeOptions(options, { settle: 'auto', others: ['key', ...handlerOptions] });
  const { order } = resolved;
  const usual = order === undefined ? 10 : 1;
  const { concurrency = Math.min(usual, resolved.maxInFlight), key, retryDelaySeconds, handlerTimeoutMs } = options;
  checkConcurrency(concurrency, resolved);
  checkInOrder('process', order, concurrency);
  if (key !== undefined) checkFunction('process', 'key', key);
  if (key !== undefined && order !== undefined) {
    throw new TypeError(rule('process', 'ordered', "left out with 'key', which keeps the order of each key", true));
  }
  checkRetryDelay(retryDelaySeconds);
  checkHandlerTimeout(handlerTimeoutMs);
  const byKey = key && { order: { key: key as KeyOf, lookAhead: lookAheadOf(concurrency, resolved) } };
  return { ...resolved, ...byKey, concurrency, retryDelaySeconds, handlerTimeoutMs };
}

/** How many messages may wait for others of their key: each of them may come to lose an attempt by it. */
export function lookAheadOf(concurrency: number, { maxRetries }: { readonly maxRetries: number }): number {
  return maxRetries < 2 ? 0 : 10 * concurrency;
}

/** Throws a `TypeError` where handlers side by side would keep no order. */
export function checkInOrder(action: string, order: Order | undefined, concurrency: number): void {
  if (order !== undefined && order.key === undefined && concurrency > 1)
    throw new TypeError(rule(action, 'concurrency', "1 with 'ordered'", concurrency));
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
