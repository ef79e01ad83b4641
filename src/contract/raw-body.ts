import { EncodedBody, encodeBody, utf8Length } from './body.ts';
import { QueueError } from './errors.ts';
import { limits } from './limits.ts';
import type { PulledMessage } from './message.ts';

/** A message that can be moved as it came: a leased message is one. */
export interface MovableMessage {
  readonly id: string;
  readonly contentType: PulledMessage['contentType'];
  readonly raw: string | Uint8Array;
}

interface RawSource extends Pick<PulledMessage, 'raw' | 'contentType' | 'body'> {
  /** The decoded body as it came, where something else was made of it. */
  readonly rawBody?: unknown;
}

/**
 * The body as it came.
 *
 * @throws TypeError when a transport that does not tell it gave a body that has no representation
 */
export function rawOf({ raw, contentType, body, rawBody = body }: RawSource): string | Uint8Array {
  if (raw !== undefined) return raw;
  if (typeof rawBody === 'string') return contentType === 'json' ? JSON.stringify(rawBody) : rawBody;
  if (rawBody === undefined) return '';
  return rawBody instanceof Uint8Array ? rawBody : encodeBody(rawBody).text;
}

/**
 * The body of a message for a push that moves it: to the last character as it came. A string of JSON, which HTTP push does
 * not take, becomes the `text` that whoever decodes it finds there.
 *
 * @throws QueueError `refused` that names the message and its content type when HTTP push can't carry it: `bytes`, `v8`,
 * what is not of its content type
 */
export function encodeRaw({ id, contentType, raw }: MovableMessage): EncodedBody {
  let cause: unknown;
  if (typeof raw === 'string' && raw.isWellFormed()) {
    if (contentType === 'text') return new EncodedBody('text', raw);
    try {
      if (contentType === 'json') return encodeJson(raw, JSON.parse(raw));
    } catch (error) {
      cause = error;
    }
  }
  const text = `Cannot move message ${id}: HTTP push takes text and JSON, and it is ${contentType}`;
  throw new QueueError(cause === undefined ? text : `${text} that can't be parsed`, { code: 'refused', cause });
}

function encodeJson(text: string, value: unknown): EncodedBody {
  if (typeof value === 'string') return new EncodedBody('text', value);
  const body = new EncodedBody('json', text);
  // Some clients escape all that is not ASCII, and the service does not count that: it took the message before.
  return body.bytes > limits.messageBytes ? new EncodedBody('json', text, utf8Length(JSON.stringify(value))) : body;
}
