import { describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../../src/broker.ts';
import { type Answer, callBroker, type CalledBroker } from '../call-broker.ts';

interface Managed extends CalledBroker {
  /** A request to a path below `/queues`. */
  manage(method: string, path: string, body?: unknown): Promise<Answer>;
}

function managed(options: BrokerOptions = {}): Managed {
  const called = callBroker({}, options);
  const queuesUrl = called.queueUrl.slice(0, called.queueUrl.lastIndexOf('/'));
  return {
    ...called,
    manage: (method, path, body) =>
      called.send(queuesUrl + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
  };
}

const refusal = ({ status, json }: Answer): unknown[] => [status, json.errors[0]?.code];

describe('queues', () => {
  it('are created without a consumer, with the settings given', async () => {
    const { manage, broker } = managed();
    const settings = { delivery_delay: 5, message_retention_period: 60 };
    const { status, json } = await manage('POST', '', { queue_name: 'new', settings });
    expect(status).toBe(200);
    const { queueId } = broker.queue('new');
    expect(json.result).toEqual({
      queue_id: queueId,
      queue_name: 'new',
      created_on: '1970-01-01T00:16:40.000Z',
      modified_on: '1970-01-01T00:16:40.000Z',
      producers: [],
      producers_total_count: 0,
      consumers: [],
      consumers_total_count: 0,
      settings: { delivery_delay: 5, delivery_paused: false, message_retention_period: 60 },
    });
    expect(refusal(await manage('POST', `/${queueId}/messages/pull`, {}))).toEqual([405, 0]);
  });

  it('are not created twice', async () => {
    const { manage } = managed();
    expect(refusal(await manage('POST', '', { queue_name: 'jobs' }))).toEqual([409, 11_009]);
  });

  it.each([
    [{}, 11_003, '/queue_name'],
    [{ queue_name: null }, 11_003, '/queue_name'],
    [{ queue_name: 7 }, 10_026, '/queue_name'],
    [{ queue_name: 'a b' }, 11_003, '/queue_name'],
    [{ queue_name: '' }, 11_003, '/queue_name'],
    [{ queue_name: 'x'.repeat(64) }, 11_003, '/queue_name'],
    [{ queue_name: 'x', settings: 'fast' }, 10_026, '/settings'],
    [{ queue_name: 'x', settings: [] }, 10_026, '/settings'],
    [{ queue_name: 'x', settings: { delivery_delay: -1 } }, 100_128, '/settings/delivery_delay'],
    [{ queue_name: 'x', settings: { delivery_delay: 86_401 } }, 100_128, '/settings/delivery_delay'],
    [{ queue_name: 'x', settings: { message_retention_period: 59 } }, 100_128, '/settings/message_retention_period'],
    [{ queue_name: 'x', settings: { delivery_paused: 'yes' } }, 100_128, '/settings/delivery_paused'],
    [{ queue_name: 'x', jurisdiction: 'mars' }, 100_128, '/jurisdiction'],
    [{ queue_name: 'x', jurisdiction: 7 }, 100_128, '/jurisdiction'],
  ])('are not created from %j', async (body, code, pointer) => {
    const { manage } = managed();
    const answer = await manage('POST', '', body);
    expect([...refusal(answer), answer.json.errors[0].source]).toEqual([400, code, { pointer }]);
    expect((await manage('GET', '')).json.result).toHaveLength(1);
  });

  it.each(['', 'a b', 'Jobs', 'my_jobs', '-jobs', 'x'.repeat(64)])('are not renamed to %j', async (queue_name) => {
    const { manage, broker } = managed();
    for (const method of ['PUT', 'PATCH']) {
      const answer = await manage(method, `/${broker.queue('jobs').queueId}`, { queue_name });
      const text = `Queue name '${queue_name}' is invalid: invalid queue name: ${queue_name}. Must match ^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$.`;
      const error = { code: 11_003, message: text, source: { pointer: '/queue_name' } };
      expect([answer.status, answer.json.errors]).toEqual([400, [error]]);
    }
  });

  it.each(['eu', 'us', 'fedramp'] as const)(
    'keep their jurisdiction, which is set when they are made: %s',
    async (jurisdiction) => {
      const { manage, broker } = managed();
      const { queue_id, ...made } = (await manage('POST', '', { queue_name: 'x', jurisdiction })).json.result;
      expect(made).toMatchObject({ jurisdiction });
      for (const [method, body] of [
        ['PATCH', { jurisdiction, settings: { delivery_delay: 1 } }],
        ['PUT', { queue_name: 'y' }],
      ] as const) {
        expect((await manage(method, `/${queue_id}`, body)).json.result.jurisdiction).toBe(jurisdiction);
      }
      const other = jurisdiction === 'eu' ? 'us' : 'eu';
      const { json, status } = await manage('PATCH', `/${queue_id}`, { jurisdiction: other });
      expect([status, json.errors[0].code, json.errors[0].source]).toEqual([
        400,
        100_128,
        { pointer: '/jurisdiction' },
      ]);
      expect((await manage('GET', `/${broker.queue('jobs').queueId}`)).json.result).not.toHaveProperty('jurisdiction');
      expect(() => broker.queue('y', { jurisdiction: other })).toThrow("'jurisdiction' is set when it is made");
    },
  );

  it('share their jurisdiction with their dead letter queue', async () => {
    const { manage, broker } = managed({ queues: { elsewhere: {}, home: { jurisdiction: 'eu', httpPull: false } } });
    const home = broker.queue('home').queueId;
    const consumer = (dead_letter_queue: string) => ({ type: 'http_pull', dead_letter_queue });
    const { status, json } = await manage('POST', `/${home}/consumers`, consumer('elsewhere'));
    expect([status, json.errors[0].code, json.errors[0].source]).toEqual([
      400,
      100_127,
      { pointer: '/dead_letter_queue' },
    ]);
    expect((await manage('POST', `/${home}/consumers`, consumer('dead'))).status).toBe(200);
    expect((await manage('GET', '?name=dead')).json.result[0].jurisdiction).toBe('eu');
    expect(() => broker.queue('home', { deadLetterQueue: 'elsewhere' })).toThrow("of the same 'jurisdiction'");
  });

  it('show the producers of their settings', async () => {
    const producers = [
      { type: 'worker', script: 'api' },
      { type: 'r2_bucket', bucketName: 'uploads' },
    ] as const;
    const { manage, broker } = managed({ queues: { fed: { producers } } });
    expect((await manage('GET', `/${broker.queue('fed').queueId}`)).json.result).toMatchObject({
      producers_total_count: 2,
      producers: [
        { type: 'worker', script: 'api' },
        { type: 'r2_bucket', bucket_name: 'uploads' },
      ],
    });
  });

  it.each([
    [5, "'producers' must be an array"],
    [[{ type: 'pigeon' }], "'producers[0].type' must be"],
    [[{ type: 'worker' }], "'producers[0].script' must be"],
    [[{ type: 'r2_bucket', bucketName: '' }], "'producers[0].bucketName' must be"],
    [[{ type: 'worker', script: 'x', colour: 'red' }], "'producers[0].colour'"],
    [[null], "'producers[0]' must be an object"],
  ])('have no producers %j', (producers, message) => {
    expect(() => managed({ queues: { fed: { producers: producers as never } } })).toThrow(message);
  });

  it('tell nothing of a purge before there was one', async () => {
    const { get, post, broker } = managed();
    expect((await get('/purge')).json.result).toEqual({});
    await post('/purge', { delete_messages_permanently: true });
    expect((await get('/purge')).json.result).toEqual({ completed: 'true', started_at: '1970-01-01T00:16:40.000Z' });
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('take no __proto__ for settings', async () => {
    const { send, queueUrl } = managed();
    const body = '{"queue_name":"x","settings":{"__proto__":{"delivery_delay":9}},"__proto__":{"queue_name":"y"}}';
    const { json } = await send(queueUrl.slice(0, queueUrl.lastIndexOf('/')), { method: 'POST', body });
    expect(json.result).toMatchObject({ queue_name: 'x', settings: { delivery_delay: 0 } });
  });

  it('are listed by page and by name', async () => {
    const { manage, broker } = managed();
    for (const name of ['a', 'b', 'c', 'd']) broker.queue(name);
    const names = async (query: string): Promise<string[]> =>
      (await manage('GET', query)).json.result.map((queue: { queue_name: string }) => queue.queue_name);
    expect(await names('')).toEqual(['jobs', 'a', 'b', 'c', 'd']);
    expect(await names('?page=1&per_page=2')).toEqual(['jobs', 'a']);
    expect(await names('?page=3&per_page=2')).toEqual(['d']);
    expect(await names('?page=4&per_page=2')).toEqual([]);
    expect(await names('?page=1&name=b')).toEqual(['b']);
    expect(await names('?name=d&name=a')).toEqual(['a', 'd']);
    expect(await names('?name=nobody')).toEqual([]);
    const { json } = await manage('GET', '?page=2&per_page=2');
    expect(json.result_info).toEqual({ count: 2, page: 2, per_page: 2, total_count: 5, total_pages: 3 });
  });

  it.each(['?page=0', '?page=x', '?page=1.5', '?per_page=0', '?per_page=101', '?page=-1'])(
    'are not listed with %s',
    async (query) => {
      expect(refusal(await managed().manage('GET', query))).toEqual([400, 10_026]);
    },
  );

  it('are changed in part by PATCH, and as a whole by PUT', async () => {
    const { manage, broker, clock } = managed();
    const { queueId } = broker.queue('jobs', { deliveryDelaySeconds: 5 });
    await clock.advance(1000);
    const patched = await manage('PATCH', `/${queueId}`, { queue_name: 'jobs', settings: { delivery_paused: true } });
    expect(patched.json.result).toMatchObject({
      created_on: '1970-01-01T00:16:40.000Z',
      modified_on: '1970-01-01T00:16:41.000Z',
      settings: { delivery_delay: 5, delivery_paused: true },
    });
    expect(refusal(await manage('POST', `/${queueId}/messages/pull`, {}))).toEqual([409, 0]);
    const put = await manage('PUT', `/${queueId}`, { settings: { message_retention_period: 61 } });
    expect(put.json.result.settings).toEqual({
      delivery_delay: 0,
      delivery_paused: false,
      message_retention_period: 61,
    });
    expect((await manage('GET', `/${queueId}`)).json.result).toEqual(put.json.result);
    expect(put.json.result.consumers_total_count).toBe(1);
  });

  it('are deleted with their messages, and may be made anew', async () => {
    const { manage, broker, post } = managed();
    const { queueId } = broker.queue('jobs');
    await post('/messages', { body: {} });
    const { lease_id } = (await post('/messages/pull', {})).json.result.messages[0];
    const deleted = await manage('DELETE', `/${queueId}`);
    expect([deleted.status, deleted.json.success, deleted.json.result]).toEqual([200, true, null]);
    expect(refusal(await manage('GET', `/${queueId}`))).toEqual([404, 11_000]);
    expect(refusal(await post('/messages', { body: {} }))).toEqual([404, 11_000]);
    expect(() => broker.inspect('jobs')).toThrow(RangeError);
    const { queue_id } = (await manage('POST', '', { queue_name: 'jobs' })).json.result;
    expect(queue_id).not.toBe(queueId);
    expect(broker.isEmpty('jobs')).toBe(true);
    const settled = await manage('POST', `/${queue_id}/messages/ack`, { acks: [{ lease_id }] });
    expect(settled.json.result.ackCount).toBe(0);
  });

  it('come back when a dead letter needs them', async () => {
    const { manage, broker, post, clock } = managed();
    broker.queue('jobs', { maxRetries: 0, deadLetterQueue: 'dead' });
    await post('/messages', { body: 1 });
    await post('/messages/pull', { visibility_timeout_ms: 10 });
    await manage('DELETE', `/${broker.queue('dead').queueId}`);
    expect(() => broker.inspect('dead')).toThrow(RangeError);
    await clock.advance(10);
    expect(broker.isEmpty('jobs')).toBe(true);
    expect(broker.inspect('dead').messages).toMatchObject([{ body: 1 }]);
  });
});

describe('consumers', () => {
  const settings = { batch_size: 50, max_retries: 10, retry_delay: 7, visibility_timeout_ms: 20_000 };
  const setUp = async (options: BrokerOptions = {}) => {
    const called = managed(options);
    const { queue_id } = (await called.manage('POST', '', { queue_name: 'q' })).json.result;
    return {
      ...called,
      consumers: (method: string, path = '', body?: unknown) =>
        called.manage(method, `/${queue_id}/consumers${path}`, body),
      pull: () => called.manage('POST', `/${queue_id}/messages/pull`, {}),
    };
  };

  it('let a queue be pulled, with their settings and their dead letter queue', async () => {
    const { consumers, pull, broker } = await setUp();
    expect((await consumers('GET')).json.result).toEqual([]);
    const created = await consumers('POST', '', { type: 'http_pull', settings, dead_letter_queue: 'dead' });
    expect(created.json.result).toEqual({
      consumer_id: expect.stringMatching(/^[\da-f]{32}$/),
      type: 'http_pull',
      created_on: '1970-01-01T00:16:40.000Z',
      queue_name: 'q',
      dead_letter_queue: 'dead',
      settings,
    });
    const { consumer_id } = created.json.result;
    expect((await consumers('GET', `/${consumer_id}`)).json.result).toEqual(created.json.result);
    expect((await consumers('GET')).json.result).toEqual([created.json.result]);
    expect(broker.isEmpty('dead')).toBe(true);
    for (let message = 0; message < 60; message += 1) broker.push('q', { body: message });
    expect((await pull()).json.result.messages).toHaveLength(50);
    expect(broker.inspect('q').messages[0]?.visibleAtMs).toBe(1_020_000);
  });

  it('are one a queue', async () => {
    const { consumers } = await setUp();
    await consumers('POST', '', { type: 'http_pull' });
    expect(refusal(await consumers('POST', '', { type: 'http_pull' }))).toEqual([409, 11_004]);
  });

  it('are replaced as a whole, their dead letter queue included', async () => {
    const { consumers } = await setUp();
    const created = await consumers('POST', '', { type: 'http_pull', settings, dead_letter_queue: 'dead' });
    const { consumer_id } = created.json.result;
    const body = { type: 'http_pull', settings: { max_retries: 1 } };
    const kept = { ...created.json.result, dead_letter_queue: '' };
    expect((await consumers('PUT', `/${consumer_id}`, body)).json.result).toEqual({
      ...kept,
      settings: { batch_size: 5, max_retries: 1, retry_delay: 0, visibility_timeout_ms: 30_000 },
    });
  });

  it('are deleted, and pulls then refused; the next one is another', async () => {
    const { consumers, pull } = await setUp();
    const { consumer_id } = (await consumers('POST', '', { type: 'http_pull', settings })).json.result;
    expect((await consumers('DELETE', `/${consumer_id}`)).json).toMatchObject({ success: true, result: null });
    expect(refusal(await pull())).toEqual([405, 0]);
    for (const method of ['GET', 'DELETE']) {
      expect(refusal(await consumers(method, `/${consumer_id}`))).toEqual([404, 11_006]);
    }
    const next = (await consumers('POST', '', { type: 'http_pull' })).json.result;
    expect(next.consumer_id).not.toBe(consumer_id);
    expect(next.settings.max_retries).toBe(3);
    expect((await pull()).status).toBe(200);
  });

  it('are refused pulls for some time after they were made, as an option', async () => {
    const { consumers, pull, clock } = await setUp({ pullEnabledAfterMs: 5_000 });
    await consumers('POST', '', { type: 'http_pull' });
    await clock.advance(4_999);
    expect(refusal(await pull())).toEqual([405, 0]);
    await clock.advance(1);
    expect((await pull()).status).toBe(200);
  });

  it.each([
    [{}, 10_026, '/type'],
    [{ type: 7 }, 10_026, '/type'],
    [{ type: 'pigeon' }, 10_026, '/type'],
    [{ settings: { batch_size: 5 } }, 10_026, '/type'],
    [{ type: 'worker' }, 10_026, '/script_name'],
    [{ type: 'worker', script_name: '' }, 10_026, '/script_name'],
    [{ type: 'worker', script_name: 'x', environment_name: 7 }, 10_026, '/environment_name'],
    [
      { type: 'worker', script_name: 'x', settings: { max_wait_time_ms: 60_001 } },
      100_127,
      '/settings/max_wait_time_ms',
    ],
    [{ type: 'worker', script_name: 'x', settings: { max_concurrency: 0 } }, 100_127, '/settings/max_concurrency'],
    [{ type: 'http_pull', settings: [] }, 10_026, '/settings'],
    [{ type: 'http_pull', settings: { batch_size: 101 } }, 100_127, '/settings/batch_size'],
    [{ type: 'http_pull', settings: { max_retries: 101 } }, 100_127, '/settings/max_retries'],
    [{ type: 'http_pull', settings: { retry_delay: 86_401 } }, 100_127, '/settings/retry_delay'],
    [
      { type: 'http_pull', settings: { visibility_timeout_ms: 43_200_001 } },
      100_127,
      '/settings/visibility_timeout_ms',
    ],
    [{ type: 'http_pull', dead_letter_queue: 'q' }, 100_127, '/dead_letter_queue'],
    [{ type: 'http_pull', dead_letter_queue: 'a b' }, 100_127, '/dead_letter_queue'],
    [{ type: 'http_pull', dead_letter_queue: 7 }, 100_127, '/dead_letter_queue'],
  ])('are not made from %j', async (body, code, pointer) => {
    const { consumers } = await setUp();
    const answer = await consumers('POST', '', body);
    expect([...refusal(answer), answer.json.errors[0].source]).toEqual([400, code, { pointer }]);
    expect((await consumers('GET')).json.result).toEqual([]);
  });

  it('are answered with an empty dead letter queue where there is none', async () => {
    const { consumers } = await setUp();
    const { json } = await consumers('POST', '', { type: 'http_pull' });
    expect(json.result.dead_letter_queue).toBe('');
    expect(json.result).not.toHaveProperty('queue_id');
  });

  it('may be Workers: kept and shown, with a word that none is run', async () => {
    const { consumers, pull, broker } = await setUp();
    const ofWorker = { batch_size: 7, max_concurrency: 2, max_retries: 1, max_wait_time_ms: 9, retry_delay: 4 };
    const body = {
      type: 'worker',
      script_name: 'my-worker',
      environment_name: '',
      dead_letter_queue: 'dead',
      settings: ofWorker,
    };
    const { status, json } = await consumers('POST', '', body);
    expect([status, json.messages]).toEqual([200, [{ code: 0, message: expect.stringContaining('runs no Worker') }]]);
    expect(json.result).toEqual({
      consumer_id: expect.stringMatching(/^[\da-f]{32}$/),
      type: 'worker',
      created_on: '1970-01-01T00:16:40.000Z',
      queue_name: 'q',
      script: 'my-worker',
      script_name: 'my-worker',
      dead_letter_queue: 'dead',
      settings: ofWorker,
    });
    expect((await consumers('GET')).json.result).toEqual([json.result]);
    broker.queue('q');
    expect((await consumers('GET', `/${json.result.consumer_id}`)).json.result).toEqual(json.result);
    expect(refusal(await pull())).toEqual([405, 0]);
    expect(refusal(await consumers('POST', '', { type: 'http_pull' }))).toEqual([409, 11_004]);
    const replaced = await consumers('PUT', `/${json.result.consumer_id}`, { type: 'worker', script_name: 'other' });
    expect(replaced.json.result).toMatchObject({
      consumer_id: json.result.consumer_id,
      script: 'other',
      dead_letter_queue: '',
      settings: { batch_size: 10, max_concurrency: null, max_retries: 3, max_wait_time_ms: 5_000, retry_delay: 0 },
    });
    expect((await consumers('DELETE', `/${json.result.consumer_id}`)).status).toBe(200);
    expect((await consumers('GET')).json.result).toEqual([]);
  });

  it('may become one of the other kind, under the same id', async () => {
    const { consumers, pull } = await setUp();
    const { consumer_id } = (await consumers('POST', '', { type: 'worker', script_name: 'x' })).json.result;
    const { result } = (await consumers('PUT', `/${consumer_id}`, { type: 'http_pull' })).json;
    expect(result).toMatchObject({ consumer_id, type: 'http_pull' });
    expect(result).not.toHaveProperty('script');
    expect((await pull()).status).toBe(200);
  });

  it('are at no deeper path, and of no other method', async () => {
    const { consumers } = await setUp();
    expect(refusal(await consumers('GET', '/a/b'))).toEqual([404, 7000]);
    expect(refusal(await consumers('PATCH', '', {}))).toEqual([405, 7001]);
    expect(refusal(await consumers('POST', '/x', {}))).toEqual([405, 7001]);
  });
});

describe('settings of a queue', () => {
  it('can be taken away: its dead letter queue', async () => {
    const { broker, post, clock } = callBroker({ maxRetries: 0, deadLetterQueue: 'dead' });
    broker.queue('jobs', { deadLetterQueue: null });
    await post('/messages', { body: 1 });
    await post('/messages/pull', { visibility_timeout_ms: 10 });
    await clock.advance(10);
    expect([broker.isEmpty('jobs'), broker.isEmpty('dead')]).toEqual([true, true]);
  });
});
