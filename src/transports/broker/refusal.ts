/** An answer of the service that is not a success. Thrown wherever a request turns out to be wrong. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: number;
  /** The JSON pointer of the offending part of the request. */
  readonly pointer: string | undefined;
  /** When to come back, in seconds; `undefined` when the answer does not say. */
  readonly retryAfterSeconds: number | undefined;
  /** What else the head of the answer says. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: number, message: string, details: RefusalDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.pointer = details.pointer;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.headers = details.headers ?? {};
  }
}

/** What a few refusals say beside their message. */
export interface RefusalDetails {
  readonly pointer?: string | undefined;
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The refusals of the broker. Where they are from: [doc] the service's list of error codes, [live] recorded by others
 * against the service, [inf] our choice among the documented codes.
 *
 * @see https://developers.cloudflare.com/queues/reference/error-codes/
 */
export const refusals = {
  /** [doc] No credentials, or wrong ones. Which of the two statuses is [inf]. */
  authentication: (status: 401 | 403): Refusal => new Refusal(status, 10_000, 'Authentication error'),
  /** [live] A path that nothing is at. */
  noRoute: (): Refusal => new Refusal(404, 7000, 'No route for that URI'),
  /** [live] Another account. */
  noAccount: (path: string): Refusal =>
    new Refusal(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`),
  /** [inf] */
  methodNotAllowed: (method: string, allowed: Iterable<string>): Refusal =>
    new Refusal(405, 7001, `Method ${method} not available for that URI`, {
      headers: { allow: [...allowed].toSorted().join(', ') },
    }),
  /** [doc] A queue id that is not 32 hex characters; a queue's *name* in its place, say. */
  malformedQueueId: (): Refusal => new Refusal(400, 10_107, 'Queue ID is malformed'),
  /** [doc] */
  noQueue: (): Refusal => new Refusal(404, 11_000, 'Queue does not exist'),
  /** [live] No HTTP pull consumer. */
  pullNotEnabled: (): Refusal => new Refusal(405, 0, 'messages cannot be pulled unless http_pull mode is enabled'),
  /** [doc] status and text, [inf] code. */
  deliveryPaused: (): Refusal => new Refusal(409, 0, 'queue_delivery_paused'),
  /** [doc] */
  delay: (pointer?: string): Refusal =>
    new Refusal(400, 10_202, 'delay_seconds must be an integer in 0..86400', { pointer }),
  /** [doc] code; that an unknown content type is a matter of metadata is [inf]. */
  contentType: (pointer: string): Refusal =>
    new Refusal(400, 10_203, "content_type must be 'text' or 'json' over HTTP", { pointer }),
  /** [doc] code, [inf] text, after that of the batch. */
  messageSize: (bytes: number, limit: number): Refusal =>
    new Refusal(400, 10_204, `message size of ${bytes} bytes exceeds limit of ${limit} bytes (10204)`),
  /** [live] */
  batchSize: (bytes: number, limit: number): Refusal =>
    new Refusal(400, 10_205, `batch size of ${bytes} bytes exceeds limit of ${limit} bytes (10205)`),
  /** [doc] code, [inf] text. */
  batchCount: (count: number, limit: number): Refusal =>
    new Refusal(400, 10_206, `batch count of ${count} exceeds limit of ${limit} (10206)`),
  /** [doc] */
  emptyBatch: (): Refusal => new Refusal(400, 10_013, 'batch contains no messages'),
  /** [live] for a string as JSON body: `Expected object, received string at "body"`. */
  unexpected: (problem: string, path: string): Refusal =>
    new Refusal(400, 10_207, path === '' ? problem : `${problem} at "${path}"`, { pointer: pointerOf(path) }),
  /** [doc] Not JSON. */
  malformedBody: (problem: string): Refusal => new Refusal(400, 10_208, `Request body is malformed: ${problem}`),
  /** [doc] code; that it covers the numbers of a pull is [inf]. */
  invalid: (problem: string, pointer?: string): Refusal => new Refusal(400, 10_026, problem, { pointer }),
  /** The service's own minimum is unknown; this one is an option of the broker. */
  visibilityTimeout: (leastMs: number): Refusal =>
    refusals.invalid(`visibility_timeout_ms must be an integer in ${leastMs}..43200000`, '/visibility_timeout_ms'),
  /** [inf] code, after wrangler's report of it. */
  queueNameTaken: (name: string): Refusal =>
    new Refusal(409, 11_009, `Queue name '${name}' is already taken. Please use a different name and try again.`),
  /** [inf] */
  consumerExists: (): Refusal => new Refusal(409, 11_004, 'Queue already has a consumer'),
  /** [inf] */
  noConsumer: (): Refusal => new Refusal(404, 11_001, 'Consumer does not exist'),
  /** [live] code, which wrangler knows for invalid consumer settings. */
  consumerSettings: (problem: string, pointer?: string): Refusal => new Refusal(400, 100_127, problem, { pointer }),
  /** [live] code, which wrangler knows for invalid queue settings. */
  queueSettings: (problem: string, pointer?: string): Refusal => new Refusal(400, 100_128, problem, { pointer }),
  /** An option of the broker: what the service does is unknown. */
  unknownLease: (pointer: string): Refusal => refusals.invalid('lease_id is not known', pointer),
  /** [doc] */
  rateLimited: (retryAfterSeconds: number): Refusal =>
    new Refusal(429, 971, 'Please wait and consider throttling your request speed', { retryAfterSeconds }),
  /** [doc] */
  queueOverloaded: (retryAfterSeconds: number): Refusal =>
    new Refusal(429, 10_250, 'Queue is overloaded, please back off', { retryAfterSeconds }),
  /** [doc] */
  internal: (): Refusal => new Refusal(500, 15_000, 'Unknown internal error'),
} as const;

/** The JSON pointer of a path such as `messages[3].body`. */
export function pointerOf(path: string): string {
  return path === '' ? '' : `/${path.replaceAll(/\[(\d+)\]/g, '.$1').replaceAll('.', '/')}`;
}
