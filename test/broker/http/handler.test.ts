import { describe, expect, it } from 'vitest';
import { callBroker } from '../call-broker.ts';

const textPush = { body: 'hello', content_type: 'text' };

describe('POST /messages', () => {
  it('pushes, answering with metrics and no message id', async () => {
    const { post, broker } = callBroker();
    const { status, contentType, json } = await post('/messages', textPush);
    expect([status, contentType]).toEqual([200, 'application/json']);
    expect(json).toEqual({
      success: true,
      errors: [],
      messages: [],
      result: {
        metadata: { metrics: { backlog_bytes: 5, backlog_count: 1, oldest_message_timestamp_ms: 1_000_000 } },
      },
    });
    expect(broker.inspect('jobs').messages).toMatchObject([{ contentType: 'text', body: 'hello', attempts: 0 }]);
  });

  it.each([[{ a: 1 }], [[1, 2]], [7], [true], [null]])('takes %j for JSON by default', async (body) => {
    const { post, broker } = callBroker();
    expect((await post('/messages', { body })).status).toBe(200);
    expect(broker.inspect('jobs').messages).toMatchObject([{ contentType: 'json', body }]);
  });

  it('delays', async () => {
    const { post, broker } = callBroker();
    await post('/messages', { ...textPush, delay_seconds: 7 });
    expect(broker.inspect('jobs').messages).toMatchObject([{ state: 'delayed', visibleAtMs: 1_007_000 }]);
  });

  it('ignores fields that it does not know, and takes null for absent', async () => {
    const { post } = callBroker();
    const request = { ...textPush, delay_seconds: null, colour: 'red', metadata: {} };
    expect((await post('/messages', request)).status).toBe(200);
  });

  it('keeps a __proto__ key in a body as data', async () => {
    const { post } = callBroker();
    await post('/messages', '{"__proto__":{"delay_seconds":9},"body":{"__proto__":{"x":1},"constructor":2}}');
    const { json } = await post('/messages/pull', {});
    expect(json.result.messages[0].body).toBe('{"__proto__":{"x":1},"constructor":2}');
  });
});

describe('POST /messages/batch', () => {
  it("pushes all, in order, each with its own delay or the batch's", async () => {
    const { post, broker } = callBroker();
    const messages = [
      { body: 1 },
      { body: 2, delay_seconds: 0 },
      { body: 'c', content_type: 'text', delay_seconds: 9 },
    ];
    expect((await post('/messages/batch', { messages, delay_seconds: 5 })).status).toBe(200);
    expect(broker.inspect('jobs').messages.map(({ body, visibleAtMs }) => [body, visibleAtMs])).toEqual([
      [1, 1_005_000],
      [2, 1_000_000],
      ['c', 1_009_000],
    ]);
  });

  it('takes 100 messages, and 256 000 bytes, but nothing of a batch above', async () => {
    const { post, broker } = callBroker();
    const batch = (count: number) => ({ messages: Array.from({ length: count }, () => ({ body: {} })) });
    const big = (bytes: number) => ({ body: 'x'.repeat(bytes), content_type: 'text' });
    expect((await post('/messages/batch', batch(100))).status).toBe(200);
    expect((await post('/messages/batch', batch(101))).json.errors[0].code).toBe(10206);
    expect((await post('/messages/batch', { messages: [big(128_000), big(128_000)] })).status).toBe(200);
    const tooLarge = await post('/messages/batch', { messages: [big(128_000), big(127_999), big(2)] });
    expect(tooLarge.json.errors).toEqual([
      { code: 10205, message: 'batch size of 256001 bytes exceeds limit of 256000 bytes (10205)' },
    ]);
    expect(broker.inspect('jobs').counts.total).toBe(102);
  });

  it('counts decoded bytes, not those of the escaped request', async () => {
    const { post, queueUrl, send } = callBroker();
    const escaped = `{"body":"${String.raw`\u00e9`.repeat(64_000)}","content_type":"text"}`;
    expect((await post('/messages', escaped)).status).toBe(200);
    const above = `{"body":"${String.raw`\u00e9`.repeat(64_001)}","content_type":"text"}`;
    const { json } = await send(`${queueUrl}/messages`, { method: 'POST', body: above });
    expect(json.errors[0].message).toBe('message size of 128002 bytes exceeds limit of 128000 bytes (10204)');
  });
});

describe('POST /messages/pull', () => {
  it('gives messages as the service does', async () => {
    const { post, broker } = callBroker();
    await post('/messages', { body: { a: '<&>é' }, delay_seconds: 0 });
    const id = broker.inspect('jobs').messages[0]?.id;
    const { json } = await post('/messages/pull', '{"batch_size":1.0,"visibility_timeout_ms":500.0}');
    expect(json.result).toEqual({
      message_backlog_count: 1,
      messages: [
        {
          id,
          body: '{"a":"<&>é"}',
          attempts: 1,
          timestamp_ms: 1_000_000,
          lease_id: expect.stringMatching(/^[\w.-]{300,}$/),
          metadata: { 'CF-Content-Type': 'json', 'CF-sourceMessageSource': 'api' },
        },
      ],
      metadata: { metrics: { backlog_bytes: 13, backlog_count: 1, oldest_message_timestamp_ms: 1_000_000 } },
    });
    expect(broker.inspect('jobs').messages).toMatchObject([{ state: 'leased', visibleAtMs: 1_000_500 }]);
  });

  it('gives five messages unless told otherwise, and an empty array when there are none', async () => {
    const { post } = callBroker();
    await post('/messages/batch', { messages: Array.from({ length: 7 }, () => textPush) });
    expect((await post('/messages/pull', {})).json.result.messages).toHaveLength(5);
    expect((await post('/messages/pull', { batch_size: 100 })).json.result.messages).toHaveLength(2);
    expect((await post('/messages/pull', {})).json.result).toMatchObject({ message_backlog_count: 7, messages: [] });
  });

  it('names the delay of a delayed message', async () => {
    const { post, clock } = callBroker();
    await post('/messages', { ...textPush, delay_seconds: 20 });
    await clock.advance(20_000);
    const { json } = await post('/messages/pull', {});
    expect(json.result.messages[0].metadata['CF-msg-delay-secs']).toBe('20');
  });

  it.each([
    ['json', { a: 'é' }, 'eyJhIjoiw6kifQ=='],
    ['text', 'é', 'é'],
    ['bytes', Uint8Array.of(0, 255, 128), 'AP+A'],
    ['v8', Uint8Array.of(255, 15), '/w8='],
  ] as const)('gives a %s body as documented, if so wanted', async (contentType, body, expected) => {
    const { post, broker } = callBroker({}, { jsonBodies: 'base64' });
    broker.push('jobs', { body, contentType });
    const [message] = (await post('/messages/pull', {})).json.result.messages;
    expect(message.body).toBe(expected);
    expect(message.metadata['CF-Content-Type']).toBe(contentType);
  });

  it('gives a raw body as it is', async () => {
    const { post, broker } = callBroker();
    broker.push('jobs', { body: '{broken', contentType: 'json', raw: true });
    expect((await post('/messages/pull', {})).json.result.messages[0].body).toBe('{broken');
  });
});

describe('POST /messages/ack', () => {
  const pullLeases = async (post: ReturnType<typeof callBroker>['post']): Promise<{ lease_id: string }[]> =>
    (await post('/messages/pull', { batch_size: 100 })).json.result.messages;

  it('settles, counting in camelCase and ignoring extra fields', async () => {
    const { post, broker } = callBroker();
    await post('/messages/batch', { messages: [textPush, textPush, textPush] });
    const [first, second, third] = await pullLeases(post);
    const { status, json } = await post('/messages/ack', {
      acks: [{ ...first, delay_seconds: 'whatever' }, second],
      retries: [{ ...third, delay_seconds: 5 }],
    });
    expect(status).toBe(200);
    expect(json.result).toEqual({ ackCount: 2, retryCount: 1, warnings: {} });
    expect(broker.inspect('jobs').messages).toMatchObject([{ state: 'delayed', visibleAtMs: 1_005_000 }]);
  });

  it('warns of leases that are not known, or were named before, and does not count them', async () => {
    const { post } = callBroker();
    await post('/messages', textPush);
    const [lease] = await pullLeases(post);
    const { json } = await post('/messages/ack', {
      acks: [lease, lease, { lease_id: '__proto__' }],
      retries: [{ lease_id: 'nobody' }],
    });
    expect(json.result).toMatchObject({ ackCount: 1, retryCount: 0 });
    expect(Object.keys(json.result.warnings)).toEqual([lease?.lease_id, '__proto__', 'nobody']);
  });

  it('lists the warnings, if so wanted', async () => {
    const { post } = callBroker({}, { warnings: 'list' });
    const { json } = await post('/messages/ack', { acks: [{ lease_id: 'x' }] });
    expect(json.result.warnings).toEqual(['Lease ID is not known: the message was settled, moved or removed (x)']);
  });

  it('takes far more than 100 ids, no ids at all, and late acks', async () => {
    const { post, clock } = callBroker();
    for (let batch = 0; batch < 3; batch += 1) {
      await post('/messages/batch', { messages: Array.from({ length: 100 }, () => textPush) });
    }
    const leases = [await pullLeases(post), await pullLeases(post), await pullLeases(post)].flat();
    await clock.advance(30_000);
    expect((await post('/messages/ack', { acks: leases, retries: [] })).json.result.ackCount).toBe(300);
    expect((await post('/messages/ack', {})).json.result).toEqual({ ackCount: 0, retryCount: 0, warnings: {} });
  });

  it('settles nothing when a part of the request is wrong', async () => {
    const { post, broker } = callBroker();
    await post('/messages', textPush);
    const acks = await pullLeases(post);
    const { status, json } = await post('/messages/ack', { acks, retries: [{ lease_id: 5 }] });
    expect([status, json.errors[0]]).toEqual([
      400,
      {
        code: 10207,
        message: 'Expected string, received number at "retries[0].lease_id"',
        source: { pointer: '/retries/0/lease_id' },
      },
    ]);
    expect(broker.isEmpty('jobs')).toBe(false);
  });
});

describe('POST /messages/peek and /messages/purge', () => {
  it('show messages without leasing them, and delete them by ref', async () => {
    const { post, broker } = callBroker();
    await post('/messages', textPush);
    const [message] = (await post('/messages/peek', {})).json.result.messages;
    expect(message).toEqual({
      id: broker.inspect('jobs').messages[0]?.id,
      attempts: 0,
      body: 'hello',
      metadata: { 'CF-Content-Type': 'text', 'CF-sourceMessageSource': 'api' },
      ref: expect.any(String),
      timestamp_ms: 1_000_000,
    });
    const { json } = await post('/messages/purge', { refs: [{ ref: message.ref }, { ref: '__proto__' }] });
    expect(JSON.stringify(json.result)).toBe('{"errors":[],"warnings":{"__proto__":"Ref is not known"}}');
    expect(broker.isEmpty('jobs')).toBe(true);
  });
});

describe('GET /metrics', () => {
  it('gives the backlog, and 0 for what there is none of', async () => {
    const { get, post } = callBroker();
    const empty = { backlog_bytes: 0, backlog_count: 0, oldest_message_timestamp_ms: 0 };
    expect((await get('/metrics')).json.result).toEqual(empty);
    await post('/messages', textPush);
    const { json } = await get('/metrics');
    expect(json.result).toEqual({ backlog_bytes: 5, backlog_count: 1, oldest_message_timestamp_ms: 1_000_000 });
  });
});

describe('POST /purge and GET /purge', () => {
  it('delete every message, once that is confirmed', async () => {
    const { broker, get, post } = callBroker();
    expect((await get('/purge')).json.result).toEqual({});
    await post('/messages', { ...textPush, delay_seconds: 5 });
    expect((await post('/purge', {})).json.errors[0].code).toBe(10026);
    expect(broker.isEmpty('jobs')).toBe(false);
    const { json } = await post('/purge', { delete_messages_permanently: true });
    expect(json.result).toMatchObject({ queue_name: 'jobs', settings: { delivery_paused: false } });
    expect(broker.isEmpty('jobs')).toBe(true);
    expect((await get('/purge')).json.result).toEqual({ completed: 'true', started_at: '1970-01-01T00:16:40.000Z' });
  });
});
