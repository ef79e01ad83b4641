import { describe, expect, it } from 'vitest';
import { type Broker, createBroker, type QueueSettings } from '../../../src/broker.ts';
import { type Answer, callBroker, type CalledBroker } from '../call-broker.ts';

interface Renaming extends CalledBroker {
  readonly queueId: string;
  /** A request to a path below `/queues`. */
  manage(method: string, path: string, body?: unknown): Promise<Answer>;
  rename(id: string, name: string, method?: string): Promise<Answer>;
}

function renaming(settings: QueueSettings = {}): Renaming {
  const called = callBroker(settings);
  const queuesUrl = called.queueUrl.slice(0, called.queueUrl.lastIndexOf('/'));
  const manage = (method: string, path: string, body?: unknown): Promise<Answer> =>
    called.send(queuesUrl + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return {
    ...called,
    queueId: called.broker.queue('jobs').queueId,
    manage,
    rename: (id, name, method = 'PATCH') => manage(method, `/${id}`, { queue_name: name }),
  };
}

const namesOf = (broker: Broker): readonly string[] => broker.queueNames().toSorted();

describe('a rename', () => {
  it.each(['PUT', 'PATCH'])('by %s keeps the id, the messages, their leases and the consumer', async (method) => {
    const { rename, manage, queueId, broker, post } = renaming();
    await post('/messages', { body: { a: 1 } });
    const { lease_id } = (await post('/messages/pull', {})).json.result.messages[0];
    const before = (await manage('GET', `/${queueId}`)).json.result;
    const { status, json } = await rename(queueId, 'orders', method);
    expect([status, json.result.queue_name, json.result.queue_id]).toEqual([200, 'orders', queueId]);
    expect(json.result.consumers).toEqual([{ ...before.consumers[0], queue_name: 'orders' }]);
    expect(broker.queueNames()).toEqual(['orders']);
    expect((await manage('GET', '?name=orders')).json.result).toHaveLength(1);
    expect((await manage('GET', '?name=jobs')).json.result).toEqual([]);
    expect((await post('/messages/ack', { acks: [{ lease_id }] })).json.result.ackCount).toBe(1);
  });

  it('changes settings in the same call', async () => {
    const { manage, queueId } = renaming();
    const body = { queue_name: 'orders', settings: { delivery_delay: 3 } };
    expect((await manage('PUT', `/${queueId}`, body)).json.result).toMatchObject({
      queue_name: 'orders',
      settings: { delivery_delay: 3 },
    });
  });

  it('frees the name for another queue, of another id', async () => {
    const { rename, manage, queueId, broker } = renaming();
    await rename(queueId, 'orders');
    const { status, json } = await manage('POST', '', { queue_name: 'jobs' });
    expect(status).toBe(200);
    expect(json.result.queue_id).not.toBe(queueId);
    expect(broker.queue('jobs').queueId).toBe(json.result.queue_id);
    expect(broker.queue('orders').queueId).toBe(queueId);
  });

  it('is followed by whoever names the queue within the process, until another queue has the name', async () => {
    const { rename, manage, queueId, broker } = renaming();
    broker.push('jobs', { body: 1 });
    await rename(queueId, 'orders');
    expect(broker.queue('jobs', { maxRetries: 9 })).toMatchObject({ queueId, queueName: 'orders' });
    expect(broker.inspect('jobs').queueName).toBe('orders');
    broker.push('jobs', { body: 2 });
    expect((await broker.transport('jobs').pull({})).messages).toHaveLength(2);
    expect(broker.queueNames()).toEqual(['orders']);
    await manage('POST', '', { queue_name: 'jobs' });
    expect(broker.inspect('jobs').counts.total).toBe(0);
  });

  it('is followed back and forth', async () => {
    const { rename, queueId, broker } = renaming();
    await rename(queueId, 'orders');
    await rename(queueId, 'tasks');
    for (const name of ['jobs', 'orders', 'tasks']) expect(broker.queue(name).queueId).toBe(queueId);
    expect((await rename(queueId, 'jobs')).json.result.queue_name).toBe('jobs');
    for (const name of ['jobs', 'orders', 'tasks']) expect(broker.queue(name).queueId).toBe(queueId);
    expect(broker.queueNames()).toEqual(['jobs']);
  });

  it('is forgotten with the queue', async () => {
    const { rename, manage, queueId, broker } = renaming();
    await rename(queueId, 'orders');
    await manage('DELETE', `/${queueId}`);
    expect(() => broker.inspect('jobs')).toThrow(RangeError);
    expect(broker.queue('jobs').queueId).not.toBe(queueId);
    expect(broker.queueNames()).toEqual(['jobs']);
  });

  it('is followed by the queues whose dead letter queue it is', async () => {
    const { rename, manage, queueId, broker, post, clock } = renaming({ maxRetries: 0, deadLetterQueue: 'dead' });
    await rename(broker.queue('dead').queueId, 'buried');
    expect((await manage('GET', `/${queueId}/consumers`)).json.result[0].dead_letter_queue).toBe('buried');
    await post('/messages', { body: 1 });
    await post('/messages/pull', { visibility_timeout_ms: 10 });
    await clock.advance(10);
    expect(broker.inspect('buried').messages).toMatchObject([{ body: 1 }]);
    broker.queue('jobs', { deadLetterQueue: 'dead' });
    expect((await manage('GET', `/${queueId}/consumers`)).json.result[0].dead_letter_queue).toBe('buried');
    expect(namesOf(broker)).toEqual(['buried', 'jobs']);
  });

  it('makes a queue the dead letter queue that others name and had lost', async () => {
    const { rename, manage, broker, post, clock } = renaming({ maxRetries: 0, deadLetterQueue: 'dead' });
    await manage('DELETE', `/${broker.queue('dead').queueId}`);
    await rename(broker.queue('other').queueId, 'dead');
    await post('/messages', { body: 1 });
    await post('/messages/pull', { visibility_timeout_ms: 10 });
    await clock.advance(10);
    expect(broker.inspect('dead').messages).toMatchObject([{ body: 1 }]);
  });

  it('is refused for the name of another queue, and for that of its own dead letter queue', async () => {
    const { rename, manage, queueId, broker } = renaming({ deadLetterQueue: 'dead' });
    const taken = await rename(queueId, 'dead');
    expect([taken.status, taken.json.errors[0].code]).toEqual([409, 11_009]);
    await manage('DELETE', `/${broker.queue('dead').queueId}`);
    const own = await rename(queueId, 'dead');
    expect([own.status, own.json.errors[0].code, own.json.errors[0].source]).toEqual([
      400,
      100_128,
      { pointer: '/queue_name' },
    ]);
    expect(broker.queueNames()).toEqual(['jobs']);
  });
});

describe('the id of a queue', () => {
  it('is another one after a delete, so that nothing of the old one reaches the new one', async () => {
    const { manage, queueId, broker, post } = renaming();
    await manage('DELETE', `/${queueId}`);
    expect(broker.queue('jobs').queueId).not.toBe(queueId);
    expect((await post('/messages', { body: 1 })).status).toBe(404);
  });

  it('is of 32 hex characters, and no two are equal, whatever the random numbers', () => {
    const broker = createBroker({ random: () => 0.5 });
    const ids = Array.from({ length: 500 }, (_, index) => broker.queue(`q${index}`).queueId);
    expect(new Set(ids).size).toBe(500);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{32}$/);
  });

  it('can be given, and is a way to name a queue that was renamed', async () => {
    const id = '0123456789abcdef0123456789abcdef';
    const { rename, broker } = renaming({ id });
    expect(broker.queue('jobs').queueId).toBe(id);
    await rename(id, 'orders');
    expect(broker.queue('anything', { id })).toMatchObject({ queueId: id, queueName: 'orders' });
    expect(() => broker.queue('orders', { id: 'f'.repeat(32) })).toThrow(`its id is ${id}`);
    expect(broker.queueNames()).toEqual(['orders']);
  });

  it.each(['', 'x'.repeat(32), 'A'.repeat(32), '0'.repeat(31), 7])('is not %j', (id) => {
    expect(() => createBroker({ queues: { jobs: { id: id as string } } })).toThrow("'id' must be");
  });
});
