import type { ConsumerEvent } from './consumer-event.ts';
import type { ContentType, PulledMessage, QueueMetrics } from './message.ts';
import type { CallOptions } from './transport.ts';

/** A queue handle, as observers see it. */
export interface ObservedQueue {
  /** The handle's `queueName`. */
  readonly name: string;
  /** The address of the API without its path; `undefined` where a transport was given. */
  readonly origin: string | undefined;
  /** The time by its clock, in milliseconds since the epoch. */
  now(): number;
  /** As `queue.metrics()`: a request. */
  metrics(options?: CallOptions): Promise<QueueMetrics>;
}

/** The counts of `consumer.stats` that observers are promised. */
export interface ObservedStats {
  /** Pull requests sent. */
  readonly pulls: number;
  /** Pulls that brought nothing: each is billed. */
  readonly emptyPulls: number;
  /** Settle requests sent. */
  readonly settleCalls: number;
  /** Messages in the answers, repeated ones included. */
  readonly received: number;
  /** Handed out. One that failed as a probe and is handed out again within its lease counts once. */
  readonly delivered: number;
  /** Acknowledgements that the service confirmed. */
  readonly acked: number;
  /** Retries that the service confirmed. */
  readonly retried: number;
  /** Given back unstarted, because their lease ran out or the consumer closed. */
  readonly released: number;
  /** Let go unstarted, because their lease was over: in the buffer, or before their schema had answered. */
  readonly dropped: number;
  /** Settlements that the service did not take. */
  readonly lost: number;
  /** Settlements of which nobody knows. */
  readonly unknown: number;
  /** Handed out and not settled when their lease ended, or when `close()` ran out of grace. */
  readonly abandoned: number;
  /** Bodies that could not be decoded or did not fit the schema. */
  readonly invalid: number;
  /** Repeated deliveries whose newer lease replaced the one already held. */
  readonly swapped: number;
  /** Repeated deliveries of finished messages, acknowledged without being handed out. */
  readonly reacked: number;
  /** Handed out and unsettled now. */
  readonly inFlight: number;
  /** Leased and not handed out now. */
  readonly buffered: number;
}

/** A consumer that has begun to pull. */
export interface ObservedConsumer {
  /** The handle that it was opened with. */
  readonly queue: ObservedQueue;
  /** As of now. */
  stats(): ObservedStats;
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<unknown>;
}

/** A message that is handed out. */
export interface ObservedMessage {
  /** The same on every delivery. */
  readonly id: string;
  /** The body, as the handler gets it. */
  readonly body: unknown;
  /** How often it was delivered, this time included. */
  readonly attempts: number;
  /** When it was pushed. */
  readonly timestamp: Date;
  /** How the service encoded the body. */
  readonly contentType: ContentType;
  /** Names this delivery. */
  readonly leaseId: string;
  /** How long the lease lasts from when it is read, in milliseconds. */
  readonly leaseRemainingMs: number;
}

/** A settlement as it is sent. */
export interface ObservedSettlement {
  /** The id of the message. */
  readonly id: string;
  /** How often the message was delivered. */
  readonly attempts: number;
  /** What is asked of the service. */
  readonly kind: 'ack' | 'retry';
}

/** What is told of the begin of any operation. */
export interface OperationStart {
  /** The handle that it is done with. */
  readonly queue: ObservedQueue;
  /** When it began, in milliseconds since the epoch by the queue's clock. */
  readonly at: number;
}

/** What is told of the end of any operation. */
export interface OperationEnd {
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** What it failed with; absent where it did not. */
  readonly error?: unknown;
}

/** Messages are handed over to be pushed: by a `send()`, a `sendBatch()`, or as one push of a sink. */
export interface SendStart extends OperationStart {
  /** How many, 1 or more. */
  readonly messages: number;
  /** Whether they were handed over together; `false` for a `send()`. */
  readonly isBatch: boolean;
}

/** All are confirmed, or will not be. */
export interface SendEnd extends OperationEnd {
  /** How many were not confirmed. */
  readonly failed: number;
}

/** A pull is sent. */
export interface ReceiveStart extends OperationStart {
  /** How many messages it asks for at most. */
  readonly batchSize: number;
  /** For how long it leases them, in milliseconds. */
  readonly visibilityTimeoutMs: number;
}

/** It was answered, or is not waited for any longer. */
export interface ReceiveEnd extends OperationEnd {
  /** None where it failed. */
  readonly messages: readonly PulledMessage[];
  /** How many messages are not acknowledged, as the service said. */
  readonly backlogCount: number | undefined;
}

/** Messages are handed out: one, or the batch of a surface that hands out batches. */
export interface ProcessStart extends OperationStart {
  /** 1 or more. */
  readonly messages: readonly ObservedMessage[];
  /** Whether they are handed out as a batch, of one message too. */
  readonly isBatch: boolean;
  /** Gives the body of one of them as it came: decoded, and not what a schema or `decode` has made of it. */
  readonly receivedBodyOf: (message: ObservedMessage) => unknown;
  /** Whether the work is run by {@link Processing.run}. Not so in a loop, which runs by itself. */
  readonly isRun: boolean;
}

/**
 * The work has ended, or is not waited for any longer. Of code that the consumer can't see, it has when its message is
 * settled. What of the messages is none of these is to be tried again by this consumer, or settled by a sink.
 */
export interface ProcessEnd extends OperationEnd {
  /** How many are acknowledged. */
  readonly acks: number;
  /** How many are retried. */
  readonly retries: number;
  /** How many are not waited for any longer. */
  readonly abandoned: number;
}

/** Settlements are sent. */
export interface SettleStart extends OperationStart {
  /** 1 or more, in one request. */
  readonly messages: readonly ObservedSettlement[];
}

/** They were answered, or are not waited for any longer. What failed may be sent again, as another operation. */
export type SettleEnd = OperationEnd;

/** An operation under way. */
export interface Operation<Ended> {
  /** Called once. */
  end(how: Ended): void;
}

/** A send under way. */
export interface Sending extends Operation<SendEnd> {
  /**
   * Gives the body that is sent in place of this one: its own, or one that carries what the observer adds. Called once for
   * each message.
   *
   * @throws what the send rejects with
   */
  inject?(body: unknown): unknown;
}

/** Work on messages under way. */
export interface Processing extends Operation<ProcessEnd> {
  /**
   * Calls `work` before it returns, in the observer's context. Called again where work on the same message begins later;
   * not at all after {@link Operation.end}.
   */
  run?(work: () => void): void;
}

/**
 * Is told what is done with a queue while it is done: the operations *send*, *receive*, *process* and *settle*, each with its
 * begin and end. Every method may be left out. What one throws harms nobody and is told to nobody; none is awaited.
 *
 * @example
 * ```ts
 * import { type Observer, openQueue } from 'leasestream';
 *
 * const slow: Observer = {
 *   process: ({ messages }) => ({
 *     end: ({ durationMs }) => {
 *       if (durationMs > 1_000) console.log(messages[0]?.id, durationMs);
 *     },
 *   }),
 * };
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID!, observer: slow });
 * await queue.process(({ body }) => console.log(body.id), { stopWhenEmpty: true });
 * ```
 */
export interface Observer {
  /** A handle was opened. */
  open?(queue: ObservedQueue): void;
  /** A consumer asks for its first message. */
  consume?(consumer: ObservedConsumer): void;
  /** Messages are handed over to be pushed. What it gives back is told of their end. */
  send?(start: SendStart): Sending | undefined;
  /** A pull is sent. What it gives back is told of its end. */
  receive?(start: ReceiveStart): Operation<ReceiveEnd> | undefined;
  /** Messages are handed out. What it gives back may run the work, and is told of its end. */
  process?(start: ProcessStart): Processing | undefined;
  /** Settlements are sent. What it gives back is told of their end. */
  settle?(start: SettleStart): Operation<SettleEnd> | undefined;
  /** What is told to `onEvent`, before that. */
  event?(event: ConsumerEvent, queue: ObservedQueue): void;
}
