import type { Settlement } from '../../contract/settlement.ts';
import type { Lease } from '../../lease/lease.ts';
import type { ObservedWork } from '../../lease/observed-work.ts';
import type { Engine } from '../engine.ts';
import { printAs, printBatch } from './inspect.ts';
import { DeliveredMessage, type LeasedMessage, type RetryOptions } from './leased-message.ts';

/**
 * Messages that are worked on together, in the form that a Workers `queue` handler gets.
 *
 * @see https://developers.cloudflare.com/queues/configuration/javascript-apis/#messagebatch
 */
export interface MessageBatch<Body = unknown> {
  /** The queue's name. */
  readonly queue: string;
  /** 1 or more. */
  readonly messages: readonly LeasedMessage<Body>[];
  /** Acknowledges all that are not settled yet. Resolves with what became of each message; never rejects. */
  ackAll(): Promise<readonly Settlement[]>;
  /**
   * Retries all that are not settled yet. Resolves with what became of each message; never rejects.
   *
   * @throws RangeError or TypeError at once, when `delaySeconds` is not a whole number in 0..86 400
   */
  retryAll(options?: RetryOptions): Promise<readonly Settlement[]>;
}

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
    if (engine.isObserved) this.#observed = engine.observe(leases, this.messages, { isBatch: true, isRun });
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

/** When a batch is full enough to be handed out. */
export interface BatchBounds {
  readonly size: number;
  readonly maxWaitMs: number;
}

/**
 * Takes the next batch: when it is full, when its first message has waited for long enough, or when its first lease
 * lasts no longer than a body is expected to take. It is full with as many messages as may be held, too, and with as many
 * as can be worked on one after the other while the first lease lasts, where the work computes. Until then it waits for
 * limits that don't let all of it start.
 *
 * @param isRun - whether the work on it is run by {@link DeliveredBatch.run}
 * @returns the batch, or when to look again
 */
export function takeBatch<Body>(
  engine: Engine,
  bounds: BatchBounds,
  now: number,
  isRun: boolean,
): DeliveredBatch<Body> | number {
  const { firstBatch, buffered } = engine;
  if (firstBatch === undefined) return Infinity;
  const waitedUntil = firstBatch.deadline - firstBatch.timeoutMs + bounds.maxWaitMs;
  const marginMs = engine.marginMs(firstBatch.timeoutMs);
  const lastsUntil = firstBatch.deadline - engine.expectedMs - marginMs;
  const dueAt = Math.min(waitedUntil, lastsUntil);
  const inTime = engine.startableWithin(Math.max(1, firstBatch.deadline - now - marginMs));
  const size = Math.max(1, Math.min(bounds.size, inTime, engine.unstartedBound(now)));
  const nextStartAt = engine.nextStartAt(now, size);
  if ((buffered < size || nextStartAt < Infinity) && now < dueAt) return Math.min(dueAt, nextStartAt);
  const leases: Lease[] = [];
  while (leases.length < size) {
    const lease = engine.take(now);
    if (lease === undefined) break;
    leases.push(lease);
  }
  return leases.length === 0 ? Infinity : new DeliveredBatch<Body>(leases, engine, isRun);
}
