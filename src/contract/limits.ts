/**
 * The service's own limits, in its units of 1000.
 *
 * @see https://developers.cloudflare.com/queues/platform/limits/
 */
export const limits = {
  /** Messages in one bulk push, one pull, and (by our choice, the service names none) one settle call. */
  batchMessages: 100,
  /** Bytes of one message's body. */
  messageBytes: 128_000,
  /** Bytes of one bulk push. */
  batchBytes: 256_000,
  /** Longest delay of a push or a retry: 24 h. */
  delaySeconds: 86_400,
  /** Longest visibility timeout: 12 h. */
  visibilityTimeoutMs: 43_200_000,
  /** Largest `max_retries` of a queue's consumer. */
  retries: 100,
} as const;
