import { checkInteger, checkNumber, rule } from '../contract/check-options.ts';
import type { ConsumeOptions, ResolvedConsumeOptions } from './consume-options.ts';
import {
  checkConcurrency,
  checkHandlerTimeout,
  checkInOrder,
  checkRetryDelay,
  handlerOptions,
  type RetryDelay,
} from './process-options.ts';
import { resolveConsumeOptions } from './resolve-consume-options.ts';

/** How messages are gathered into batches. */
export interface BatchOptions extends Omit<ConsumeOptions, 'settle' | 'minInFlight'> {
  /**
   * The most messages in a batch, 1 to `maxInFlight`. With a `rate` fewer, so that about as many batches of one size as
   * may start in its stretch use it up.
   *
   * @defaultValue 10
   */
  readonly size?: number;
  /**
   * How long a batch waits to be filled, in milliseconds since its first message was leased, from 0 to a quarter
   * of `visibilityTimeoutMs`. It waits for less when its first lease would not last for its body.
   *
   * @defaultValue 1 000, or a quarter of `visibilityTimeoutMs` if that is less
   */
  readonly maxWaitMs?: number;
}

/** How `processBatches` runs a handler. */
export interface ProcessBatchesOptions<Body = unknown, Env = unknown> extends BatchOptions {
  /** What the handler gets as its second argument. @defaultValue `undefined` */
  readonly env?: Env;
  /**
   * How many batches are handled at once, 1 or more, or 1 with `ordered`; with `size` at most `maxInFlight` messages.
   *
   * @defaultValue 1
   */
  readonly concurrency?: number;
  /**
   * As for `process`, for each unsettled message of a batch whose handler failed, in seconds, 0 to 86 400.
   *
   * @defaultValue `min(300, 2^attempts)`, of which the last half is drawn at random
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly retryDelaySeconds?: RetryDelay<Body>;
  /**
   * As for `process`, for the handler of a batch, in milliseconds, 1 or more: what of the batch is not settled by then is
   * retried.
   *
   * @defaultValue no limit
   */
  readonly handlerTimeoutMs?: number;
}

/** What follows the handler of `processBatches`: options, which must have the `env` of a handler that can't do without. */
export type ProcessBatchesArguments<Body, Env> = undefined extends Env
  ? [options?: ProcessBatchesOptions<Body, Env>]
  : [options: ProcessBatchesOptions<Body, Env> & { readonly env: Env }];

/** {@link BatchOptions} with every default filled in. */
export interface ResolvedBatchOptions extends ResolvedConsumeOptions {
  readonly size: number;
  readonly maxWaitMs: number;
}

/** {@link ProcessBatchesOptions} with every default filled in. */
export interface ResolvedProcessBatchesOptions<Body> extends ResolvedBatchOptions {
  readonly concurrency: number;
  readonly retryDelaySeconds: RetryDelay<Body> | undefined;
  readonly handlerTimeoutMs: number | undefined;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveBatchOptions(options: BatchOptions = {}, others: readonly string[] = []): ResolvedBatchOptions {
  const resolved = resolveConsumeOptions(options, { settle: 'auto', others: ['size', 'maxWaitMs', ...others] });
  const { visibilityTimeoutMs, maxInFlight, rate } = resolved;
  const { size = Math.min(10, maxInFlight), maxWaitMs = Math.min(1_000, visibilityTimeoutMs / 4) } = options;
  checkInteger('batch', 'size', size, [1, Infinity]);
  if (size > maxInFlight) throw new RangeError(rule('batch', 'size', `at most 'maxInFlight', ${maxInFlight}`, size));
  checkNumber('batch', 'maxWaitMs', maxWaitMs, [0, visibilityTimeoutMs / 4]);
  if (rate === undefined) return { ...resolved, size, maxWaitMs };
  // Where full batches don't add up to the limit, what is left of each stretch would be lost.
  const atOnce = Math.floor(rate.limit / Math.ceil(rate.limit / size));
  return { ...resolved, size: atOnce, maxWaitMs, rate: { ...rate, atOnce } };
}

/** As {@link resolveBatchOptions}, for `processBatches`. */
export function resolveProcessBatchesOptions<Body>(
  options: ProcessBatchesOptions<Body> = {},
): ResolvedProcessBatchesOptions<Body> {
  const resolved = resolveBatchOptions(options, ['env', ...handlerOptions]);
  const { concurrency = 1, retryDelaySeconds, handlerTimeoutMs } = options;
  checkConcurrency(concurrency, resolved);
  checkInOrder('process batches', resolved.order, concurrency);
  checkRetryDelay(retryDelaySeconds);
  checkHandlerTimeout(handlerTimeoutMs);
  return { ...resolved, concurrency, retryDelaySeconds, handlerTimeoutMs };
}
