import { checkInteger, checkOneOf, rule } from '../../contract/check-options.ts';
import { limits } from '../../contract/limits.ts';
import type { ContentType } from '../../contract/message.ts';
import { binaryBody, jsonBody, textBody, utf8Length } from './body-codec.ts';
import type { MessageQueue } from './queue.ts';
import type { StoredBody } from './stored-message.ts';

/** A message as a Worker may push it: of any content type, which HTTP can't. */
export interface WorkerMessage {
  /** A string for `text`, a `Uint8Array` for `bytes` and `v8`, anything with a JSON form for `json`. */
  readonly body: unknown;
  /** How it is encoded. @defaultValue `'text'` for a string, `'bytes'` for a `Uint8Array`, else `'json'` */
  readonly contentType?: ContentType;
  /**
   * How long it stays invisible, in seconds, 0..86 400.
   *
   * @defaultValue the queue's `deliveryDelaySeconds`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
  /**
   * Takes `body` (a string) for what a pull shall give over the wire, whether or not it is of its content type. For
   * tests of what happens to broken bodies.
   *
   * @defaultValue false
   */
  readonly raw?: boolean;
}

const action = 'push';

/**
 * Pushes a message past the HTTP side, and past its limits.
 *
 * @returns the message's id
 * @throws TypeError or RangeError when body, content type and delay don't go together
 */
export function pushFromWorker(queue: MessageQueue, message: WorkerMessage): string {
  const { body, contentType = contentTypeOf(body), delaySeconds, raw = false } = message;
  checkOneOf(action, 'contentType', contentType, ['text', 'json', 'bytes', 'v8']);
  if (delaySeconds !== undefined) checkInteger(action, 'delaySeconds', delaySeconds, [0, limits.delaySeconds]);
  return queue.push(raw ? rawBody(contentType, body) : encode(contentType, body), delaySeconds);
}

function contentTypeOf(body: unknown): ContentType {
  if (typeof body === 'string') return 'text';
  return body instanceof Uint8Array ? 'bytes' : 'json';
}

function encode(contentType: ContentType, body: unknown): StoredBody {
  switch (contentType) {
    case 'json':
      return jsonBody(body);
    case 'text':
      return textBody(asString(body));
    case 'bytes':
    case 'v8':
      if (!(body instanceof Uint8Array)) throw new TypeError(rule(action, 'body', 'a Uint8Array', body));
      return binaryBody(contentType, body);
  }
}

function rawBody(contentType: ContentType, body: unknown): StoredBody {
  const text = asString(body);
  return { contentType, text, bytes: utf8Length(text) };
}

function asString(body: unknown): string {
  if (typeof body !== 'string') throw new TypeError(rule(action, 'body', 'a string', body));
  return body;
}
