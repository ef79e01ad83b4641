import { describe, expect, it } from 'vitest';
import { encodeBody, type EncodedBody } from '../../src/contract/body.ts';
import { limits } from '../../src/contract/limits.ts';
import type { ContentType } from '../../src/contract/message.ts';
import { encodeRaw, rawOf } from '../../src/contract/raw-body.ts';

const encode = (contentType: ContentType, raw: string | Uint8Array): EncodedBody =>
  encodeRaw({ id: 'an-id', contentType, raw });

describe('encodeRaw()', () => {
  it('takes text and JSON as they are', () => {
    for (const json of ['1234567890123456789', '[1.10, 1E400]', '{"b":1,"a":2}', ' null ']) {
      expect(encode('json', json)).toEqual({ contentType: 'json', text: json, bytes: json.length });
    }
    expect(encode('text', '{"a": 1.10}é')).toEqual({ contentType: 'text', text: '{"a": 1.10}é', bytes: 13 });
  });

  it('makes text of a string of JSON, as HTTP push takes none', () => {
    expect(encode('json', ' "a\\u0041" ')).toEqual({ contentType: 'text', text: 'aA', bytes: 2 });
  });

  it('counts JSON that would be too long as the service does: without needless escapes', () => {
    const json = `["${String.raw`\u00e9`.repeat(60_000)}"]`;
    expect(json.length).toBeGreaterThan(limits.messageBytes);
    expect(encode('json', json)).toEqual({ contentType: 'json', text: json, bytes: 120_004 });
  });

  it.each<[ContentType, string | Uint8Array]>([
    ['bytes', Uint8Array.of(1)],
    ['v8', Uint8Array.of(1)],
    ['bytes', 'no base64'],
    ['json', '{broken'],
    ['json', ''],
    ['json', '"\ud800"'],
    ['text', '\ud800'],
  ])('names the message and its content type where HTTP can not carry it: %s %j', (contentType, raw) => {
    const text = new RegExp(`Cannot move message an-id: .*${contentType}`);
    expect(() => encode(contentType, raw)).toThrow(
      expect.objectContaining({ code: 'refused', message: expect.stringMatching(text) }),
    );
  });
});

describe('rawOf()', () => {
  it('gives what came', () => {
    expect(rawOf({ raw: '1.10', contentType: 'json', body: 1.1 })).toBe('1.10');
  });

  it('encodes the body anew where a transport does not tell what came', () => {
    expect(rawOf({ contentType: 'json', body: { a: 1 } })).toBe('{"a":1}');
    expect(rawOf({ contentType: 'json', body: 'x' })).toBe('"x"');
    expect(rawOf({ contentType: 'json', body: 5, rawBody: null })).toBe('null');
    expect(rawOf({ contentType: 'text', body: 5, rawBody: 'x' })).toBe('x');
    expect(rawOf({ contentType: 'bytes', body: Uint8Array.of(1) })).toEqual(Uint8Array.of(1));
    expect(rawOf({ contentType: 'v8', body: undefined })).toBe('');
  });
});

describe('encodeBody()', () => {
  it('knows what another copy of the package encoded', () => {
    const theirs = Object.create(
      { [Symbol.for('leasestream.encoded')]: true },
      {
        text: { value: '1.10' },
      },
    ) as object;
    expect(encodeBody(theirs)).toBe(theirs);
  });
});
