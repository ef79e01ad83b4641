/**
 * The service's JSON, field by field, as it stands on the wire. Types only; `wire.ts` turns them into the contract's
 * words and back. snake_case stays here.
 *
 * @see https://developers.cloudflare.com/api/resources/queues/
 */

export interface WireError {
  readonly code: number;
  readonly message: string;
  readonly documentation_url?: string;
  readonly source?: { readonly pointer?: string };
}

/** What every answer is wrapped in. Its `messages` are notices of the API, not messages of the queue. */
export interface WireEnvelope<Result> {
  readonly success: boolean;
  readonly errors: readonly WireError[];
  readonly messages: readonly unknown[];
  readonly result: Result | null;
}

export interface WireMetrics {
  readonly backlog_bytes: number;
  readonly backlog_count: number;
  /** 0 when unknown. */
  readonly oldest_message_timestamp_ms: number;
}

export interface WireResultMetadata {
  readonly metrics?: WireMetrics;
}

export interface WirePushResult {
  readonly metadata?: WireResultMetadata;
}

/** `POST /messages/pull`. */
export interface WirePullRequest {
  readonly batch_size?: number;
  readonly visibility_timeout_ms?: number;
}

export interface WirePulledMessage {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  readonly timestamp_ms: number;
  readonly lease_id: string;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

export interface WirePullResult {
  readonly message_backlog_count?: number;
  readonly messages?: readonly WirePulledMessage[];
  readonly metadata?: WireResultMetadata;
}

/** `POST /messages/ack`. */
export interface WireAckRequest {
  readonly acks?: readonly { readonly lease_id: string }[];
  readonly retries?: readonly { readonly lease_id: string; readonly delay_seconds?: number }[];
}

/** The one result in camelCase. */
export interface WireAckResult {
  readonly ackCount?: number;
  readonly retryCount?: number;
  /** A map from lease id to text; a list of texts in older answers. */
  readonly warnings?: Readonly<Record<string, string>> | readonly string[] | null;
}

/** `POST /messages/peek`. */
export interface WirePeekRequest {
  readonly batch_size?: number;
}

export interface WirePeekedMessage {
  readonly id: string;
  readonly attempts: number;
  readonly body: string;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly ref: string;
  readonly timestamp_ms: number;
}

export interface WirePeekResult {
  readonly messages?: readonly WirePeekedMessage[];
}

/** `POST /messages/purge`: deletes peeked messages. */
export interface WirePurgeRequest {
  readonly refs: readonly { readonly ref: string }[];
}

export interface WirePurgeResult {
  readonly errors?: readonly WireError[] | null;
  readonly warnings?: Readonly<Record<string, string>> | null;
}
