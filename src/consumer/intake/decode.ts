import { watch } from '../../contract/callback.ts';
import { show } from '../../contract/check-options.ts';
import { copyWith } from '../../contract/copy-with.ts';
import { QueueError } from '../../contract/errors.ts';
import type { PulledMessage } from '../../contract/message.ts';
import { rawOf } from '../../contract/raw-body.ts';
import type { HeldMessage } from '../../lease/lease.ts';

/** What is known of a message whose body is to be decoded. */
export type UndecodedMessage = Pick<PulledMessage, 'id' | 'contentType' | 'metadata'>;

/**
 * Makes a body of what came.
 *
 * @param raw - as `message.raw`: the text of `text` and `json`, the bytes of `bytes` and `v8`, the text that came where it is
 * not of its content type
 * @returns the body, at once: no promise
 * @throws anything when it can't: `onInvalid` is asked then
 */
export type DecodeBody<Body = unknown> = (raw: string | Uint8Array, message: UndecodedMessage) => Body;

/** How bodies are decoded. */
export type Decode = 'raw' | 'text' | 'json' | DecodeBody;

/** A message as it was decoded. */
export interface Decoded {
  readonly message: HeldMessage;
  /** Why it can't be handed out. */
  readonly error?: Error;
}

/** Decodes a body anew where it is asked for; without `how` the transport's word stands. */
export function decode(message: PulledMessage, how: Decode | undefined): Decoded {
  const { id, contentType, bodyError, raw, body: rawBody } = message;
  const isUnknown = bodyError !== undefined && raw === undefined;
  if (how === undefined || isUnknown || (how === 'json' && contentType === 'json')) {
    return bodyError === undefined ? { message } : { message, error: bodyError };
  }
  try {
    return { message: copyWith(message, { body: bodyOf(message, how), rawBody }) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : show(cause);
    const text = `Cannot decode the body of message ${id}, ${contentType}: ${reason}`;
    const error = new QueueError(text, { code: 'undecodable-body', cause });
    return { message: copyWith(message, { body: undefined, rawBody }), error };
  }
}

function bodyOf(message: PulledMessage, how: Decode): unknown {
  const { id, contentType, metadata } = message;
  const raw = rawOf(message);
  if (typeof how === 'function') return atOnce(how(raw, { id, contentType, metadata }));
  if (how === 'raw') return raw;
  if (typeof raw !== 'string' || (contentType !== 'text' && contentType !== 'json')) throw new Error('it is no text');
  return how === 'text' ? raw : JSON.parse(raw);
}

/** Nobody would await a promise here, and one that rejects would end the process. */
function atOnce(body: unknown): unknown {
  if (!(body instanceof Promise)) return body;
  watch(body);
  throw new TypeError("'decode' must give a body at once: what it gave is a promise");
}
