import type { ItemIterator } from '../contract/item-iterator.ts';
import {
  type BatchOptions,
  type ProcessBatchesArguments,
  resolveBatchOptions,
  resolveProcessBatchesOptions,
} from '../consumer/batch-options.ts';
import type { ConsumeOptions } from '../consumer/consume-options.ts';
import { resolveConsumeOptions } from '../consumer/resolve-consume-options.ts';
import type { BatchConsumer, Consumer } from '../consumer/consumer.ts';
import type { DecodeBody } from '../consumer/intake/decode.ts';
import { createQueueContext, type QueueContext } from '../consumer/queue-context.ts';
import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { type BatchHandler, runBatchHandler } from '../consumer/handing-out/process-batches.ts';
import { type ProcessOptions, resolveProcessOptions } from '../consumer/process-options.ts';
import { type MessageHandler, runHandlers } from '../consumer/handing-out/process.ts';
import { failedProcessor, type Processor } from '../consumer/handing-out/processor.ts';
import { checkNames } from '../contract/check-names.ts';
import { checkFunction, checkOptions, checkSignal } from '../contract/check-options.ts';
import type { Clock } from '../contract/clock.ts';
import { copyWith } from '../contract/copy-with.ts';
import type { QueueMetrics } from '../contract/message.ts';
import type { ObservedQueue } from '../contract/observer.ts';
import { Observers } from '../contract/observers.ts';
import type { Schema } from '../contract/schema.ts';
import { systemClock } from '../contract/system-clock.ts';
import type { CallOptions, QueueTransport } from '../contract/transport.ts';
import { iterateBatches, iterateMessages } from '../convert/async-iterable.ts';
import { type HandleCore, handleCore } from '../convert/handle-core.ts';
import { newOutlet } from '../convert/message-source.ts';
import { Observed, OutletObservable } from '../convert/observable-protocol.ts';
import { Pusher, type PusherDeps } from '../producer/pusher.ts';
import type { SendBatchOptions, SendOptions } from '../producer/send-options.ts';
import { Sender } from '../producer/sender.ts';
import { type CloudflareConnection, resolveConnection } from '../transports/cloudflare/options.ts';
import { connectCloudflareTransport } from '../transports/cloudflare/transport.ts';
import { guardClock, guardRandom } from './guard-clock.ts';
import { guardTransport } from './guard-transport.ts';
import { pushBucket } from './push-bucket.ts';
import type { BatchItem, Queue } from './queue.ts';
import { checkHandleOptions, type HandleOptions, pushLimitOf, type QueueOptions } from './queue-options.ts';

/**
 * Opens a handle of a queue. No request is made here.
 *
 * @typeParam Body - what the bodies are: the schema's output when there is one, else what `decode` gives when there is one
 * @typeParam Sent - what may be sent; the schema's input when there is one, anything where only `decode` is given
 * @throws TypeError or RangeError that names the option, what it must be, and its value; never the value of a credential
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 *
 * const queue = openQueue<{ url: string }>({ queueId: process.env.QUEUE_ID! });
 *
 * for await (const message of queue.consume({ stopWhenEmpty: true })) {
 *   console.log(message.body.url);
 * }
 * ```
 */
export function openQueue<Body, Sent = Body>(
  options: QueueOptions<Body> & { readonly schema: Schema<Body, Sent> },
): Queue<Body, Sent>;
/** With bodies as they came: the text of `text` and `json`, the bytes of `bytes` and `v8`. */
export function openQueue(
  options: QueueOptions<string | Uint8Array> & { readonly decode: 'raw' },
): Queue<string | Uint8Array, unknown>;
/** With the text of `text` and of `json`. */
export function openQueue(options: QueueOptions<string> & { readonly decode: 'text' }): Queue<string, unknown>;
/** With bodies as a function gives them. */
export function openQueue<Body>(
  options: QueueOptions<Body> & { readonly decode: DecodeBody<Body> },
): Queue<Body, unknown>;
/** With bodies by their content type, of whatever type the caller says. */
export function openQueue<Body = unknown>(options: QueueOptions<Body>): Queue<Body>;
export function openQueue<Body>(options: QueueOptions<Body>): Queue<Body> {
  checkHandleOptions(options);
  const { schema, decode, pushLimit } = options;
  const clock = guardClock(options.clock ?? systemClock);
  const random = guardRandom(options.random ?? Math.random, Math.random);
  const { transport, connection } = connect(options, clock);
  const queueName = options.queueName ?? options.queueId ?? 'queue';
  const observers = observersOf(options.observer, clock, {
    name: queueName,
    origin: connection && new URL(connection.baseUrl).origin,
    now: () => clock.now(),
    metrics: (given) => handle.metrics(given),
  });
  const context = createQueueContext({ transport, clock, random, observers, schema, decode, queueName });
  const limit = pushLimitOf(pushLimit, connection?.baseUrl);
  const account = connection === undefined ? undefined : `${connection.baseUrl}/accounts/${connection.accountId}`;
  const handle = new QueueHandle<Body>(
    context,
    limit === undefined ? undefined : pushBucket({ limit, clock, account }),
  );
  observers?.tell((observer) => observer.open?.(observers.queue));
  return handle;
}

function observersOf(
  observer: HandleOptions<unknown>['observer'],
  clock: Clock,
  queue: ObservedQueue,
): Observers | undefined {
  const observers = observer === undefined ? [] : [observer].flat();
  return observers.length === 0 ? undefined : new Observers(observers, queue, clock);
}

function connect<Body>(
  options: QueueOptions<Body>,
  clock: Clock,
): { transport: QueueTransport; connection?: CloudflareConnection } {
  if (options.transport !== undefined) return { transport: guardTransport(options.transport, clock) };
  const connection = resolveConnection({ ...options, clock });
  return { transport: connectCloudflareTransport(connection), connection };
}

/** How long the service may take to tell its metrics, in milliseconds, as with a push. */
const metricsTimeoutMs = 30_000;

class QueueHandle<Body> extends Observed<LeasedMessage<Body>> implements Queue<Body> {
  readonly #context: QueueContext;
  readonly #core: HandleCore;
  readonly #sender: Sender;

  constructor(context: QueueContext, bucket: PusherDeps['bucket']) {
    super();
    this.#context = context;
    const { transport, clock, time, gates, standing, random, wakes, observers } = context;
    const onPushed = (count: number): void => wakes.push(count);
    const pusher = new Pusher({ transport, clock, now: () => time.now(), gates, standing, random, bucket, onPushed });
    this.#core = { context, pusher };
    this.#sender = new Sender(pusher, clock, observers);
  }

  '@@observable'(): OutletObservable<LeasedMessage<Body>> {
    return new OutletObservable((receiver) => newOutlet<Body>(this.#context, {}, receiver));
  }

  // A getter, so that printing a handle does not print all that it holds.
  get [handleCore](): HandleCore {
    return this.#core;
  }

  [Symbol.asyncIterator](): ItemIterator<LeasedMessage<Body>> {
    return this.consume()[Symbol.asyncIterator]();
  }

  consume(options?: ConsumeOptions): Consumer<Body> {
    return iterateMessages<Body>(this.#context, resolveConsumeOptions(options));
  }

  process(handler: MessageHandler<Body>, options?: ProcessOptions<Body>): Processor {
    return this.#start(() => {
      checkFunction('process', 'handler', handler);
      return runHandlers(this.#context, handler, resolveProcessOptions(options));
    });
  }

  /** Gives a processor in any case: one that was to be made with a wrong option has failed. */
  #start(start: () => Processor): Processor {
    try {
      return start();
    } catch (error) {
      return failedProcessor(this.#context, error);
    }
  }

  batches(options?: BatchOptions): BatchConsumer<Body> {
    return iterateBatches<Body>(this.#context, resolveBatchOptions(options));
  }

  processBatches<Env = unknown>(
    handler: BatchHandler<Body, Env>,
    ...[options = {}]: ProcessBatchesArguments<Body, Env>
  ): Processor {
    return this.#start(() => {
      checkFunction('process batches', 'handler', handler);
      const resolved = resolveProcessBatchesOptions(options);
      // A handler that takes no environment is not given one.
      const env = options.env as Env;
      return runBatchHandler<Body>(this.#context, (batch, ctx) => handler(batch, env, ctx), resolved);
    });
  }

  async send(body: Body, options: SendOptions = {}): Promise<void> {
    checkNames('send', options, { allowed: ['contentType', 'delaySeconds'] });
    return this.#sender.send(copyWith(options, { body }));
  }

  sendBatch(messages: Iterable<BatchItem<Body>>, options?: SendBatchOptions): Promise<void> {
    return this.#sender.sendBatch(messages, options);
  }

  async metrics(options: CallOptions = {}): Promise<QueueMetrics> {
    checkOptions('read metrics', options);
    checkSignal('read metrics', options.signal);
    const { transport, standing } = this.#context;
    const metrics = await transport.metrics({ ...options, timeoutMs: options.timeoutMs ?? metricsTimeoutMs });
    standing.hasWorked = true;
    return metrics;
  }
}
