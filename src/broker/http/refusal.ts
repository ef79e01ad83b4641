import { type RefusalName, refusalTable } from './refusal-table.ts';

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

/** The refusals of the broker, each a row of the table, which says how it is known. */
export const refusals = {
  authentication: (status: 401 | 403): Refusal => refuse(status === 401 ? 'noCredentials' : 'wrongCredentials'),
  /** A path that nothing is at. */
  noRoute: (): Refusal => refuse('noRoute'),
  /** Another account. */
  noAccount: (path: string): Refusal => refuse('noAccount', { path }),
  methodNotAllowed: (method: string, allowed: Iterable<string>): Refusal =>
    refuse('methodNotAllowed', { method }, { headers: { allow: [...allowed].toSorted().join(', ') } }),
  /** A queue id that is not 32 hex characters; a queue's *name* in its place, say. */
  malformedQueueId: (): Refusal => refuse('malformedQueueId'),
  noQueue: (pointer?: string): Refusal => refuse('noQueue', {}, { pointer }),
  /** No HTTP pull consumer. */
  pullNotEnabled: (): Refusal => refuse('pullNotEnabled'),
  deliveryPaused: (): Refusal => refuse('deliveryPaused'),
  delay: (pointer?: string): Refusal => refuse('delay', {}, { pointer }),
  contentType: (path: string): Refusal => refuse('contentType', {}, { pointer: pointerOf(path) }),
  messageSize: (bytes: number, limit: number): Refusal => refuse('messageSize', { bytes, limit }),
  batchSize: (bytes: number, limit: number): Refusal => refuse('batchSize', { bytes, limit }),
  batchCount: (count: number, limit: number): Refusal => refuse('batchCount', { count, limit }),
  emptyBatch: (): Refusal => refuse('emptyBatch'),
  unexpected: (problem: string, path: string): Refusal => {
    const where = path === '' ? problem : `${problem} at "${path}"`;
    return refuse('unexpected', { problem: where }, { pointer: pointerOf(path) });
  },
  /** Not JSON. */
  malformedBody: (problem: string): Refusal => refuse('malformedBody', { problem }),
  invalid: (problem: string, pointer?: string): Refusal => refuse('invalid', { problem }, { pointer }),
  /** The service's own minimum is unknown; this one is an option of the broker. */
  visibilityTimeout: (leastMs: number): Refusal =>
    refusals.invalid(`visibility_timeout_ms must be an integer in ${leastMs}..43200000`, '/visibility_timeout_ms'),
  queueName: (name: string): Refusal => refuse('queueName', { name }, { pointer: '/queue_name' }),
  queueNameTaken: (name: string): Refusal => refuse('queueNameTaken', { name }, { pointer: '/queue_name' }),
  queueSettings: (problem: string, pointer: string): Refusal => refuse('queueSettings', { problem }, { pointer }),
  jurisdiction: (): Refusal => refuse('jurisdiction', {}, { pointer: '/jurisdiction' }),
  consumerExists: (): Refusal => refuse('consumerExists'),
  consumerType: (): Refusal => refuse('consumerType', {}, { pointer: '/type' }),
  consumerScript: (): Refusal => refuse('consumerScript', {}, { pointer: '/script_name' }),
  noConsumer: (): Refusal => refuse('noConsumer'),
  consumerSettings: (problem: string, pointer: string): Refusal => refuse('consumerSettings', { problem }, { pointer }),
  unknownLease: (pointer: string): Refusal => refuse('unknownLease', {}, { pointer }),
  subscription: (problem: string, pointer: string): Refusal => refuse('subscription', { problem }, { pointer }),
  eventTypes: (events: readonly string[]): Refusal =>
    refuse('eventTypes', { events: events.join(', ') }, { pointer: '/events' }),
  subscriptionExists: (): Refusal => refuse('subscriptionExists', {}, { pointer: '/source' }),
  noSubscription: (): Refusal => refuse('noSubscription'),
  rateLimited: (retryAfterSeconds: number): Refusal => refuse('rateLimited', {}, { retryAfterSeconds }),
  queueOverloaded: (retryAfterSeconds: number): Refusal => refuse('queueOverloaded', {}, { retryAfterSeconds }),
  internal: (): Refusal => refuse('internal'),
} as const;

/** The refusal of a row of the table. */
export function refuse(
  name: RefusalName,
  values: Readonly<Record<string, string | number>> = {},
  details: RefusalDetails = {},
): Refusal {
  const { status, code, text } = refusalTable[name];
  const message = text.replaceAll(/\{([a-z]\w*)\}/gi, (_, key: string) => String(values[key]));
  return new Refusal(status, code, message, details);
}

/** The JSON pointer of a path such as `messages[3].body`. */
export function pointerOf(path: string): string {
  return path === '' ? '' : `/${path.replaceAll(/\[(\d+)\]/g, '.$1').replaceAll('.', '/')}`;
}
