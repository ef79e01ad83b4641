import type { ConsumeOptions } from '../consumer/consume-options.ts';
import { resolveConsumeOptions } from '../consumer/resolve-consume-options.ts';
import type { Consumer } from '../consumer/consumer.ts';
import { withoutUndefined } from '../contract/without-undefined.ts';
import { type BodyOptions, openBatch } from './batch-queue.ts';
import { checkPushOptions, type PushedBatch } from './pushed-batch.ts';

/** How the messages of a batch are handed out. */
export type BatchSourceOptions<Body = unknown> = Pick<ConsumeOptions, 'settle' | 'onInvalid' | 'onEvent'> &
  BodyOptions<Body>;

const allowed = ['settle', 'onInvalid', 'onEvent', 'schema', 'decode', 'clock', 'random'];

/**
 * Gives a batch that the platform pushed as a consumer, to be read once: by `for await`, by RxJS (`from(fromBatch(batch))`), or by
 * `toReadableStream`, with the settlement of the pull consumer of each.
 *
 * - A loop acknowledges a message when it asks for the next one, and retries it when it is left meanwhile; what it did not
 *   get to is given back. An observable has its messages settled by `settleMap`, or by hand, gives all of them at once, and
 *   completes when all are settled.
 * - **Have `queue()` wait for its end**: the platform acknowledges whatever is not settled when that returns.
 * - `contentType` is what such a body has as a rule, since the platform does not tell; `metadata` is empty; `leaseExpiresAt` is
 *   the end of the longest invocation, 15 minutes.
 *
 * @param options - `settle`, `onInvalid` and `onEvent` of `consume()`; `schema` and `decode` of `openQueue()`
 * @throws TypeError when it is no batch, was taken before, or an option is none of these
 * @example
 * ```ts
 * import { fromBatch, type PushedBatch } from 'leasestream/workers';
 *
 * export default {
 *   async queue(batch: PushedBatch): Promise<void> {
 *     for await (const { body } of fromBatch<{ url: string }>(batch)) console.log(body.url);
 *   },
 * };
 * ```
 */
export function fromBatch<Body = unknown>(batch: PushedBatch, options: BatchSourceOptions<Body> = {}): Consumer<Body> {
  const action = 'read a batch';
  checkPushOptions(action, options, allowed);
  const { schema, decode, clock, random, ...given } = options;
  resolveConsumeOptions(given);
  const {
    queue,
    options: fixed,
    retryRest,
  } = openBatch(action, batch, withoutUndefined({ schema, decode, clock, random }));
  const consumer = queue.consume({ ...given, ...fixed });
  void consumer.closed.then(retryRest);
  return consumer;
}
