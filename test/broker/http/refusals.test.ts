import { describe, expect, it } from 'vitest';
import { createBroker } from '../../../src/broker.ts';
import { type Answer, callBroker } from '../call-broker.ts';

const expectRefusal = (answer: Answer, status: number, code: number, message?: string): void => {
  expect(answer.contentType).toBe('application/json');
  expect(answer.json).toMatchObject({ success: false, messages: [], result: null });
  expect(answer.json.errors).toHaveLength(1);
  const [error] = answer.json.errors;
  expect([answer.status, error.code]).toEqual([status, code]);
  if (message !== undefined) expect(error.message).toContain(message);
  // RFC 6901
  if (error.source !== undefined) expect(error.source.pointer).toMatch(/^(\/[^/~]+)+$/);
};

describe('credentials', () => {
  const peek = '/messages/peek';

  it('are asked for with 401', async () => {
    const { post } = callBroker();
    expectRefusal(await post(peek, {}, {}), 401, 10000, 'Authentication error');
    expectRefusal(await post(peek, {}, { 'x-auth-email': 'a@b.c' }), 401, 10000);
  });

  it.each([
    [{ authorization: 'Bearer wrong' }],
    [{ authorization: 'Bearer ' }],
    [{ authorization: 'local-token' }],
    [{ authorization: 'Basic local-token' }],
    [{ 'x-auth-email': 'a@b.c', 'x-auth-key': 'key' }],
  ])('are refused with 403: %j', async (headers) => {
    const { post } = callBroker();
    expectRefusal(await post(peek, {}, headers), 403, 10000);
  });

  it('may be an e-mail and a key, when those are set', async () => {
    const { post } = callBroker({}, { email: 'a@b.c', apiKey: 'key' });
    expect((await post(peek, {}, { 'X-Auth-Email': 'a@b.c', 'X-Auth-Key': 'key' })).status).toBe(200);
    expectRefusal(await post(peek, {}, { 'X-Auth-Email': 'a@b.c', 'X-Auth-Key': 'other' }), 403, 10000);
  });

  it('may be written with any case of "Bearer"', async () => {
    const { post } = callBroker({}, { apiToken: 'secret' });
    expect((await post(peek, {}, { authorization: 'bearer secret' })).status).toBe(200);
  });

  it('never come back in an answer', async () => {
    const { send, queueUrl } = callBroker({}, { apiToken: 's3cret' });
    const { text } = await send(`${queueUrl}/nowhere`, { headers: { authorization: 'Bearer s3cret-not' } });
    expect(text).not.toContain('s3cret');
  });
});

describe('addresses', () => {
  const { baseUrl, accountId, queueId } = createBroker().queue('jobs');
  const pull = 'messages/pull';

  it.each([
    ['another account', `${baseUrl}/accounts/other/queues/${queueId}/${pull}`, 404, 7003],
    ['another queue', `${baseUrl}/accounts/${accountId}/queues/${'0'.repeat(32)}/${pull}`, 404, 11000],
    ["the queue's name", `${baseUrl}/accounts/${accountId}/queues/jobs/${pull}`, 400, 10107],
    ['a shorter id', `${baseUrl}/accounts/${accountId}/queues/${queueId.slice(1)}/${pull}`, 400, 10107],
    ['another call', `${baseUrl}/accounts/${accountId}/queues/${queueId}/messages/push`, 404, 7000],
    ['a property of objects', `${baseUrl}/accounts/${accountId}/queues/${queueId}/constructor`, 404, 7000],
    ['another base path', `https://broker.invalid/accounts/${accountId}/queues/${queueId}/${pull}`, 404, 7000],
    ['the root', 'https://broker.invalid/', 404, 7000],
  ])('are refused: %s', async (_, url, status, code) => {
    expectRefusal(await callBroker().send(url, { method: 'POST', body: '{}' }), status, code);
  });

  it('are refused with 405 for another method', async () => {
    const { get, queueUrl, send } = callBroker();
    expectRefusal(await get('/messages/pull'), 405, 7001);
    expectRefusal(await send(`${queueUrl}/metrics`, { method: 'DELETE' }), 405, 7001);
  });

  it('are found by an id in capitals, and with a query', async () => {
    const { send } = callBroker({ id: queueId });
    const url = `${baseUrl}/accounts/${accountId}/queues/${queueId.toUpperCase()}/metrics?x=1`;
    expect((await send(url)).status).toBe(200);
  });
});

describe('request bodies', () => {
  it.each([
    [' ', 10208, 'not JSON'],
    ['{', 10208, 'not JSON'],
    ['{"body":{}}trailing', 10208, 'not JSON'],
    ['[]', 10207, 'Expected object, received array'],
    ['null', 10207, 'Expected object, received null'],
    ['"text"', 10207, 'Expected object, received string'],
  ])('are refused: %j', async (body, code, message) => {
    const { post } = callBroker();
    for (const path of [
      '/messages',
      '/messages/batch',
      '/messages/pull',
      '/messages/ack',
      '/messages/peek',
      '/purge',
    ]) {
      expectRefusal(await post(path, body), 400, code, message);
    }
  });

  it.each([
    ['/messages', {}, 10207, 'Required at "body"'],
    ['/messages', { body: 'text' }, 10207, 'Expected object, received string at "body"'],
    ['/messages', { body: 'text', content_type: 'json' }, 10207, 'Expected object, received string at "body"'],
    ['/messages', { body: {}, content_type: 'text' }, 10207, 'Expected string, received object at "body"'],
    ['/messages', { content_type: 'text' }, 10207, 'Required at "body"'],
    ['/messages', { body: {}, content_type: 'bytes' }, 10203, 'content_type'],
    ['/messages', { body: {}, content_type: 7 }, 10203, 'content_type'],
    ['/messages', { body: {}, delay_seconds: -1 }, 10202, '0..86400'],
    ['/messages', { body: {}, delay_seconds: 86_401 }, 10202, '0..86400'],
    ['/messages', { body: {}, delay_seconds: 1.5 }, 10202, '0..86400'],
    ['/messages', { body: {}, delay_seconds: '1' }, 10202, '0..86400'],
    ['/messages/batch', {}, 10207, 'Required at "messages"'],
    ['/messages/batch', { messages: {} }, 10207, 'Expected array, received object at "messages"'],
    ['/messages/batch', { messages: [] }, 10013, 'no messages'],
    ['/messages/batch', { messages: [{ body: {} }, 'x'] }, 10207, 'received string at "messages[1]"'],
    ['/messages/batch', { messages: [{ body: 'x' }] }, 10207, 'received string at "messages[0].body"'],
    ['/messages/batch', { messages: [{ body: 1, delay_seconds: -1 }] }, 10202, '0..86400'],
    ['/messages/batch', { messages: [{ body: 1 }], delay_seconds: 1e9 }, 10202, '0..86400'],
    ['/messages/pull', { batch_size: 0 }, 10026, 'batch_size must be an integer in 1..100'],
    ['/messages/pull', { batch_size: 101 }, 10026, 'batch_size'],
    ['/messages/pull', { batch_size: 1.5 }, 10026, 'batch_size'],
    ['/messages/pull', { batch_size: '5' }, 10026, 'batch_size'],
    ['/messages/pull', { batch_size: 1e308 }, 10026, 'batch_size'],
    ['/messages/pull', { visibility_timeout_ms: 0 }, 10026, 'visibility_timeout_ms must be an integer in 1..43200000'],
    ['/messages/pull', { visibility_timeout_ms: 43_200_001 }, 10026, 'visibility_timeout_ms'],
    ['/messages/peek', { batch_size: 101 }, 10026, 'batch_size'],
    ['/messages/ack', { acks: {} }, 10207, 'Expected array, received object at "acks"'],
    ['/messages/ack', { acks: ['x'] }, 10207, 'Expected object, received string at "acks[0]"'],
    ['/messages/ack', { acks: [{}] }, 10207, 'Required at "acks[0].lease_id"'],
    ['/messages/ack', { retries: [{ lease_id: 'x', delay_seconds: 1e9 }] }, 10202, '0..86400'],
    ['/messages/purge', {}, 10207, 'Required at "refs"'],
    ['/messages/purge', { refs: [{ ref: 1 }] }, 10207, 'Expected string, received number at "refs[0].ref"'],
    ['/purge', { delete_messages_permanently: 'true' }, 10026, 'must be true'],
  ])('are refused: %s %j', async (path, body, code, message) => {
    const { post, broker } = callBroker();
    expectRefusal(await post(path, body), 400, code, message);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it.each([
    ['/messages', { body: {}, content_type: 'bytes' }, '/content_type'],
    ['/messages', { body: 'x' }, '/body'],
    ['/messages', { body: 1, delay_seconds: -1 }, '/delay_seconds'],
    ['/messages/batch', { messages: [{ body: 1 }, { body: 1, content_type: 'v8' }] }, '/messages/1/content_type'],
    ['/messages/batch', { messages: [{ body: 'x' }] }, '/messages/0/body'],
    ['/messages/batch', { messages: [{ body: 1 }], delay_seconds: -1 }, '/delay_seconds'],
    ['/messages/batch', { messages: 7 }, '/messages'],
    ['/messages/pull', { batch_size: 0 }, '/batch_size'],
    ['/messages/pull', { visibility_timeout_ms: 0 }, '/visibility_timeout_ms'],
    ['/messages/ack', { acks: [{ lease_id: 7 }] }, '/acks/0/lease_id'],
    ['/messages/ack', { retries: [{ lease_id: 'x', delay_seconds: 0.5 }] }, '/retries/0/delay_seconds'],
    ['/messages/purge', { refs: ['x'] }, '/refs/0'],
    ['/purge', {}, '/delete_messages_permanently'],
  ])('are pointed at: %s %j', async (path, body, pointer) => {
    const { json } = await callBroker().post(path, body);
    expect(json.errors[0].source).toEqual({ pointer });
  });

  it('are refused when a body is nested too deeply to be written again', async () => {
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`;
    expectRefusal(await callBroker().post('/messages', `{"body":${deep}}`), 400, 10208, 'nested too deeply');
  });

  it('are refused when a message is too large, and pass at the limit', async () => {
    const { post } = callBroker();
    const push = (length: number) => ({ body: 'x'.repeat(length), content_type: 'text' });
    expect((await post('/messages', push(128_000))).status).toBe(200);
    expectRefusal(await post('/messages', push(128_001)), 400, 10204, 'message size of 128001 bytes');
  });

  it('are refused above ten million bytes', async () => {
    const { post } = callBroker();
    expectRefusal(await post('/messages', `{"x":"${'x'.repeat(10_000_000)}"}`), 400, 10208, '10000000 bytes');
  });
});

describe('states of a queue', () => {
  it('without an HTTP pull consumer refuses pulls alone', async () => {
    const { post } = callBroker({ httpPull: false });
    const text = 'messages cannot be pulled unless http_pull mode is enabled';
    expectRefusal(await post('/messages/pull', {}), 405, 0, text);
    expect((await post('/messages', { body: {} })).status).toBe(200);
  });

  it('paused refuses pulls; pushes and acks go on', async () => {
    const { post, broker } = callBroker();
    await post('/messages', { body: {} });
    const { lease_id } = (await post('/messages/pull', {})).json.result.messages[0];
    broker.queue('jobs', { deliveryPaused: true });
    expectRefusal(await post('/messages/pull', {}), 409, 0, 'queue_delivery_paused');
    expect((await post('/messages', { body: {} })).status).toBe(200);
    expect((await post('/messages/ack', { acks: [{ lease_id }] })).json.result.ackCount).toBe(1);
    broker.queue('jobs', { deliveryPaused: false });
    expect((await post('/messages/pull', {})).json.result.messages).toHaveLength(1);
  });

  it('has the least visibility timeout that it was given', async () => {
    const { post } = callBroker({}, { leastVisibilityTimeoutMs: 1_000 });
    expectRefusal(await post('/messages/pull', { visibility_timeout_ms: 999 }), 400, 10026);
    expect((await post('/messages/pull', { visibility_timeout_ms: 1_000 })).status).toBe(200);
  });
});
