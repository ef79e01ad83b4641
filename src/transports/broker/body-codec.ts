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

/** A body as the contract gives it: the value, or why there is none. */
export function decodeBody(body: StoredBody): { readonly body: unknown; readonly bodyError?: QueueError } {
  switch (body.contentType) {
    case 'text':
      return { body: body.text };
    case 'bytes':
      return parseBytes(body.text);
    case 'json':
      return parseJson(body.text);
    case 'v8':
      return undecodable("Cannot decode a body of content type 'v8': only a Worker can read it");
  }
}

function parseJson(text: string): { readonly body: unknown; readonly bodyError?: QueueError } {
  try {
    return { body: JSON.parse(text) as unknown };
  } catch (cause) {
    return undecodable("Cannot decode a body of content type 'json': it is not JSON", cause);
  }
}

function parseBytes(text: string): { readonly body: unknown; readonly bodyError?: QueueError } {
  try {
    return { body: Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) };
  } catch (cause) {
    return undecodable("Cannot decode a body of content type 'bytes': it is not base64", cause);
  }
}

function undecodable(message: string, cause?: unknown): { readonly body: undefined; readonly bodyError: QueueError } {
  return { body: undefined, bodyError: new QueueError(message, { code: 'undecodable-body', cause }) };
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  // In slices, since each byte becomes an argument of the call.
  for (let start = 0; start < bytes.length; start += 8192) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(binary);
}
