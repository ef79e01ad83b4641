import type { ItemIterator } from '../contract/item-iterator.ts';
import type { ResolvedBatchOptions } from '../consumer/batch-options.ts';
import type { ResolvedConsumeOptions } from '../consumer/consume-options.ts';
import {
  type BatchConsumer,
  checkCloseOptions,
  type CloseOptions,
  type Consumer,
  type ConsumerControl,
} from '../consumer/consumer.ts';
import { BatchDeliveries, type Deliveries, MessageDeliveries } from '../consumer/handing-out/deliveries.ts';
import { Engine } from '../consumer/engine.ts';
import { resolveRate } from '../consumer/handing-out/start-rate.ts';
import type { QueueContext } from '../consumer/queue-context.ts';
import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import type { MessageBatch } from '../consumer/handing-out/message-batch.ts';
import { loopMode, unseenMode } from '../consumer/handing-out/modes.ts';
import type { ConsumerStats, ConsumerSummary } from '../consumer/stats.ts';
import { DeliveryIterator } from './delivery-iterator.ts';
import { openOutlet, type OutletOwner } from './message-source.ts';
import { Observed, OutletObservable } from './observable-protocol.ts';
import { Outlet, type Receiver } from './outlet.ts';

/** A consumer for one `for await` loop over messages. */
export function iterateMessages<Body>(context: QueueContext, options: ResolvedConsumeOptions): Consumer<Body> {
  const engine = new Engine(context, options, options.settle === 'auto' ? loopMode() : unseenMode(options));
  return new IterableConsumer<LeasedMessage<Body>>(engine, new MessageDeliveries<Body>(engine));
}

/** A consumer for one `for await` loop over batches. */
export function iterateBatches<Body>(context: QueueContext, options: ResolvedBatchOptions): BatchConsumer<Body> {
  const engine = new Engine(context, options, loopMode(options.size));
  return new IterableConsumer<MessageBatch<Body>>(engine, new BatchDeliveries<Body>(engine, options));
}

class IterableConsumer<Item> extends Observed<Item> implements AsyncIterable<Item>, ConsumerControl, OutletOwner<Item> {
  readonly #engine: Engine;
  readonly #deliveries: Deliveries<Item>;
  #isRead = false;

  constructor(engine: Engine, deliveries: Deliveries<Item>) {
    super();
    this.#engine = engine;
    this.#deliveries = deliveries;
  }

  '@@observable'(): OutletObservable<Item> {
    return new OutletObservable((receiver) => this[openOutlet](receiver));
  }

  [Symbol.asyncIterator](): ItemIterator<Item> {
    this.#readOnce();
    return new DeliveryIterator<Item>(this.#engine, this.#deliveries);
  }

  [openOutlet](receiver: Receiver<Item>): Outlet<Item> {
    resolveRate(this.#engine.options.rate, 'manual');
    this.#readOnce();
    return new Outlet<Item>(this.#engine, this.#deliveries, receiver);
  }

  #readOnce(): void {
    if (this.#isRead) {
      throw new TypeError(
        'Cannot iterate a consumer twice: call queue.consume() for another one, or queue.process() for handlers side by side',
      );
    }
    this.#isRead = true;
  }

  get closed(): Promise<ConsumerSummary> {
    return this.#engine.awaitEnd();
  }

  get stats(): ConsumerStats {
    return this.#engine.snapshot();
  }

  async close(options: CloseOptions = {}): Promise<ConsumerSummary> {
    return this.#engine.close('closed', checkCloseOptions(options));
  }

  pause(): void {
    this.#engine.pause();
  }

  resume(): void {
    this.#engine.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
