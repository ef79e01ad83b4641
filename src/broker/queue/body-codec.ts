import { QueueError } from '../../contract/errors.ts';
import type { StoredBody } from './stored-message.ts';

/** The UTF-8 length of a text; a lone surrogate counts as the U+FFFD that it becomes. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

export function textBody(text: string): StoredBody {
  const wellFormed = text.toWellFormed();
  return { contentType: 'text', text: wellFormed, bytes: utf8Length(wellFormed) };
}

/**
 * @param source - the value as it was written, which is kept: all its digits, and spaces. What it is counted as is the
 * value's own length, since some clients escape more than others
 * @throws RangeError when the value is nested too deeply for `JSON.stringify`, TypeError when it has no JSON form.
 */
export function jsonBody(value: unknown, source?: string): StoredBody {
  const text: unknown = JSON.stringify(value);
  if (typeof text !== 'string') throw new TypeError('Cannot push a body that has no JSON form');
  const kept = source === undefined || source === text ? text : copyOf(source);
  return { contentType: 'json', text: kept, bytes: utf8Length(text) };
}

/** The same text by itself: a part of another keeps all of that one in memory. */
function copyOf(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** A body that only a Worker can push: its bytes, or what its runtime serialized. */
export function binaryBody(contentType: 'bytes' | 'v8', value: Uint8Array): StoredBody {
  return { contentType, text: toBase64(value), bytes: value.length };
}

/**
 * A body as a pull gives it over the wire, always a string.
 *
 * @param jsonBodies - `'plain'`: JSON as it is, as recorded of the service [live]; `'base64'`: as it is documented [doc]
 */
export function toWireBody(body: StoredBody, jsonBodies: 'plain' | 'base64'): string {
  if (body.contentType !== 'json' || jsonBodies === 'plain') return body.text;
  return toBase64(new TextEncoder().encode(body.text));
}

/** A body as the contract gives it. */
export interface ReadBody {
  readonly body: unknown;
  readonly bodyError?: QueueError;
  readonly raw: string | Uint8Array;
}

/** The value of a body, or why there is none, and the body as it was pushed. */
export function decodeBody({ contentType, text }: StoredBody): ReadBody {
  switch (contentType) {
    case 'text':
      return { body: text, raw: text };
    case 'json':
      return parseJson(text);
    case 'bytes':
    case 'v8': {
      const bytes = parseBytes(text);
      if (bytes === undefined)
        return undecodable(text, `Cannot decode a body of content type '${contentType}': it is not base64`);
      if (contentType === 'bytes') return { body: bytes, raw: bytes };
      return undecodable(bytes, "Cannot decode a body of content type 'v8': it needs a `decode`");
    }
  }
}

function parseJson(text: string): ReadBody {
  try {
    return { body: JSON.parse(text) as unknown, raw: text };
  } catch (cause) {
    return undecodable(text, "Cannot decode a body of content type 'json': it is not JSON", cause);
  }
}

function parseBytes(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function undecodable(raw: string | Uint8Array, message: string, cause?: unknown): ReadBody {
  return { body: undefined, bodyError: new QueueError(message, { code: 'undecodable-body', cause }), raw };
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  // In slices, since each byte becomes an argument of the call.
  for (let start = 0; start < bytes.length; start += 8192) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(binary);
}
