import type { ContentType } from '../../contract/message.ts';
import { decodeBase64 } from './base64.ts';

// JSON text never starts with one of these, and base64 of JSON text always does (bar a byte order mark), since six bits
// of `{ [ " - 0…9 t f n` and of JSON's white space make exactly them. So a look at one character saves the exception
// that `JSON.parse` would throw for each message of a service that sends base64.
const base64Starts = 'CDILMNOWZbde';

// Not `ignoreBOM`: a byte order mark is no part of the JSON.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Decodes the body of a pulled or peeked message.
 *
 * - `text` as it stands; `bytes` from base64 to a `Uint8Array`
 * - `json` from JSON text, as the live service sends it, else from strict base64 of UTF-8 of JSON text, as the
 *   documentation has it. No text is both.
 *
 * @throws Error when the text is not of that type, and for `v8`, which only Workers can read
 * @see https://developers.cloudflare.com/queues/configuration/pull-consumers/#content-types
 */
export function decodeBody(contentType: ContentType, text: string): unknown {
  switch (contentType) {
    case 'text':
      return text;
    case 'json':
      return decodeJson(text);
    case 'bytes':
      return decodeBytes(text);
    default:
      throw new Error('only Workers can read v8: send it as json, text or bytes');
  }
}

function decodeJson(text: string): unknown {
  if (text !== '' && base64Starts.includes(text.charAt(0))) return decodeBase64Json(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (decodeBase64(text) === undefined) throw error;
    return decodeBase64Json(text);
  }
}

function decodeBase64Json(text: string): unknown {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new Error('it is neither JSON nor base64 of JSON');
  return JSON.parse(utf8.decode(bytes));
}

function decodeBytes(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new Error('it is not base64');
  return bytes;
}
