import type { OutgoingMessage, PeekedMessage, PulledMessage, QueueMetrics } from './message.ts';

/** Bounds of one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. @defaultValue none */
  readonly signal?: AbortSignal;
  /**
   * Ends the call after this many milliseconds, more than 0, with a `QueueError` of code `timeout`.
   *
   * @defaultValue none; 30 000 for `queue.metrics()`
   */
  readonly timeoutMs?: number;
}

/** Messages that are pushed in one request. */
export interface BulkPushRequest {
  /** 1 to 100 messages, 256 000 bytes in all. */
  readonly messages: readonly OutgoingMessage[];
  /**
   * The delay of every message that has none of its own, in seconds, 0 to 86 400.
   *
   * @defaultValue the queue's `delivery_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
}

/** What the service answers to a push. */
export interface PushResult {
  /** The queue as it is after the push; absent when the service did not say. */
  readonly metrics?: QueueMetrics;
}

/** What a pull asks for. */
export interface PullRequest {
  /**
   * At most how many messages, 1 to 100.
   *
   * @defaultValue the service's own: 5
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly batchSize?: number;
  /**
   * How long the messages are leased, in milliseconds, up to 43 200 000 (12 h).
   *
   * @defaultValue the queue consumer's setting, 30 000 unless changed
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly visibilityTimeoutMs?: number;
}

/** What a pull brings. */
export interface PullResult {
  /** The messages, leased; none when the queue has nothing to give. */
  readonly messages: readonly PulledMessage[];
  /** How many messages are not acknowledged; absent when the service did not say. */
  readonly backlogCount?: number;
}

/** A message that is to be delivered again. */
export interface RetryRequest {
  /** The `leaseId` of its delivery. */
  readonly leaseId: string;
  /**
   * How long until the message is delivered again, in seconds, 0 to 86 400.
   *
   * @defaultValue the queue consumer's `retry_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
}

/** Settlements that are sent in one request. */
export interface AckRequest {
  /** Lease ids. With `retries` at most 100. */
  readonly acks: readonly string[];
  /** What is to be delivered again. With `acks` at most 100. */
  readonly retries: readonly RetryRequest[];
}

/** What the service made of settlements. */
export interface AckResult {
  /** How many of `acks` the service counted; absent when it did not say. */
  readonly ackCount?: number;
  /** How many of `retries` the service counted; absent when it did not say. */
  readonly retryCount?: number;
  /** The service's warnings by the lease id they are about. */
  readonly warnings: ReadonlyMap<string, string>;
  /** Warnings that name no lease of the request. */
  readonly otherWarnings: readonly string[];
}

/** What a peek asks for. */
export interface PeekRequest {
  /**
   * At most how many messages, 1 to 100.
   *
   * @defaultValue the service's own
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly batchSize?: number;
}

/** What a peek shows. */
export interface PeekResult {
  /** The messages, which stay as they are. */
  readonly messages: readonly PeekedMessage[];
}

/** Messages that are to be deleted without being leased. */
export interface PurgeRequest {
  /** The `ref` of each peeked message to delete. */
  readonly refs: readonly string[];
}

/** What the service made of a purge. */
export interface PurgeResult {
  /** The service's warnings by the ref they are about. */
  readonly warnings: ReadonlyMap<string, string>;
}

/**
 * The port to one queue: a method for each call of the HTTP API, one request each, nothing repeated.
 *
 * Every method rejects with a `QueueError`, with the signal's reason when aborted, or with a `TypeError` or
 * `RangeError` when the request itself can't be sent.
 *
 * What `openQueue` is given may do otherwise. What it throws or rejects with that is no `QueueError` is final, as one of
 * code `transport-failed`: give a failure that may pass its code, `network` or `service-failed`. An answer that has not the
 * form of the port is `bad-answer`; of a push it is `transport-failed` too, since it may be in the queue. Signal and time
 * limit hold whether or not it heeds them.
 */
export interface QueueTransport {
  /** Pushes a message. */
  push(message: OutgoingMessage, options?: CallOptions): Promise<PushResult>;
  /** Pushes several messages in one request. */
  bulkPush(request: BulkPushRequest, options?: CallOptions): Promise<PushResult>;
  /** Leases messages. */
  pull(request: PullRequest, options?: CallOptions): Promise<PullResult>;
  /** Settles leased messages. */
  ack(request: AckRequest, options?: CallOptions): Promise<AckResult>;
  /** Shows messages without leasing them. */
  peek(request: PeekRequest, options?: CallOptions): Promise<PeekResult>;
  /** Deletes peeked messages by their refs. */
  purge(request: PurgeRequest, options?: CallOptions): Promise<PurgeResult>;
  /** Asks what the service says of the queue. */
  metrics(options?: CallOptions): Promise<QueueMetrics>;
}
