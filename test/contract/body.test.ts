import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedBody, encodeBody } from '../../src/contract/body.ts';

describe('encodeBody()', () => {
  it.each<[string, unknown, 'text' | 'json', string]>([
    ['a string', 'hello', 'text', 'hello'],
    ['an empty string', '', 'text', ''],
    ['a string that looks like JSON', '{"a":1}', 'text', '{"a":1}'],
    ['an object', { a: [1, 'x', null] }, 'json', '{"a":[1,"x",null]}'],
    ['a number', 1.5, 'json', '1.5'],
    ['a boolean', false, 'json', 'false'],
    ['null', null, 'json', 'null'],
    ['a null inside', { a: null }, 'json', '{"a":null}'],
    ['the text null', { a: 'null' }, 'json', '{"a":"null"}'],
    ['a whole surrogate pair', { a: '🎉' }, 'json', '{"a":"🎉"}'],
    ['an escape that is no surrogate', { a: String.raw`\ud800` }, 'json', String.raw`{"a":"\\ud800"}`],
    ['a date, whose JSON is a string', new Date(0), 'text', '1970-01-01T00:00:00.000Z'],
    ['a date inside', [new Date(0)], 'json', '["1970-01-01T00:00:00.000Z"]'],
    ['an object with toJSON', { toJSON: () => ({ b: 1 }) }, 'json', '{"b":1}'],
    ['an object whose toJSON is a string', { toJSON: () => 'x"y' }, 'text', 'x"y'],
    ['an empty object', {}, 'json', '{}'],
    ['an object without a prototype', Object.create(null), 'json', '{}'],
    ['an empty object of a class', new (class Ping {})(), 'json', '{}'],
    ['the text of an empty object, and an empty list', { a: '{}', b: [] }, 'json', '{"a":"{}","b":[]}'],
    ['an undefined property', { a: undefined, b: 1 }, 'json', '{"b":1}'],
  ])('encodes %s', (_, body, contentType, text) => {
    expect(encodeBody(body)).toStrictEqual(new EncodedBody(contentType, text));
    // What only becomes a string in JSON goes as text by itself, but is no string to be pushed as text.
    if (contentType === 'text' && typeof body !== 'string') return;
    expect(encodeBody(body, contentType)).toStrictEqual(new EncodedBody(contentType, text));
  });

  it('gives an encoded body back as it is', () => {
    const encoded = encodeBody({ a: 1 });
    expect(encodeBody(encoded)).toBe(encoded);
  });

  it('is not reached by a later change', () => {
    const body = { a: 1 };
    const encoded = encodeBody(body);
    body.a = 2;
    expect(encoded.text).toBe('{"a":1}');
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'of type undefined'],
    ['a function', () => 1, 'of type function'],
    ['a symbol', Symbol('x'), 'of type symbol'],
    ['an object whose toJSON is undefined', { toJSON: () => undefined }, 'of type object'],
    ['a BigInt', 5n, 'BigInt'],
    ['a BigInt inside', { a: [5n] }, 'BigInt'],
    ['a cycle', cycle, 'circular'],
    ['a Uint8Array', new Uint8Array(2), 'Cannot push bytes'],
    ['a Buffer', Buffer.from('x'), 'Cannot push bytes'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'Cannot push bytes'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'Cannot push bytes'],
    ['NaN', Number.NaN, 'NaN'],
    ['Infinity', Infinity, 'Infinity'],
    ['an invalid date', new Date(Number.NaN), 'an invalid date: JSON'],
    ['an invalid date inside', [{ at: new Date(Number.NaN) }], "an invalid date at 'at'"],
    ['a map', new Map([[1, 2]]), 'of type Map: JSON'],
    ['a set inside', { ids: new Set([1]) }, "of type Set at 'ids'"],
    ['an error inside', { error: new Error('x') }, "of type Error at 'error'"],
    ['a promise inside', [Promise.resolve(1)], "of type Promise at '0'"],
    ['NaN inside', { a: { b: [1, Number.NaN] } }, "NaN at '1'"],
    ['-Infinity inside', { a: -Infinity }, "-Infinity at 'a'"],
    ['a lone high surrogate', 'a\ud800', 'lone surrogate'],
    ['a lone low surrogate', '\udc00a', 'lone surrogate'],
    ['a lone surrogate inside', { a: ['x', { b: '\udfff' }] }, "lone surrogate at 'b'"],
    ['a lone surrogate in a key', { '\ud800': 1 }, 'lone surrogate in its key'],
    ['a lone surrogate out of toJSON', { toJSON: () => '\ud800' }, 'lone surrogate'],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error('no way');
        },
      },
      'no way',
    ],
  ])('refuses %s', (_, body, message) => {
    const run = () => encodeBody(body);
    expect(run).toThrow(TypeError);
    expect(run).toThrow('Cannot push');
    expect(run).toThrow(message);
  });

  it.each<[string, unknown, unknown, string]>([
    ['a string as json', 'x', 'json', "Cannot push a string as 'json'"],
    ['a date as json', new Date(0), 'json', "Cannot push a string as 'json'"],
    ['an object as text', {}, 'text', "Cannot push a body of type object as 'text'"],
    ['null as text', null, 'text', "of type null as 'text'"],
    ['a date as text', new Date(0), 'text', "of type object as 'text'"],
    ['a number as text', 5, 'text', "of type number as 'text'"],
    ['bytes', 'x', 'bytes', "content type 'bytes'"],
    ['v8', {}, 'v8', "content type 'v8'"],
    ['no type', {}, null, "content type 'null'"],
  ])('refuses %s', (_, body, contentType, message) => {
    const run = () => encodeBody(body, contentType as 'text');
    expect(run).toThrow(TypeError);
    expect(run).toThrow(message);
  });

  it('encodes whatever is JSON so that it comes out the same, and counts its bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const { contentType, text, bytes } = encodeBody(value);
        expect(bytes).toBe(Buffer.byteLength(text));
        expect(contentType === 'text' ? text : JSON.parse(text)).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
  it('refuses every string that has no UTF-8 form, wherever it stands', () => {
    const units = fc.string({ unit: fc.constantFrom('a', 'é', '\ud83c', '\udf89', '\u2028'), maxLength: 6 });
    fc.assert(
      fc.property(units, (text) => {
        for (const body of [text, [text], { [text]: 1 }, { a: { b: text } }]) {
          if (text.isWellFormed()) expect(encodeBody(body).text.isWellFormed()).toBe(true);
          else expect(() => encodeBody(body)).toThrow('lone surrogate');
        }
      }),
    );
  });
});

describe('EncodedBody', () => {
  it.each([
    ['', 0],
    ['a', 1],
    ['\u007f', 1],
    ['\u0080', 2],
    ['\u07ff', 2],
    ['\u0800', 3],
    ['\uffff', 3],
    ['🎉', 4],
  ])('counts the UTF-8 bytes of %j', (text, bytes) => {
    expect(new EncodedBody('text', text).bytes).toBe(bytes);
  });
  it('counts as Buffer.byteLength does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(new EncodedBody('text', text).bytes).toBe(Buffer.byteLength(text));
      }),
    );
  });
});
