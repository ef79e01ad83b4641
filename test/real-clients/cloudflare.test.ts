import Cloudflare from 'cloudflare';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker } from '../../src/broker.ts';

let broker: Broker;
let server: BrokerServer;
let client: Cloudflare;
let account: { account_id: string };

beforeEach(async () => {
  broker = createBroker();
  server = await broker.listen();
  client = new Cloudflare({ apiToken: server.apiToken, baseURL: server.baseUrl, maxRetries: 0 });
  account = { account_id: server.accountId };
});

afterEach(() => server.close());

const idsOf = async <Item>(list: AsyncIterable<Item>, id: (item: Item) => string | undefined) => {
  const ids: (string | undefined)[] = [];
  for await (const item of list) ids.push(id(item));
  return ids;
};

// The calls on messages are in test/end-to-end/official-client.test.ts.
describe('the management calls of the official client', () => {
  it('are those on queues: create, list, get, edit, update, delete, metrics', async () => {
    const created = await client.queues.create({ ...account, queue_name: 'jobs' });
    const id = created.queue_id ?? '';
    expect(created).toMatchObject({ queue_name: 'jobs', consumers_total_count: 0 });
    for (let index = 0; index < 120; index += 1) broker.queue(`q${index}`);
    expect(await idsOf(client.queues.list(account), (queue) => queue.queue_id)).toHaveLength(121);
    const edited = await client.queues.edit(id, { ...account, settings: { delivery_delay: 7, delivery_paused: true } });
    expect(edited.settings).toMatchObject({ delivery_delay: 7, delivery_paused: true });
    const updated = await client.queues.update(id, { ...account, settings: { message_retention_period: 60 } });
    expect(updated.settings).toEqual({ delivery_delay: 0, delivery_paused: false, message_retention_period: 60 });
    expect(await client.queues.get(id, account)).toEqual(updated);
    const renamed = await client.queues.update(id, { ...account, queue_name: 'orders' });
    expect(renamed).toMatchObject({ queue_id: id, queue_name: 'orders', consumers_total_count: 0 });
    expect(await client.queues.edit(id, { ...account, queue_name: 'jobs' })).toMatchObject({ queue_id: id });
    await expect(client.queues.edit(id, { ...account, queue_name: 'a b' })).rejects.toMatchObject({
      status: 400,
      errors: [{ code: 11_003, source: { pointer: '/queue_name' } }],
    });
    broker.push('jobs', { body: 'abc' });
    expect(await client.queues.getMetrics(id, account)).toMatchObject({ backlog_count: 1, backlog_bytes: 3 });
    expect(await client.queues.delete(id, account)).toMatchObject({ success: true });
    await expect(client.queues.get(id, account)).rejects.toMatchObject({ status: 404 });
  });

  it('keep a jurisdiction', async () => {
    const created = await client.queues.create({ ...account, queue_name: 'home', jurisdiction: 'eu' });
    expect(created.jurisdiction).toBe('eu');
    expect((await client.queues.get(created.queue_id ?? '', account)).jurisdiction).toBe('eu');
  });

  it('are those on consumers: create, list, get, update, delete', async () => {
    const { queueId } = broker.queue('jobs', { httpPull: false });
    const at = { ...account, queue_id: queueId };
    const created = await client.queues.consumers.create(queueId, {
      ...account,
      type: 'http_pull',
      settings: { max_retries: 9 },
    });
    const id = created.consumer_id ?? '';
    expect(created).toMatchObject({ type: 'http_pull', dead_letter_queue: '', settings: { max_retries: 9 } });
    expect(await client.queues.consumers.get(id, at)).toEqual(created);
    expect(await idsOf(client.queues.consumers.list(queueId, account), (consumer) => consumer.consumer_id)).toEqual([
      id,
    ]);
    const updated = await client.queues.consumers.update(id, { ...at, type: 'http_pull', dead_letter_queue: 'dead' });
    expect(updated).toMatchObject({ consumer_id: id, dead_letter_queue: 'dead', settings: { max_retries: 3 } });
    expect(await client.queues.consumers.delete(id, at)).toMatchObject({ success: true });
    await expect(client.queues.consumers.get(id, at)).rejects.toMatchObject({
      status: 404,
      errors: [{ code: 11_006 }],
    });
    await expect(client.queues.messages.pull(queueId, account)).rejects.toMatchObject({ status: 405 });
  });

  it('keep a Worker as a consumer', async () => {
    const { queueId } = broker.queue('jobs', { httpPull: false });
    const at = { ...account, queue_id: queueId };
    const worker = { ...account, type: 'worker', script_name: 'my-worker' } as const;
    const created = await client.queues.consumers.create(queueId, { ...worker, settings: { max_concurrency: 3 } });
    expect(created).toMatchObject({ type: 'worker', script_name: 'my-worker', settings: { max_concurrency: 3 } });
    const id = created.consumer_id ?? '';
    const updated = await client.queues.consumers.update(id, { ...at, ...worker, settings: { batch_size: 2 } });
    expect(updated).toMatchObject({ consumer_id: id, settings: { batch_size: 2, max_concurrency: null } });
    const queue = await client.queues.get(queueId, account);
    expect([queue.consumers_total_count, queue.consumers]).toEqual([1, [updated]]);
    expect(await client.queues.consumers.delete(id, at)).toMatchObject({ success: true });
  });

  it('are those on event subscriptions: create, list, get, update, delete', async () => {
    const { queueId } = broker.queue('jobs');
    const { subscriptions } = client.queues;
    const created = await subscriptions.create({
      ...account,
      name: 'builds',
      enabled: true,
      source: { type: 'workersBuilds.worker', worker_name: 'my-worker' },
      destination: { type: 'queues.queue', queue_id: queueId },
      events: ['build.started', 'build.failed'],
    });
    expect(created).toMatchObject({ name: 'builds', destination: { type: 'queues.queue', queue_id: queueId } });
    for (let index = 0; index < 25; index += 1) {
      const source = { type: 'workflows.workflow', workflow_name: `w${index}` };
      broker.subscribe('jobs', { source, events: ['instance.started'] });
    }
    const listed = await idsOf(subscriptions.list({ ...account, order: 'created_at' }), ({ id }) => id);
    expect(new Set(listed).size).toBe(26);
    expect(listed).toContain(created.id);
    expect(await subscriptions.get(created.id, account)).toEqual(created);
    const updated = await subscriptions.update(created.id, { ...account, enabled: false });
    expect(updated).toMatchObject({ id: created.id, enabled: false, events: ['build.started', 'build.failed'] });
    expect(await subscriptions.delete(created.id, account)).toEqual(updated);
    await expect(subscriptions.get(created.id, account)).rejects.toMatchObject({ status: 404 });
    const wrong = subscriptions.update(listed[1] ?? '', { ...account, events: ['r2:object:create'] });
    await expect(wrong).rejects.toMatchObject({ status: 400, errors: [{ code: 0 }] });
  });

  it('are those of a purge, and its errors have the code and the text of the service', async () => {
    const { queueId } = broker.queue('jobs');
    broker.push('jobs', { body: 1 });
    expect(await client.queues.purge.status(queueId, account)).toEqual({});
    await client.queues.purge.start(queueId, { ...account, delete_messages_permanently: true });
    expect(broker.isEmpty('jobs')).toBe(true);
    expect(await client.queues.purge.status(queueId, account)).toMatchObject({ completed: 'true' });
    await expect(client.queues.create({ ...account, queue_name: 'jobs' })).rejects.toMatchObject({
      status: 409,
      errors: [{ code: 11_009 }],
    });
  });
});
