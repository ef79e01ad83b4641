/**
 * What went wrong, as one word to switch on.
 *
 * | code | meaning | does the library go on by itself? |
 * |---|---|---|
 * | `network` | no answer: refused, reset, unresolved | yes, with backoff |
 * | `unknown-host` | nobody knows the name of the service's host | yes, with backoff; for 30 s where it was never reached |
 * | `untrusted-certificate` | the certificate has expired, is another host's, or nobody vouches for it | for 30 s, see below |
 * | `forbidden-by-runtime` | the runtime has no permission to use the network, as Deno without `--allow-net` | no |
 * | `unusable-address` | the runtime can't ask there: not http, no URL, a port that it blocks | no |
 * | `timeout` | no answer in the time allowed | yes, with backoff |
 * | `rate-limited` | 429, codes 971 and 10429 and any other | yes, after `retryAfterMs` |
 * | `queue-unavailable` | 429, codes 10250–10253: overloaded, full, disabled, free plan used up | yes, after `retryAfterMs` |
 * | `service-failed` | 5xx, 408, 421, 425 | yes, with backoff |
 * | `bad-answer` | an answer that is not the service's JSON, or lacks what was asked for | yes, with backoff |
 * | `bad-answer` | a redirect | for 30 s |
 * | `transport-failed` | a transport or `fetch` of the user's can't be used, or the runtime can't make the call | no |
 * | `delivery-paused` | 409: delivery of the queue is paused | yes, it waits |
 * | `pull-not-enabled` | 405: the queue has no HTTP pull consumer | for 30 s |
 * | `unauthorized` | 401, 403: token, e-mail or key | for 30 s, see below |
 * | `not-found` | 404, code 10107: account or queue | for 30 s, see below |
 * | `too-large` | 413, codes 10204 to 10206: over a limit in bytes or counts | for 30 s, see below |
 * | `refused` | any other 4xx | for 30 s, see below |
 * | `undecodable-body` | a pulled body is not what its content type says | the message is handled by `onInvalid` |
 * | `invalid-body` | a pulled body does not fit the schema | the message is handled by `onInvalid` |
 * | `lease-expired` | the lease ended before the message was settled | the message comes again |
 * | `lease-unknown` | the service does not know the lease any more | the message comes again, or is gone |
 * | `unconfirmed` | the service's answer does not tell what became of the settlement | the message may come again |
 * | `closed` | the consumer or queue was closed first | no |
 *
 * What is refused is asked for again for 30 s where something has worked before, or where it is something on the way that
 * says so; see {@link QueueError.inEnvelope}. Workers and browsers do not tell why a request got no answer: there it is
 * `network`. What the service refuses of a push is final, `unauthorized` excepted.
 */
export type QueueErrorCode =
  | 'network'
  | 'unknown-host'
  | 'untrusted-certificate'
  | 'forbidden-by-runtime'
  | 'unusable-address'
  | 'timeout'
  | 'rate-limited'
  | 'queue-unavailable'
  | 'service-failed'
  | 'bad-answer'
  | 'transport-failed'
  | 'delivery-paused'
  | 'pull-not-enabled'
  | 'unauthorized'
  | 'not-found'
  | 'too-large'
  | 'refused'
  | 'undecodable-body'
  | 'invalid-body'
  | 'lease-expired'
  | 'lease-unknown'
  | 'unconfirmed'
  | 'closed';

/** One entry of the `errors` of the service's answer. */
export interface ServiceError {
  /** The service's own number, such as 10107. */
  readonly code: number;
  /** What it says, for people. */
  readonly message: string;
  /** Where the service explains it. */
  readonly documentationUrl?: string;
  /** The JSON pointer of the offending part of the request. */
  readonly pointer?: string;
}

/** What a {@link QueueError} carries beside its message. */
export interface QueueErrorDetails {
  /** What went wrong. */
  readonly code: QueueErrorCode;
  /** What it came from. @defaultValue none */
  readonly cause?: unknown;
  /** The HTTP status of the answer. @defaultValue none */
  readonly status?: number;
  /** Whether the answer was in the service's own form. @defaultValue none: nobody knows */
  readonly inEnvelope?: boolean;
  /** What the service said. @defaultValue nothing */
  readonly errors?: readonly ServiceError[];
  /** How long the service asked to be left alone, in milliseconds. @defaultValue none */
  readonly retryAfterMs?: number;
}

/**
 * Everything that the library throws on purpose and that is not the caller's mistake (those are `TypeError` and
 * `RangeError`). Switch on `code`; the message is for people and may change. Holds no credential.
 */
export class QueueError extends Error {
  /** The same for all of them. */
  override readonly name = 'QueueError';
  /** What went wrong. */
  readonly code: QueueErrorCode;
  /** The HTTP status of the answer; `undefined` when there was none. */
  readonly status: number | undefined;
  /**
   * Whether a failed answer was in the service's own form, so that it is the service that says so; `false` for whatever
   * else is on the way. `undefined` when there was no answer or it could not be read, and from a transport that does not
   * tell: that is taken at its word.
   */
  readonly inEnvelope: boolean | undefined;
  /** What the service said, in its order; empty when it said nothing. */
  readonly errors: readonly ServiceError[];
  /**
   * How long the service asked to be left alone, in milliseconds; `undefined` when it did not. A call is held back for
   * five minutes at most.
   */
  readonly retryAfterMs: number | undefined;

  /**
   * For transports and hooks of your own, which tell by it what went wrong.
   *
   * @param message - for people
   * @param details - its `code`, and what else is known
   */
  constructor(message: string, details: QueueErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.errors = details.errors ?? [];
    this.status = details.status;
    this.inEnvelope = details.inEnvelope;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Where the service explains its first error, if it says so. */
  get documentationUrl(): string | undefined {
    return this.errors.find((error) => error.documentationUrl !== undefined)?.documentationUrl;
  }
}

/** The same failure in other words, with the first as its cause. */
export function inOtherWords(cause: QueueError, message: string): QueueError {
  const { code, status, inEnvelope, errors, retryAfterMs } = cause;
  return new QueueError(message, {
    code,
    cause,
    errors,
    ...(status === undefined ? {} : { status }),
    ...(inEnvelope === undefined ? {} : { inEnvelope }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
