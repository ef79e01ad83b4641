import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { type ProcessOptions, resolveProcessOptions } from '../consumer/process-options.ts';
import type { MessageHandler } from '../consumer/handing-out/process.ts';
import { checkFunction, checkInteger } from '../contract/check-options.ts';
import { withoutUndefined } from '../contract/without-undefined.ts';
import { checkHandleOptions } from '../queue/queue-options.ts';
import { type BodyOptions, mostMessages, openBatch } from './batch-queue.ts';
import { checkPushOptions, type PushedBatch } from './pushed-batch.ts';

/** What the platform calls a `queue` handler with, beside the batch. */
export interface PushHandlerContext<Env = unknown> {
  /** What the Worker is bound to. */
  readonly env: Env;
  /** The platform's `ExecutionContext`. */
  readonly ctx: unknown;
}

/** A handler of `process`, which may take a third argument: what the platform gave. */
export type PushHandler<Body = unknown, Env = unknown> = (
  message: LeasedMessage<Body>,
  signal: AbortSignal,
  context: PushHandlerContext<Env>,
) => unknown;

/** How the messages of a batch are handled: options of `process` and of `openQueue`, of those that mean something here. */
export type PushHandlerOptions<Body = unknown> = Pick<
  ProcessOptions<Body>,
  'concurrency' | 'retryDelaySeconds' | 'handlerTimeoutMs' | 'onInvalid' | 'onEvent'
> &
  BodyOptions<Body>;

/** What a Worker exports as `queue`. */
export type QueueHandler<Env = unknown> = (batch: PushedBatch, env: Env, ctx: unknown) => Promise<void>;

const allowed = [
  'concurrency',
  'retryDelaySeconds',
  'handlerTimeoutMs',
  'onInvalid',
  'onEvent',
  'schema',
  'decode',
  'clock',
  'random',
];

const action = 'handle a batch';

/**
 * Makes a Worker's `queue` handler of a handler as `process` takes it, so that one handler serves the platform's push consumer
 * and a pull consumer elsewhere. Each message is settled for itself: acknowledged when its handler fulfils, retried after the
 * growing delay when it rejects, unless it was settled by hand, also by `deadLetter()`.
 *
 * - Returns when every message is settled. Rejects only for `onInvalid: 'throw'`, when what is not settled is retried.
 * - The signal aborts with `handlerTimeoutMs`. `contentType` is what such a body has as a rule, since the platform does not
 *   tell; `metadata` is empty.
 * - A handler that returns an observable, a stream or an iterator, which nobody would run, fails with a `TypeError`.
 *
 * @param options - `concurrency` (10, at most 100, within the batch), `retryDelaySeconds`, `handlerTimeoutMs`, `onInvalid` and
 * `onEvent` of `process()`; `schema` and `decode` of `openQueue()`
 * @throws TypeError or RangeError that names the option, and what is allowed
 * @example
 * ```ts
 * import { toQueueHandler } from 'leasestream/workers';
 *
 * export default {
 *   queue: toQueueHandler<{ url: string }>(
 *     async ({ body }, signal) => {
 *       await fetch(body.url, { signal });
 *     },
 *     { concurrency: 4, handlerTimeoutMs: 60_000 },
 *   ),
 * };
 * ```
 */
export function toQueueHandler<Body = unknown, Env = unknown>(
  handler: PushHandler<Body, Env>,
  options: PushHandlerOptions<Body> = {},
): QueueHandler<Env> {
  checkFunction(action, 'handler', handler);
  checkPushOptions(action, options, allowed);
  const { schema, decode, clock, random, ...given } = options;
  const bodies = withoutUndefined({ schema, decode, clock, random });
  if (given.concurrency !== undefined) checkInteger(action, 'concurrency', given.concurrency, [1, mostMessages]);
  checkHandleOptions(bodies);
  resolveProcessOptions(given);
  return async (batch, env, ctx) => {
    const { queue, options: fixed, retryRest } = openBatch(action, batch, bodies);
    try {
      await queue.process(checking(handler, { env, ctx }), { ...given, ...fixed });
    } finally {
      retryRest();
    }
  };
}

/** Keeps the form by which `process` tells whether the signal is asked for. */
function checking<Body, Env>(handler: PushHandler<Body, Env>, context: PushHandlerContext<Env>): MessageHandler<Body> {
  const handle = handler as (message: LeasedMessage<Body>, ...others: unknown[]) => unknown;
  if (handler.length === 1) return (message) => awaitable(handle(message));
  return (message, signal) => awaitable(handle(message, signal, context));
}

/** @throws TypeError for work that is not under way: the message would be acknowledged although nobody runs it */
function awaitable(work: unknown): unknown {
  if (typeof work !== 'object' || work === null || 'then' in work) return work;
  const isLazy = 'subscribe' in work || Symbol.asyncIterator in work || ('next' in work && Symbol.iterator in work);
  if (!isLazy) return work;
  throw new TypeError(
    'Cannot handle a message by what nobody runs: the handler gave an observable, a stream or an iterator, and must give a promise of its end',
  );
}
