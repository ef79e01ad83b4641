import type { Settlement } from '../../contract/settlement.ts';
import type { Lease } from '../../lease/lease.ts';
import type { ObservedWork } from '../../lease/observed-work.ts';
import type { Engine } from '../engine.ts';
import { DeliveredMessage } from './delivered-message.ts';
import { printAs, printBatch } from './inspect.ts';
import type { LeasedMessage, RetryOptions } from './leased-message.ts';
import type { MessageBatch } from './message-batch.ts';
import { observeWork } from './observe-work.ts';

/** A batch that was handed out. */
export class DeliveredBatch<Body> implements MessageBatch<Body> {
  readonly queue: string;
  readonly messages: readonly LeasedMessage<Body>[];
  readonly leases: readonly Lease[];
  readonly #observed: ObservedWork | undefined;

  constructor(leases: readonly Lease[], engine: Engine, isRun: boolean) {
    this.queue = engine.queueName;
    this.leases = leases;
    this.messages = leases.map((lease) => new DeliveredMessage<Body>(lease, engine.keeper));
    if (engine.observers !== undefined)
      this.#observed = observeWork(engine.observers, leases, this.messages, { isBatch: true, isRun });
  }

  /** Does work on it, in the context of its observers. */
  run<Result>(work: (batch: this) => Result): Result {
    return this.#observed === undefined ? work(this) : this.#observed.run(() => work(this));
  }

  static {
    printAs<MessageBatch>(this.prototype, printBatch);
  }

  ackAll(): Promise<readonly Settlement[]> {
    return Promise.all(this.messages.map((message) => message.ack()));
  }

  retryAll(options?: RetryOptions): Promise<readonly Settlement[]> {
    return Promise.all(this.messages.map((message) => message.retry(options)));
  }
}
