import { encodeBody } from '../contract/body.ts';
import { rule } from '../contract/check-options.ts';
import { QueueError } from '../contract/errors.ts';
import type { OutgoingMessage, QueueMetrics } from '../contract/message.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { bindingFailure } from './binding-failure.ts';

/** How a binding sends one message. */
export interface BindingSendOptions {
  /** How the body is encoded. @defaultValue the platform's own */
  readonly contentType?: 'text' | 'json';
  /**
   * How long the message stays invisible, in seconds, 0 to 86 400.
   *
   * @defaultValue the queue's own `delivery_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
}

/** A queue as a Worker is bound to it: what `env` holds by the name of its `[[queues.producers]]`. */
export interface QueueBinding<Body = unknown> {
  /** Pushes a message. */
  send(body: Body, options?: BindingSendOptions): Promise<unknown>;
  /** Pushes up to 100 messages. */
  sendBatch(
    messages: Iterable<BindingSendOptions & { readonly body: Body }>,
    options?: Pick<BindingSendOptions, 'delaySeconds'>,
  ): Promise<unknown>;
  /** Not every runtime has it. */
  metrics?(): Promise<unknown>;
}

const must = "a queue binding: what 'env' holds by the name of its [[queues.producers]]";

/**
 * Gives a Worker's queue binding as what `openQueue` takes: `send`, `sendBatch`, `metrics` and the sinks go by it, without a
 * token, and with the same limits, repeats and errors as over HTTP.
 *
 * - Bodies go as `text` and `json`, as over HTTP, whoever reads them.
 * - A binding can't pull: a consumer of such a handle ends with a `QueueError` of code `transport-failed`. Its platform pushes
 *   instead, to what {@link toQueueHandler} makes.
 * - A binding tells what went wrong by its message alone: the service's code at its end means what it means over HTTP, and so
 *   do the words of a status; `TypeError` and `RangeError` are final; all else is taken for a failure that passes, and is tried
 *   again for a minute.
 * - A handle may be opened once, for all requests.
 *
 * @throws TypeError when it is no binding: one that is missing from the configuration is `undefined`
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 * import { fromBinding, type QueueBinding } from 'leasestream/workers';
 *
 * export default {
 *   async fetch(request: Request, env: { JOBS: QueueBinding }): Promise<Response> {
 *     const jobs = openQueue<{ url: string }>(fromBinding(env.JOBS));
 *     await jobs.send({ url: request.url }, { delaySeconds: 60 });
 *     return new Response('accepted', { status: 202 });
 *   },
 * };
 * ```
 */
export function fromBinding(binding: QueueBinding<never>): { readonly transport: QueueTransport } {
  if (typeof binding?.send !== 'function' || typeof binding.sendBatch !== 'function') {
    throw new TypeError(rule('open a queue', 'binding', must, binding));
  }
  return {
    transport: {
      push: (message) =>
        call('push', async () => {
          const { body, ...options } = itemOf(message);
          await binding.send(body, options);
          return {};
        }),
      bulkPush: ({ messages, delaySeconds }) =>
        call('bulk push', async () => {
          await binding.sendBatch(messages.map(itemOf), delaySeconds === undefined ? {} : { delaySeconds });
          return {};
        }),
      pull: () => refuse('pull'),
      ack: () => refuse('ack'),
      peek: () => refuse('peek'),
      purge: () => refuse('purge'),
      metrics: () =>
        call('read metrics', async () => (binding.metrics === undefined ? refuse('read metrics') : metricsOf(binding))),
    },
  };
}

async function call<Result>(action: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    throw bindingFailure(action, error);
  }
}

/** Of whatever type the binding's bodies are said to be: that is for the handle to say. */
function itemOf({ body, contentType, delaySeconds }: OutgoingMessage): BindingSendOptions & { body: never } {
  const encoded = encodeBody(body, contentType);
  // The binding encodes it anew.
  const value = encoded.contentType === 'text' ? encoded.text : parseExactly(encoded.text);
  return {
    body: value as never,
    contentType: encoded.contentType,
    ...(delaySeconds !== undefined && { delaySeconds }),
  };
}

/** Of newer engines: what `JSON.stringify` writes as it stands, and a reviver that is told what was read. */
interface NewerJson {
  rawJSON?(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ): unknown;
}

/** Parses JSON so that it is written again as it was, to the last digit. */
function parseExactly(text: string): unknown {
  const json: NewerJson = JSON;
  return json.parse(text, (_, value, context) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || source === String(value)) return value;
    return json.rawJSON?.(source) ?? value;
  });
}

async function refuse(action: string): Promise<never> {
  const text = `Cannot ${action} by a Worker's queue binding: it only sends, the platform pushes to a queue() handler, which toQueueHandler() makes`;
  throw new QueueError(text, { code: 'transport-failed' });
}

async function metricsOf(binding: QueueBinding<never>): Promise<QueueMetrics> {
  const said = (await binding.metrics?.()) as Partial<QueueMetrics> & { oldestMessageTimestamp?: Date | number };
  const { backlogCount, backlogBytes = 0, oldestMessageTimestamp } = said;
  if (typeof backlogCount !== 'number') {
    throw new QueueError('Cannot read metrics: the binding gave no backlog count', { code: 'bad-answer' });
  }
  return { backlogCount, backlogBytes, oldestMessageTimestampMs: Number(oldestMessageTimestamp ?? 0) };
}
