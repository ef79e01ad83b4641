import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedBody } from '../../../src/contract/body.ts';
import { QueueError } from '../../../src/contract/errors.ts';
import {
  decodeAckResult,
  decodeEnvelope,
  decodeMetrics,
  decodePeekResult,
  decodePullResult,
  decodePurgeResult,
  decodePushResult,
  encodeAck,
  encodeBulkPush,
  encodePeek,
  encodePull,
  encodePurge,
  encodePush,
} from '../../../src/transports/cloudflare/wire.ts';
import { pick, readRecord, resultOf } from '../../wire/conversations.ts';

const calls = ['push', 'bulk-push', 'pull', 'ack', 'peek', 'purge', 'metrics'] as const;
const realLease =
  'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..Q8p21d7dceR6vUfwftONdQ.JVqZgAS-Zk7MqmqccYtTHeeMElNHaOMigeWdb8LyMOg.T2_HV99CYzGaQuhTyW8RsgbnpTRZHRM6N7UoSaAKeK0';

function expectRequest(json: string, call: string, name: string): void {
  expect(JSON.parse(json)).toStrictEqual(pick(call, name).request);
}

describe('requests, as recorded', () => {
  it('pushes a text', () => {
    expectRequest(encodePush({ body: 'hello', delaySeconds: 0 }), 'push', 'a text with a delay');
  });
  it('pushes a JSON object', () => {
    expectRequest(encodePush({ body: { greeting: 'hello' } }), 'push', 'a JSON object');
  });
  it('bulk pushes both content types and both delays', () => {
    const messages = [{ body: 'hello', delaySeconds: 0 }, { body: { greeting: 'hello' } }];
    expectRequest(encodeBulkPush({ messages, delaySeconds: 10 }), 'bulk-push', 'both content types and both delays');
  });
  it('pulls', () => {
    expectRequest(encodePull({}), 'pull', 'an empty queue');
    expectRequest(encodePull({ batchSize: 50, visibilityTimeoutMs: 6000 }), 'pull', 'two messages');
  });
  it('acks and retries, leaving out the array that is empty', () => {
    const acks = ['lease_id1', 'lease_id2', 'lease_id3'];
    const retries = [{ leaseId: 'lease_id4', delaySeconds: 600 }];
    expectRequest(encodeAck({ acks, retries }), 'ack', 'acks and a delayed retry');
    expectRequest(encodeAck({ acks: [], retries: [{ leaseId: realLease, delaySeconds: 10 }] }), 'ack', 'a retry alone');
    expectRequest(encodeAck({ acks: [realLease], retries: [] }), 'ack', 'an ack alone');
  });
  it('peeks and purges', () => {
    expectRequest(encodePeek({ batchSize: 50 }), 'peek', 'a batch size');
    expectRequest(encodePeek({}), 'peek', "the service's own batch size");
    expectRequest(encodePurge({ refs: [realLease] }), 'purge', 'one ref');
  });
  it.each(calls)('%s: every recorded answer is an envelope that says success', (call) => {
    for (const { answer } of readRecord(call).conversations) {
      expect(decodeEnvelope(JSON.stringify(answer))).toMatchObject({ success: true, errors: [] });
    }
  });
});

describe('encodePush()', () => {
  it('does not stringify an encoded body once more', () => {
    const json = encodePush({ body: new EncodedBody('json', '{ "spaced" :  1e3 }') });
    expect(json).toBe('{"body":{ "spaced" :  1e3 },"content_type":"json"}');
  });
  it('leaves a delay of 0 in, which overrides the default of the queue', () => {
    expect(JSON.parse(encodePush({ body: 'x', delaySeconds: 0 }))).toHaveProperty('delay_seconds', 0);
  });
  it('sends every body so that it comes out of JSON as it was', () => {
    const bodies = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
    fc.assert(
      fc.property(fc.array(bodies, { minLength: 1, maxLength: 4 }), (all) => {
        const { messages } = JSON.parse(encodeBulkPush({ messages: all.map((body) => ({ body })) }));
        expect(messages).toStrictEqual(
          all.map((body) => ({
            body: JSON.parse(JSON.stringify(body)),
            content_type: typeof body === 'string' ? 'text' : 'json',
          })),
        );
      }),
    );
  });
});

describe('what cannot be sent', () => {
  const messages = (delaySeconds: unknown) => [{ body: 1 }, { body: 2, delaySeconds: delaySeconds as number }];
  it.each([
    ['an empty bulk push', () => encodeBulkPush({ messages: [] }), RangeError, "'messages' must not be empty"],
    ['an empty ack', () => encodeAck({ acks: [], retries: [] }), RangeError, "'acks and retries' must not be empty"],
    ['an empty purge', () => encodePurge({ refs: [] }), RangeError, "'refs' must not be empty"],
    [
      'a pull of none',
      () => encodePull({ batchSize: 0 }),
      RangeError,
      "Cannot pull as 'batchSize' must be an integer in 1..100: current value is 0",
    ],
    ['a pull of 101', () => encodePull({ batchSize: 101 }), RangeError, '1..100: current value is 101'],
    ['half a message', () => encodePull({ batchSize: 1.5 }), RangeError, 'current value is 1.5'],
    ['a text as a number', () => encodePull({ batchSize: '5' as never }), TypeError, "current value is '5'"],
    ['no number', () => encodePull({ batchSize: Number.NaN }), RangeError, 'current value is NaN'],
    ['a lease of 0 ms', () => encodePull({ visibilityTimeoutMs: 0 }), RangeError, '1..43200000: current value is 0'],
    ['a lease over 12 h', () => encodePull({ visibilityTimeoutMs: 43_200_001 }), RangeError, '43200001'],
    ['a peek of none', () => encodePeek({ batchSize: 0 }), RangeError, "Cannot peek as 'batchSize'"],
    ['a negative delay', () => encodePush({ body: 1, delaySeconds: -1 }), RangeError, "push as 'delaySeconds'"],
    [
      'a delay over a day',
      () => encodeBulkPush({ messages: messages(86_401) }),
      RangeError,
      "'messages[1].delaySeconds' must be an integer in 0..86400: current value is 86401",
    ],
    ['a null delay', () => encodeBulkPush({ messages: messages(null) }), TypeError, 'current value is null'],
    ['a batch delay', () => encodeBulkPush({ messages: messages(1), delaySeconds: 0.5 }), RangeError, '0.5'],
    [
      'a retry delay',
      () => encodeAck({ acks: [], retries: [{ leaseId: 'a', delaySeconds: Infinity }] }),
      RangeError,
      "'retries[0].delaySeconds' must be an integer in 0..86400: current value is Infinity",
    ],
    ['a body without JSON', () => encodePush({ body: undefined }), TypeError, 'Cannot push a body of type undefined'],
  ])('%s', (_, encode, type, message) => {
    expect(encode).toThrow(type);
    expect(encode).toThrow(message);
  });
  it.each([[{ batchSize: 1, visibilityTimeoutMs: 1 }], [{ batchSize: 100, visibilityTimeoutMs: 43_200_000 }]])(
    'takes the ends of the ranges: %j',
    (request) => {
      expect(() => encodePull(request)).not.toThrow();
    },
  );
  it('leaves counts and sizes over the limits for the service to judge', () => {
    const acks = Array.from({ length: 300 }, (_, index) => `lease-${index}`);
    expect(JSON.parse(encodeAck({ acks, retries: [] })).acks).toHaveLength(300);
    expect(() => encodePush({ body: 'x'.repeat(300_000) })).not.toThrow();
  });
});

describe('the lease ids of an ack', () => {
  const acksOf = (acks: readonly string[]): string => JSON.stringify({ acks: acks.map((id) => ({ lease_id: id })) });
  const anyId = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.base64String(),
    fc.constantFrom('"', '\\', '\n', '\ud800', '\u007f', ' '),
  );

  it('are sent as JSON has them, whatever they are made of', () => {
    fc.assert(
      fc.property(fc.array(anyId, { minLength: 1 }), (acks) => {
        expect(encodeAck({ acks, retries: [] })).toBe(acksOf(acks));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('decodePullResult()', () => {
  it('reads the recorded text', () => {
    expect(decodePullResult(resultOf('pull', 'one text, asked for without a body'))).toStrictEqual({
      backlogCount: 5,
      messages: [
        {
          id: 'b01b5594f784d0165c2985833f5660dd',
          leaseId: realLease,
          attempts: 1,
          timestampMs: 1_710_950_954_154,
          contentType: 'text',
          metadata: { 'CF-Content-Type': 'text', 'CF-sourceMessageSource': 'dash' },
          body: 'hello world',
          raw: 'hello world',
          bodyLength: 11,
        },
      ],
    });
  });
  it('reads JSON plain and in base64, and bytes', () => {
    const [json, bytes] = decodePullResult(resultOf('pull', 'JSON in base64')).messages;
    expect(json).toMatchObject({ contentType: 'json', body: { greeting: 'hello' }, bodyLength: 28 });
    expect(bytes).toMatchObject({ contentType: 'bytes', body: new Uint8Array([0, 1, 2, 255]) });
    const [plain] = decodePullResult(resultOf('pull', 'plain JSON')).messages;
    expect(plain).toMatchObject({ contentType: 'json', body: { greeting: 'hello' } });
    for (const message of [json, plain]) expect(message).toMatchObject({ raw: '{"greeting":"hello"}' });
    expect(bytes?.raw).toBe(bytes?.body);
  });
  it('hands over the example of the documentation, whose bodies are not the JSON they claim to be', () => {
    const { messages, backlogCount } = decodePullResult(resultOf('pull', 'two messages'));
    expect(backlogCount).toBe(10);
    expect(messages.map(({ id, attempts, body }) => [id, attempts, body])).toStrictEqual([
      ['1ad27d24c83de78953da635dc2ea208f', 2, undefined],
      ['95494c37bb89ba8987af80b5966b71a7', 2, undefined],
    ]);
    for (const { bodyError } of messages) expect(bodyError).toMatchObject({ code: 'undecodable-body' });
  });
  it('reads an empty queue', () => {
    expect(decodePullResult(resultOf('pull', 'an empty queue'))).toStrictEqual({ messages: [], backlogCount: 0 });
  });

  const whole = {
    id: 'id',
    lease_id: 'lease',
    body: '{"a":1}',
    attempts: 2,
    timestamp_ms: 5,
    metadata: { 'CF-Content-Type': 'json' },
  };
  const decodeOne = (fields: object) => decodePullResult({ messages: [{ ...whole, ...fields }] }).messages[0];

  it.each([
    ['no id', { id: undefined }, { id: 'lease' }],
    ['a null id', { id: null }, { id: 'lease' }],
    ['a number for an id', { id: 7 }, { id: '7' }],
    ['no attempts', { attempts: undefined }, { attempts: 1 }],
    ['attempts counted from 0', { attempts: 0 }, { attempts: 1 }],
    ['attempts as a text', { attempts: '3' }, { attempts: 3 }],
    ['odd attempts', { attempts: {} }, { attempts: 1 }],
    ['no time', { timestamp_ms: null }, { timestampMs: 0 }],
    ['no metadata', { metadata: null, body: '1' }, { metadata: {}, contentType: 'text', body: '1' }],
    ['metadata of another type', { metadata: [1], body: '1' }, { metadata: {}, contentType: 'text' }],
    ['no content type', { metadata: { a: 'b' } }, { contentType: 'text', body: '{"a":1}' }],
    ['an unknown content type', { metadata: { 'CF-Content-Type': 'xml' } }, { contentType: 'text' }],
    ['another case', { metadata: { 'cf-content-type': 'JSON' } }, { contentType: 'json', body: { a: 1 } }],
    [
      'metadata that are not texts',
      { metadata: { 'CF-Content-Type': 'json', 'CF-msg-delay-secs': 10, no: null, list: [1], yes: true } },
      { metadata: { 'CF-Content-Type': 'json', 'CF-msg-delay-secs': '10', list: '[1]', yes: 'true' } },
    ],
    ['a field we do not know', { extra: 1 }, { id: 'id', body: { a: 1 } }],
  ])('fills in what is odd: %s', (_, fields, expected) => {
    const message = decodeOne(fields);
    expect(message).toMatchObject(expected);
    if ('metadata' in expected) expect(message?.metadata).toStrictEqual(expected.metadata);
    expect(message).not.toHaveProperty('bodyError');
  });

  it.each([
    ['text that is no JSON', 'json', 'hello'],
    ['base64 of no JSON', 'json', btoa('hello')],
    ['base64 of JSON without its padding', 'json', 'eyJhIjoxfQ'],
    ['base64 of broken UTF-8', 'json', btoa('"\u00ff"')],
    ['a piece of JSON', 'json', '{"a":'],
    ['no JSON at all', 'json', ''],
    ['bytes that are no base64', 'bytes', 'a b='],
    ['base64 for URLs', 'bytes', '_-8='],
    ['anything of v8', 'v8', '/w8iBWhlbGxv'],
    ['a body that is no text', 'json', null],
    ['no body', 'text', undefined],
  ])('hands over a message whose body cannot be decoded: %s', (_, type, body) => {
    const message = decodeOne({ body, metadata: { 'CF-Content-Type': type } });
    if (type === 'v8') expect(message?.raw).toEqual(new Uint8Array(Buffer.from(String(body), 'base64')));
    else expect(message?.raw).toBe(body ?? '');
    expect(message).toMatchObject({ id: 'id', leaseId: 'lease', contentType: type, body: undefined });
    expect(message?.bodyError).toBeInstanceOf(QueueError);
    expect(message?.bodyError).toMatchObject({ code: 'undecodable-body' });
    expect(message?.bodyError?.message).toContain(`Cannot decode the body of message id as ${type}: `);
  });

  it.each([[{ lease_id: null }], [{ lease_id: '' }], [{ lease_id: 5 }]])(
    'leaves out what cannot be settled, and nothing else: %j',
    (fields) => {
      const { messages } = decodePullResult({ messages: [{ ...whole, ...fields }, null, 'x', [], whole] });
      expect(messages.map(({ leaseId }) => leaseId)).toStrictEqual(['lease']);
    },
  );
  it.each([[null], [undefined], [{}], [{ messages: null }], [{ messages: 'no' }], ['no'], [5]])(
    'does not take %j for an empty queue',
    (result) => {
      expect(() => decodePullResult(result)).toThrow(expect.objectContaining({ code: 'bad-answer', status: 200 }));
    },
  );
  it.each([[null], [{ id: 'x' }], [{ lease_id: '' }]])('does not take a list of nothing but %j for empty', (odd) => {
    expect(() => decodePullResult({ messages: [odd, odd] })).toThrow(expect.objectContaining({ code: 'bad-answer' }));
  });
  it('takes a bare list, as the first versions of the API sent it', () => {
    expect(decodePullResult([whole]).messages).toHaveLength(1);
  });
  it('takes the backlog from the metrics when it stands nowhere else', () => {
    expect(decodePullResult({ messages: [], metadata: { metrics: { backlog_count: 3 } } }).backlogCount).toBe(3);
  });
  it('gives messages without metadata one shared object that nobody can write to', () => {
    const { messages } = decodePullResult({ messages: [whole, whole].map((each) => ({ ...each, metadata: null })) });
    expect(messages[0]?.metadata).toBe(messages[1]?.metadata);
    expect(Object.isFrozen(messages[0]?.metadata)).toBe(true);
  });

  const utf8Base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
  const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });
  it('reads every JSON value, plain and in base64, to the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), space, fc.constantFrom(0, 2), (value, before, indent) => {
        const text = `${before}${JSON.stringify(value, null, indent)}`;
        const expected: unknown = JSON.parse(text);
        for (const body of [text, utf8Base64(text)]) {
          const message = decodeOne({ body });
          expect(message).not.toHaveProperty('bodyError');
          expect(message?.body).toStrictEqual(expected);
          expect(message?.raw).toBe(body === text ? text : text.toWellFormed());
        }
      }),
      { numRuns: 500 },
    );
  });
  it.each([['123'], ['-1'], ['true'], ['null'], ['[]'], ['"eyJhIjoxfQ=="'], ['1234'], ['\ufeff{"a":1}']])(
    'reads %j in base64 as what it is plain',
    (text) => {
      const expected: unknown = JSON.parse(text.replace('\ufeff', ''));
      expect(decodeOne({ body: utf8Base64(text) })?.body).toStrictEqual(expected);
    },
  );
  it('reads every byte string', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const body = Buffer.from(bytes).toString('base64');
        expect(decodeOne({ body, metadata: { 'CF-Content-Type': 'bytes' } })?.body).toStrictEqual(
          new Uint8Array(bytes),
        );
      }),
    );
  });
  it('takes as base64 exactly what its own encoder can have written', () => {
    const texts = fc.string({ unit: fc.constantFrom(...'AZaz09+/=-_ '), maxLength: 9 });
    fc.assert(
      fc.property(texts, (text) => {
        const message = decodeOne({ body: text, metadata: { 'CF-Content-Type': 'bytes' } });
        const canonical = Buffer.from(text, 'base64').toString('base64') === text;
        expect(message?.bodyError === undefined).toBe(canonical);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('decodePeekResult()', () => {
  it('reads the recorded message', () => {
    expect(decodePeekResult(resultOf('peek', 'a batch size'))).toStrictEqual({
      messages: [
        {
          id: 'b01b5594f784d0165c2985833f5660dd',
          ref: realLease,
          attempts: 1,
          timestampMs: 1_710_950_954_154,
          contentType: 'text',
          metadata: { 'CF-Content-Type': 'text', 'CF-sourceMessageSource': 'dash' },
          body: 'hello world',
          raw: 'hello world',
        },
      ],
    });
  });
  it('reads no attempts as none, and keeps a body that cannot be decoded apart', () => {
    const { messages } = decodePeekResult({
      messages: [{ ref: 'r', body: 'x', metadata: { 'CF-Content-Type': 'v8' } }],
    });
    expect(messages[0]).toMatchObject({ id: 'r', ref: 'r', attempts: 0, body: undefined });
    expect(messages[0]?.bodyError).toMatchObject({ code: 'undecodable-body' });
  });
  it.each([[null], [{}], [{ messages: null }]])('does not take %j for an empty queue', (result) => {
    expect(() => decodePeekResult(result)).toThrow(expect.objectContaining({ code: 'bad-answer', status: 200 }));
  });
});

describe('decodeAckResult()', () => {
  const request = {
    acks: ['lease_id1', 'lease_id2', 'lease_id3', 'lease_id20'],
    retries: [{ leaseId: 'lease_id4' }],
  };
  it('reads the recorded counts', () => {
    expect(decodeAckResult(resultOf('ack', 'acks and a delayed retry'), request)).toStrictEqual({
      ackCount: 3,
      retryCount: 1,
      warnings: new Map(),
      otherWarnings: [],
    });
  });
  it.each([
    ['a map of warnings', 'lease is not known'],
    ['a list of warnings', 'lease_id2 is not known'],
  ])('reads %s', (name, text) => {
    expect(decodeAckResult(resultOf('ack', name), request)).toMatchObject({
      ackCount: 2,
      warnings: new Map([['lease_id2', text]]),
      otherWarnings: [],
    });
  });
  it.each([
    ['null', null, [], []],
    ['nothing', undefined, [], []],
    ['a text', 'x', [], []],
    ['the end of a sentence', ['gone: lease_id4.'], ['lease_id4'], []],
    ['two leases in one text', ['lease_id1, lease_id3 expired'], ['lease_id1', 'lease_id3'], []],
    ['a longer id than ours', ['lease_id200 expired'], [], ['lease_id200 expired']],
    ['a text about none', ['slow down'], [], ['slow down']],
    ['an unknown lease', { other: 'expired' }, [], ['other: expired']],
    ['a retried lease', { lease_id4: 'late' }, ['lease_id4'], []],
    ['objects in the list', [{ lease_id: 'lease_id1', code: 1 }], ['lease_id1'], []],
  ])('sorts warnings by lease: %s', (_, warnings, about, others) => {
    const result = decodeAckResult({ warnings }, request);
    expect([...result.warnings.keys()]).toStrictEqual(about);
    expect(result.otherWarnings).toStrictEqual(others);
  });
  it.each([[null], [undefined], [{}], [{ ackCount: null, retryCount: 'x' }], ['no']])(
    'claims no counts out of %j',
    (result) => {
      expect(decodeAckResult(result, request)).toStrictEqual({ warnings: new Map(), otherWarnings: [] });
    },
  );
});

describe('decodePurgeResult()', () => {
  it('reads the recorded warnings and errors', () => {
    const request = { refs: [realLease] };
    expect(decodePurgeResult(resultOf('purge', 'one ref'), request)).toStrictEqual({ warnings: new Map(), errors: [] });
    expect(decodePurgeResult(resultOf('purge', 'a warning'), request).warnings).toStrictEqual(
      new Map([[realLease, 'message is not known']]),
    );
    expect(decodePurgeResult(resultOf('purge', 'an error'), request).errors).toStrictEqual([
      { code: 0, message: 'could not purge' },
    ]);
  });
  it('gives an error to the ref that it names', () => {
    const result = decodePurgeResult({ errors: [{ message: 'r1 is leased' }] }, { refs: ['r1', 'r10'] });
    expect(result).toStrictEqual({ warnings: new Map([['r1', 'r1 is leased']]), errors: [] });
  });
});

describe('metrics', () => {
  const metrics = { backlogCount: 5, backlogBytes: 1024, oldestMessageTimestampMs: 1_710_950_954_154 };
  it('are read as recorded', () => {
    expect(decodeMetrics(resultOf('metrics', 'metrics'))).toStrictEqual(metrics);
    expect(decodePushResult(resultOf('push', 'a text with a delay'))).toStrictEqual({ metrics });
    expect(decodePushResult(resultOf('bulk-push', 'both content types and both delays'))).toStrictEqual({ metrics });
  });
  it.each([[null], [undefined], [{}], [{ metadata: null }], [{ metadata: {} }], [{ metadata: { metrics: null } }]])(
    'are absent from a push answered with %j',
    (result) => {
      expect(decodePushResult(result)).toStrictEqual({});
    },
  );
  it('are unknown without a count: an unknown backlog is not an empty one', () => {
    expect(decodeMetrics({ backlog_bytes: 5 })).toBeUndefined();
    expect(decodeMetrics({ backlog_count: 5 })).toStrictEqual({
      backlogCount: 5,
      backlogBytes: 0,
      oldestMessageTimestampMs: 0,
    });
  });
});

describe('decodeEnvelope()', () => {
  it.each([[''], ['<html>'], ['null'], ['[]'], ['"x"'], ['1'], ['{"success":tru']])('refuses %j', (text) => {
    expect(decodeEnvelope(text)).toBeUndefined();
  });
  it.each([
    ['{}', []],
    ['{"errors":null}', []],
    ['{"errors":"x"}', []],
    ['{"errors":[null,1,{}]}', [{ code: 0, message: '' }]],
    ['{"errors":[{"code":"971","message":1}]}', [{ code: 971, message: '' }]],
  ])('reads the errors of %s', (text, errors) => {
    expect(decodeEnvelope(text)).toStrictEqual({ errors, result: undefined });
  });
  it('reads link, pointer and chain of an error', () => {
    const noRoute = pick('errors', 'no route');
    const malformed = pick('errors', 'a malformed credential');
    expect(decodeEnvelope(JSON.stringify(noRoute.answer))?.errors).toStrictEqual([
      { code: 7003, message: 'No route for the URI', documentationUrl: 'documentation_url', pointer: 'pointer' },
    ]);
    expect(decodeEnvelope(JSON.stringify(malformed.answer))?.errors).toStrictEqual([
      { code: 6003, message: 'Invalid request headers' },
      { code: 6111, message: 'Invalid format for Authorization header' },
    ]);
  });
});
