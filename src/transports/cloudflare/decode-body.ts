import type { ContentType } from '../../contract/message.ts';
import { decodeBase64 } from './base64.ts';

// JSON text never starts with one of these, and base64 of JSON text always does (bar a byte order mark), since six bits
// of `{ [ " - 0…9 t f n` and of JSON's white space make exactly them.
const base64Starts = 'CDILMNOWZbde';
/** What a byte order mark is in base64. */
const markInBase64 = '77u/';

/** Made when it is needed: not every place that the library is loaded in has one. */
let utf8: InstanceType<typeof TextDecoder> | undefined;

/**
 * A body as it was pushed, as far as the wire tells.
 *
 * - `text` as it stands
 * - `json` as JSON text, as the live service sends it, or from strict base64 of UTF-8 of JSON text, as the documentation
 *   has it. No text is both.
 * - `bytes` and `v8` from base64 to a `Uint8Array`
 *
 * @returns the text that came where it is not of that type
 * @see https://developers.cloudflare.com/queues/configuration/pull-consumers/#content-types
 */
export function rawBody(contentType: ContentType, text: string): string | Uint8Array {
  if (contentType === 'text') return text;
  if (contentType === 'json') return jsonText(text);
  return decodeBase64(text) ?? text;
}

function jsonText(text: string): string {
  if (text === '' || !(base64Starts.includes(text.charAt(0)) || text.startsWith(markInBase64))) return text;
  const bytes = decodeBase64(text);
  if (bytes === undefined) return text;
  // Not `ignoreBOM`: a byte order mark is no part of the JSON.
  utf8 ??= new TextDecoder('utf-8', { fatal: true });
  try {
    return utf8.decode(bytes);
  } catch {
    return text;
  }
}

/**
 * Decodes what {@link rawBody} gave of a body.
 *
 * @throws Error when it is not of that type, and for `v8`, which not every JavaScript can read
 */
export function decodeBody(contentType: ContentType, raw: string | Uint8Array): unknown {
  if (contentType === 'v8') throw new Error('it needs a `decode`: decodeV8 of leasestream/node');
  if (contentType === 'json') return JSON.parse(String(raw));
  if (contentType === 'bytes' && typeof raw === 'string') throw new Error('it is not base64');
  return raw;
}
