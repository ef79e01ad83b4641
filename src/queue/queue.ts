import type { ItemIterator } from '../contract/item-iterator.ts';
import type { BatchOptions, ProcessBatchesArguments } from '../consumer/batch-options.ts';
import type { ConsumeOptions } from '../consumer/consume-options.ts';
import type { BatchConsumer, Consumer } from '../consumer/consumer.ts';
import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import type { BatchHandler } from '../consumer/handing-out/process-batches.ts';
import type { ProcessOptions } from '../consumer/process-options.ts';
import type { MessageHandler } from '../consumer/handing-out/process.ts';
import type { Processor } from '../consumer/handing-out/processor.ts';
import type { CallOptions } from '../contract/transport.ts';
import type { QueueMetrics } from '../contract/message.ts';
import type { SendBatchOptions, SendOptions } from '../producer/send-options.ts';

/** A message for `sendBatch`. */
export interface BatchItem<Body = unknown> extends SendOptions {
  /** A string, anything `JSON.stringify` can represent, or an `EncodedBody`. */
  readonly body: Body;
}

/**
 * A handle of one queue. Opening it does no I/O, and it needs no closing: only its consumers do.
 *
 * @typeParam Body - what the bodies are: from the schema, or else as the caller says
 * @typeParam Sent - what may be sent: what the schema takes, where it makes something else of it
 */
export interface Queue<Body = unknown, Sent = Body> extends AsyncIterable<LeasedMessage<Body>> {
  /** A consumer with default options: `for await (const message of queue)`. */
  [Symbol.asyncIterator](): ItemIterator<LeasedMessage<Body>>;
  /**
   * Prepares one sequential loop over the queue's messages. Pulling begins with the first `next()`.
   *
   * @throws TypeError or RangeError that names the option, what it must be, and its value
   */
  consume(options?: ConsumeOptions): Consumer<Body>;
  /**
   * Runs a handler for each message, `concurrency` of them at once, until `options.signal` aborts or `stopWhenEmpty` holds.
   * A message is acknowledged when its handler fulfils, and retried when it rejects.
   *
   * @param handler - gets the message, and its signal, which aborts when the lease ends or the grace is over. The signal
   * is made for a handler that declares it, since it costs more than all else that is done for a message. One whose
   * `length` is 1 gets none: `(message)`, but also `(message, signal = mine)` and `(message, ...rest)`, which may ask for
   * `message.signal`; nor does `() => …`
   * @returns a promise of what happened, once nothing of it is left, with which the handlers are steered meanwhile. It
   * rejects with a TypeError or RangeError at once for a wrong option; later with the error that ended it, when trying
   * again can't help
   */
  process(handler: MessageHandler<Body>, options?: ProcessOptions<Body>): Processor;
  /**
   * Prepares one loop over batches of messages. Pulling begins with the first `next()`.
   *
   * @throws TypeError or RangeError that names the option, what it must be, and its value
   */
  batches(options?: BatchOptions): BatchConsumer<Body>;
  /**
   * Runs a Workers `queue(batch, env, ctx)` handler, unchanged, for each batch. What of a batch was not settled by hand is
   * acknowledged when the handler fulfils, and retried when it rejects.
   *
   * @typeParam Env - what the handler takes as its second argument. `options.env` may be left out where that may be
   * `undefined`, or is not looked at
   * @returns as `process`, once every `ctx.waitUntil` has settled, too, or the grace is over
   * @see https://developers.cloudflare.com/queues/configuration/javascript-apis/#consumer
   */
  processBatches<Env = unknown>(
    handler: BatchHandler<Body, Env>,
    ...options: ProcessBatchesArguments<Body, Env>
  ): Processor;
  /**
   * Pushes a message. Those sent at about the same time share a request, in Workers only those of one turn of one request.
   * What may be repeated is, for a minute.
   *
   * @returns once the service confirmed it
   * @throws TypeError or RangeError when the body or the delay can't be pushed; QueueError when the service did not
   * confirm it
   */
  send(body: Sent, options?: SendOptions): Promise<void>;
  /**
   * Pushes any number of messages, in requests of at most 100 messages and 256 000 bytes, a few at a time. What may be
   * repeated is, for a minute; a request that fails nevertheless, for another reason than its messages, is the last one.
   *
   * @returns once the service confirmed all of them
   * @throws TypeError or RangeError that names the message that can't be pushed, before any is; QueueError that names
   * those that the service did not confirm, when all others are pushed; the reason of `options.signal`
   */
  sendBatch(messages: Iterable<BatchItem<Sent>>, options?: SendBatchOptions): Promise<void>;
  /**
   * What the service says of the queue, best-effort. One request, not repeated.
   *
   * @param options - `timeoutMs` is 30 000 unless given
   * @throws QueueError; the reason of `options.signal`; RangeError when `timeoutMs` is not above 0
   */
  metrics(options?: CallOptions): Promise<QueueMetrics>;
}
