import { tagOf } from './check-options.ts';

/** Registered, so that two copies of the package agree. */
const encoded = Symbol.for('leasestream.encoded');

/** A body as it will be pushed: encoded once, when it was handed over, so that a later change can't reach it. */
export class EncodedBody {
  /** How it is encoded. */
  readonly contentType: 'text' | 'json';
  /** The text itself for `text`, JSON text for `json`. */
  readonly text: string;
  /** What the service counts against its limits: the UTF-8 length of `text`, or of JSON without needless escapes. */
  readonly bytes: number;

  /**
   * Takes a body that is encoded already; `encodeBody()` encodes.
   *
   * @param contentType - `'json'` for JSON text
   * @param text - the body
   * @param bytes - what the service counts, unless the length of `text` in UTF-8 is it
   */
  constructor(contentType: 'text' | 'json', text: string, bytes: number = utf8Length(text)) {
    this.contentType = contentType;
    this.text = text;
    this.bytes = bytes;
  }

  static {
    Object.defineProperty(this.prototype, encoded, { value: true });
  }
}

/** Whether a body has been encoded before. */
export function isEncoded(body: unknown): body is EncodedBody {
  return typeof body === 'object' && body !== null && encoded in body;
}

/**
 * Encodes a body for a push.
 *
 * @param body - a string, anything `JSON.stringify` can represent, or an `EncodedBody`, which is given back as it is
 * @param contentType - `'text'` for a string, `'json'` for everything else, unless given
 * @throws TypeError when the body has no representation: `undefined`, a function, a symbol, a `BigInt`, a cycle, bytes,
 * a number that is not finite, an invalid date, what has its contents elsewhere than in properties (a `Map`, a `Set`, an
 * `Error`, a promise), a lone surrogate, a string as `json` (the service refuses it), anything but a string as
 * `text`.
 */
export function encodeBody(body: unknown, contentType?: 'text' | 'json'): EncodedBody {
  if (isEncoded(body)) return body;
  if (contentType !== undefined && contentType !== 'text' && contentType !== 'json') {
    throw new TypeError(`Cannot push with content type '${String(contentType)}': HTTP push takes 'text' and 'json'`);
  }
  return typeof body === 'string' ? encodeText(body, contentType) : encodeJson(body, contentType);
}

function encodeText(body: string, contentType: 'text' | 'json' | undefined): EncodedBody {
  if (contentType === 'json') {
    throw new TypeError("Cannot push a string as 'json': the service refuses it, push it as 'text'");
  }
  if (!body.isWellFormed()) throw new TypeError('Cannot push a text with a lone surrogate: it has no UTF-8 form');
  return new EncodedBody('text', body);
}

function encodeJson(body: unknown, contentType: 'text' | 'json' | undefined): EncodedBody {
  if (contentType === 'text') {
    throw new TypeError(`Cannot push a body of type ${typeOf(body)} as 'text': only a string is text`);
  }
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) {
    throw new TypeError("Cannot push bytes: HTTP push takes 'text' and 'json', encode them as base64 text");
  }
  const text = stringify(body);
  if (text === undefined) throw new TypeError(`Cannot push a body of type ${typeOf(body)}: it has no JSON form`);
  // A Date, say: what has a string for its JSON form goes the way of strings.
  if (text.startsWith('"')) return encodeText(JSON.parse(text) as string, contentType);
  // All are rare, so that the second walk is paid only by bodies that may need it.
  const isSuspect = text.includes('null') || text.includes('{}') || text.includes(String.raw`\ud`);
  if (isSuspect) JSON.stringify(body, refuseLossy);
  return new EncodedBody('json', text);
}

function stringify(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new TypeError(`Cannot push a body that has no JSON form: ${(cause as Error).message}`, { cause });
  }
}

function refuseLossy(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  if (!key.isWellFormed()) {
    throw new TypeError(`Cannot push an object with a lone surrogate in its key '${key}': it has no UTF-8 form`);
  }
  const where = key === '' ? '' : ` at '${key}'`;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`Cannot push ${value}${where}: JSON would turn it into null`);
  }
  const original = this[key];
  if (original instanceof Date && value === null) {
    throw new TypeError(`Cannot push an invalid date${where}: JSON would turn it into null`);
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new TypeError(`Cannot push a string with a lone surrogate at '${key}': it has no UTF-8 form`);
  }
  if (isLostInJson(value))
    throw new TypeError(`Cannot push a value of type ${tagOf(value)}${where}: JSON would turn it into {}`);
  return value;
}

/** Whether it has its contents elsewhere than in properties: a `Map`, an `Error`, a promise. */
function isLostInJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length > 0) return false;
  return !['Object', 'Array', 'Number', 'String', 'Boolean'].includes(tagOf(value));
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

/** The UTF-8 length of a well-formed text. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
