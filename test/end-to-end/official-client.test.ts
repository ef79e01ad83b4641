import Cloudflare from 'cloudflare';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker, type QueueConnection } from '../../src/broker.ts';

let broker: Broker;
let server: BrokerServer;
let connection: QueueConnection;

beforeEach(async () => {
  broker = createBroker();
  server = await broker.listen();
  connection = server.queue('jobs');
});

afterEach(() => server.close());

const bodies = (): unknown[] => broker.inspect('jobs').messages.map(({ body }) => body);

describe('the official client', () => {
  const connect = (): { messages: Cloudflare['queues']['messages']; account: { account_id: string } } => {
    const { apiToken, baseUrl, accountId } = connection;
    const client = new Cloudflare({ apiToken, baseURL: baseUrl, maxRetries: 0 });
    return { messages: client.queues.messages, account: { account_id: accountId } };
  };

  it('pushes', async () => {
    const { messages, account } = connect();
    await messages.push(connection.queueId, { ...account, body: { a: 1 } });
    await messages.push(connection.queueId, { ...account, body: 'text', content_type: 'text', delay_seconds: 5 });
    expect(broker.inspect('jobs').messages).toMatchObject([
      { body: { a: 1 }, contentType: 'json', state: 'ready' },
      { body: 'text', contentType: 'text', state: 'delayed' },
    ]);
  });

  it('pushes in bulk', async () => {
    const { messages, account } = connect();
    await messages.bulkPush(connection.queueId, {
      ...account,
      messages: [
        { body: { n: 1 }, content_type: 'json' },
        { body: 'two', content_type: 'text' },
      ],
    });
    expect(bodies()).toEqual([{ n: 1 }, 'two']);
  });

  it('pulls, acknowledges and retries', async () => {
    const { messages, account } = connect();
    for (const body of ['a', 'b', 'c']) broker.push('jobs', { body });
    const pulled = await messages.pull(connection.queueId, {
      ...account,
      batch_size: 2,
      visibility_timeout_ms: 60_000,
    });
    expect(pulled?.message_backlog_count).toBe(3);
    expect(pulled?.messages?.map(({ body, attempts }) => [body, attempts])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    const [first, second] = pulled?.messages?.map(({ lease_id }) => lease_id ?? '') ?? [];
    const result = await messages.ack(connection.queueId, {
      ...account,
      acks: [{ lease_id: first ?? '' }],
      retries: [{ lease_id: second ?? '', delay_seconds: 60 }],
    });
    expect(result).toMatchObject({ ackCount: 1, retryCount: 1 });
    expect(broker.inspect('jobs').messages).toMatchObject([
      { body: 'b', state: 'delayed', attempts: 1 },
      { body: 'c', state: 'ready' },
    ]);
  });

  it('is told of an unknown lease by a warning', async () => {
    const { messages, account } = connect();
    const result = await messages.ack(connection.queueId, { ...account, acks: [{ lease_id: 'unknown' }] });
    expect(result).toMatchObject({ ackCount: 0, warnings: { unknown: expect.any(String) } });
  });

  it('pulls nothing from an empty queue', async () => {
    const { messages, account } = connect();
    expect((await messages.pull(connection.queueId, account))?.messages).toEqual([]);
  });

  it('throws its own errors', async () => {
    const { messages, account } = connect();
    broker.queue('jobs', { httpPull: false });
    await expect(messages.pull(connection.queueId, account)).rejects.toMatchObject({ status: 405 });
    await expect(messages.pull('0'.repeat(32), account)).rejects.toBeInstanceOf(Cloudflare.NotFoundError);
    const stranger = new Cloudflare({ apiToken: 'wrong', baseURL: connection.baseUrl, maxRetries: 0 });
    const pull = stranger.queues.messages.pull(connection.queueId, account);
    await expect(pull).rejects.toMatchObject({ status: expect.any(Number) });
  });
});

describe('a client of nothing but fetch', () => {
  const post = async (path: string, body: unknown): Promise<{ success: boolean; result: Record<string, unknown> }> => {
    const { baseUrl, accountId, queueId, apiToken } = connection;
    const response = await fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/messages${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.headers.get('content-type')).toContain('application/json');
    return (await response.json()) as { success: boolean; result: Record<string, unknown> };
  };

  it('pushes, pulls, acknowledges and retries', async () => {
    expect(await post('', { body: { a: 1 } })).toMatchObject({ success: true });
    expect(await post('/batch', { messages: [{ body: 'b', content_type: 'text' }, { body: [3] }] })).toMatchObject({
      success: true,
    });
    const { result } = await post('/pull', { batch_size: 10, visibility_timeout_ms: 60_000 });
    const messages = result['messages'] as Array<{ body: string; lease_id: string; attempts: number }>;
    expect(messages.map(({ body }) => body)).toEqual(['{"a":1}', 'b', '[3]']);
    const [first, second, third] = messages.map(({ lease_id }) => ({ lease_id }));
    const settled = await post('/ack', { acks: [first, second], retries: [{ ...third, delay_seconds: 0 }] });
    expect(settled.result).toMatchObject({ ackCount: 2, retryCount: 1 });
    const again = (await post('/pull', {})).result['messages'] as Array<{ attempts: number }>;
    expect(again).toMatchObject([{ attempts: 2, body: '[3]' }]);
    expect(bodies()).toEqual([[3]]);
  });
});
