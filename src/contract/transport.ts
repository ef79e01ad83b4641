import type { OutgoingMessage, PeekedMessage, PulledMessage, QueueMetrics } from './message.ts';

/** Bounds of one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Ends the call after this many milliseconds with a `QueueError` of code `timeout`. */
  readonly timeoutMs?: number;
}

export interface BulkPushRequest {
  /** 1 to 100 messages, 256 000 bytes in all. */
  readonly messages: readonly OutgoingMessage[];
  /** The delay of every message that has none of its own, in seconds, 0 to 86 400. */
  readonly delaySeconds?: number;
}

export interface PushResult {
  readonly metrics?: QueueMetrics;
}

export interface PullRequest {
  /**
   * At most how many messages, 1 to 100.
   *
   * @defaultValue the service's own: 5
   */
  readonly batchSize?: number;
  /**
   * How long the messages are leased, in milliseconds, up to 12 h.
   *
   * @defaultValue the queue consumer's setting, 30 000 unless changed
   */
  readonly visibilityTimeoutMs?: number;
}

export interface PullResult {
  readonly messages: readonly PulledMessage[];
  readonly backlogCount?: number;
}

export interface RetryRequest {
  readonly leaseId: string;
  /**
   * How long until the message is delivered again, in seconds, 0 to 86 400.
   *
   * @defaultValue the queue consumer's `retry_delay`
   */
  readonly delaySeconds?: number;
}

export interface AckRequest {
  /** Lease ids. With `retries` at most 100. */
  readonly acks: readonly string[];
  readonly retries: readonly RetryRequest[];
}

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

export interface PeekRequest {
  /** At most how many messages, 1 to 100. */
  readonly batchSize?: number;
}

export interface PeekResult {
  readonly messages: readonly PeekedMessage[];
}

export interface PurgeRequest {
  /** The `ref` of each peeked message to delete. */
  readonly refs: readonly string[];
}

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
  push(message: OutgoingMessage, options?: CallOptions): Promise<PushResult>;
  bulkPush(request: BulkPushRequest, options?: CallOptions): Promise<PushResult>;
  pull(request: PullRequest, options?: CallOptions): Promise<PullResult>;
  ack(request: AckRequest, options?: CallOptions): Promise<AckResult>;
  peek(request: PeekRequest, options?: CallOptions): Promise<PeekResult>;
  /** Deletes peeked messages by their refs. */
  purge(request: PurgeRequest, options?: CallOptions): Promise<PurgeResult>;
  metrics(options?: CallOptions): Promise<QueueMetrics>;
}
