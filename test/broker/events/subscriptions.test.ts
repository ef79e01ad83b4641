import { describe, expect, it } from 'vitest';
import { createBroker } from '../../../src/broker.ts';
import { eventSources } from '../../../src/broker/events/event-sources.ts';
import { type Answer, callBroker, type CalledBroker } from '../call-broker.ts';

interface Subscribing extends CalledBroker {
  readonly queueId: string;
  /** A request to a path below `/event_subscriptions/subscriptions`. */
  manage(method: string, path: string, body?: unknown): Promise<Answer>;
  /** What a request makes of r2 events for the queue, with `changes`. */
  readonly wish: (changes?: Record<string, unknown>) => Record<string, unknown>;
}

function subscribing(): Subscribing {
  const called = callBroker();
  const accountUrl = called.queueUrl.slice(0, called.queueUrl.indexOf('/queues/'));
  const { queueId } = called.broker.queue('jobs');
  return {
    ...called,
    queueId,
    manage: (method, path, body) =>
      called.send(`${accountUrl}/event_subscriptions/subscriptions${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    wish: (changes) => ({
      name: 'buckets',
      enabled: true,
      source: { type: 'r2' },
      destination: { type: 'queues.queue', queue_id: queueId },
      events: ['bucket.created'],
      ...changes,
    }),
  };
}

describe('event subscriptions', () => {
  it('are created, got, changed and deleted, with the fields of the API', async () => {
    const { manage, wish, queueId, clock } = subscribing();
    const created = await manage('POST', '', wish());
    expect([created.status, created.json.result]).toEqual([
      200,
      {
        id: expect.stringMatching(/^[\da-f]{32}$/),
        created_at: '1970-01-01T00:16:40.000Z',
        modified_at: '1970-01-01T00:16:40.000Z',
        name: 'buckets',
        enabled: true,
        source: { type: 'r2' },
        destination: { type: 'queues.queue', queue_id: queueId },
        events: ['bucket.created'],
      },
    ]);
    const { id } = created.json.result;
    expect((await manage('GET', `/${id}`)).json.result).toEqual(created.json.result);
    await clock.advance(1_000);
    const changes = { enabled: false, events: ['bucket.deleted', 'bucket.created', 'bucket.deleted'] };
    const changed = (await manage('PATCH', `/${id}`, changes)).json.result;
    expect(changed).toEqual({
      ...created.json.result,
      modified_at: '1970-01-01T00:16:41.000Z',
      enabled: false,
      events: ['bucket.deleted', 'bucket.created'],
    });
    expect((await manage('DELETE', `/${id}`)).json.result).toEqual(changed);
    expect((await manage('GET', '')).json.result).toEqual([]);
  });

  it('may be of every source that is known', async () => {
    const { manage, wish } = subscribing();
    for (const [type, { fields, events = ['anything'] }] of eventSources) {
      const source = { type, ...Object.fromEntries(fields.map((name) => [name, 'x'])) };
      const { json } = await manage('POST', '', wish({ source, events }));
      expect(json).toMatchObject({ success: true, result: { source, events } });
    }
  });

  it('are listed by queue, in order, by page', async () => {
    const { manage, wish, broker, queueId, clock } = subscribing();
    const other = broker.queue('other').queueId;
    for (const [name, queue_id, enabled] of [
      ['b', queueId, true],
      ['a', other, false],
      ['c', queueId, false],
    ] as const) {
      const source = { type: 'workflows.workflow', workflow_name: name };
      const destination = { type: 'queues.queue', queue_id };
      await manage('POST', '', wish({ name, enabled, source, destination, events: ['instance.started'] }));
      await clock.advance(1);
    }
    const names = async (query: string): Promise<string[]> =>
      (await manage('GET', query)).json.result.map(({ name }: { name: string }) => name);
    expect(await names('')).toEqual(['a', 'b', 'c']);
    expect(await names('?direction=desc')).toEqual(['c', 'b', 'a']);
    expect(await names('?order=created_at')).toEqual(['b', 'a', 'c']);
    expect(await names('?order=enabled&direction=desc')).toEqual(['b', 'a', 'c']);
    expect(await names(`?queue_id=${queueId}`)).toEqual(['b', 'c']);
    expect(await names('?page=2&per_page=2')).toEqual(['c']);
    const { json } = await manage('GET', '?per_page=2');
    expect(json.result_info).toEqual({ count: 2, page: 1, per_page: 2, total_count: 3, total_pages: 2 });
    for (const query of ['?order=size', '?direction=up', '?page=0']) {
      expect((await manage('GET', query)).status).toBe(400);
    }
  });

  it.each([
    [{ name: '' }, 400, 10_026, '/name'],
    [{ name: undefined }, 400, 10_026, '/name'],
    [{ enabled: 'yes' }, 400, 10_026, '/enabled'],
    [{ source: 'r2' }, 400, 10_026, '/source'],
    [{ source: undefined }, 400, 10_026, '/source/type'],
    [{ source: { type: 'pigeon' } }, 400, 10_026, '/source/type'],
    [{ source: { type: '__proto__' } }, 400, 10_026, '/source/type'],
    [{ source: { type: 'workersAi.model' } }, 400, 10_026, '/source/model_name'],
    [{ source: { type: 'artifacts.repo', namespace: 'x', repo_name: 7 } }, 400, 10_026, '/source/repo_name'],
    [{ destination: undefined }, 400, 10_026, '/destination'],
    [{ destination: { type: 'pigeon' } }, 400, 10_026, '/destination/type'],
    [{ destination: { type: 'queues.queue' } }, 400, 10_026, '/destination/queue_id'],
    [{ destination: { type: 'queues.queue', queue_id: '0'.repeat(32) } }, 404, 11_000, '/destination/queue_id'],
    [{ events: [] }, 400, 10_026, '/events'],
    [{ events: undefined }, 400, 10_026, '/events'],
    [{ events: ['bucket.created', 7] }, 400, 10_026, '/events'],
    [{ events: ['r2:object:create'] }, 400, 0, '/events'],
  ])('are not created with %j', async (changes, status, code, pointer) => {
    const { manage, wish } = subscribing();
    const answer = await manage('POST', '', wish(changes));
    expect([answer.status, answer.json.errors]).toEqual([
      status,
      [{ code, message: expect.any(String), source: { pointer } }],
    ]);
    if (code === 0) expect(answer.json.errors[0].message).toBe('Unrecognized event types: r2:object:create');
    expect((await manage('GET', '')).json.result).toEqual([]);
  });

  it('are one a source, and not found where there are none', async () => {
    const { manage, wish } = subscribing();
    await manage('POST', '', wish());
    const second = await manage('POST', '', wish({ name: 'again' }));
    expect([second.status, second.json.errors[0].code, second.json.errors[0].source]).toEqual([
      409,
      0,
      { pointer: '/source' },
    ]);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const nobody = await manage(method, '/0123', method === 'PATCH' ? {} : undefined);
      expect([nobody.status, nobody.json.errors]).toEqual([
        404,
        [{ code: 0, message: 'No subscription with this ID' }],
      ]);
    }
    expect((await manage('PUT', '', {})).status).toBe(405);
    expect((await manage('GET', '/a/b')).status).toBe(404);
  });

  it('go with their queue, and stay with one that is renamed', async () => {
    const { manage, wish, broker, send, queueUrl } = subscribing();
    const { id } = (await manage('POST', '', wish())).json.result;
    await send(queueUrl, { method: 'PATCH', body: '{"queue_name":"orders"}' });
    broker.emitEvent(id, { event: 'bucket.created' });
    expect(broker.inspect('orders').counts.total).toBe(1);
    await send(queueUrl, { method: 'DELETE' });
    expect((await manage('GET', '')).json.result).toEqual([]);
    expect(() => broker.emitEvent(id, { event: 'bucket.created' })).toThrow(RangeError);
  });
});

describe('emitEvent()', () => {
  it('pushes the documented message', () => {
    const { broker } = subscribing();
    const id = broker.subscribe('jobs', {
      source: { type: 'workflows.workflow', workflow_name: 'checkout' },
      events: ['instance.completed'],
    });
    const payload = { versionId: 'v1', instanceId: 'i1' };
    const messageId = broker.emitEvent(id, { event: 'instance.completed', payload, at: 0 });
    expect(broker.inspect('jobs').messages).toMatchObject([
      {
        id: messageId,
        contentType: 'json',
        body: {
          type: 'cf.workflows.workflow.instance.completed',
          source: { type: 'workflows.workflow', workflowName: 'checkout' },
          payload,
          metadata: {
            accountId: '0123456789abcdef0123456789abcdef',
            eventSubscriptionId: id,
            eventSchemaVersion: 1,
            eventTimestamp: '1970-01-01T00:00:00.000Z',
          },
        },
      },
    ]);
  });

  it('has a payload with the documented fields where none is given', () => {
    const { broker } = subscribing();
    const keysOf = (type: string, event: string, fields: Record<string, string> = {}): string[] => {
      const id = broker.subscribe('jobs', { source: { type, ...fields }, events: [event] });
      broker.emitEvent(id, { event });
      const body = broker.inspect('jobs').messages.at(-1)?.body as { payload: object };
      return Object.keys(body.payload);
    };
    expect(keysOf('r2', 'bucket.created')).toEqual(['name', 'jurisdiction', 'location', 'storageClass']);
    expect(keysOf('kv', 'namespace.deleted')).toEqual(['id', 'name']);
    expect(keysOf('vectorize', 'index.deleted')).toEqual(['name']);
    expect(keysOf('superSlurper', 'job.completed')).toContain('migratedObjectsCount');
    expect(keysOf('workersAi.model', 'batch.failed', { model_name: 'm' })).toContain('httpCode');
    expect(keysOf('workersBuilds.worker', 'build.started', { worker_name: 'w' })).toContain('buildTriggerMetadata');
    expect(keysOf('images', 'anything')).toEqual([]);
  });

  it('has every documented event of every source', () => {
    for (const [type, { fields, events = [] }] of eventSources) {
      const broker = createBroker({ queues: { jobs: {} } });
      const source = { type, ...Object.fromEntries(fields.map((name) => [name, 'x'])) };
      if (events.length === 0) continue;
      const id = broker.subscribe('jobs', { source, events });
      for (const event of events) broker.emitEvent(id, { event });
      const types = broker.inspect('jobs').messages.map(({ body }) => (body as { type: string }).type);
      expect(types).toEqual(events.map((event) => `cf.${type}.${event}`));
    }
  });

  it('pushes nothing while the subscription is not enabled', () => {
    const { broker } = subscribing();
    const id = broker.subscribe('jobs', { source: { type: 'kv' }, events: ['namespace.created'], enabled: false });
    expect(broker.emitEvent(id, { event: 'namespace.created' })).toBeUndefined();
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('refuses what the subscription is not for, and subscriptions that there can not be', () => {
    const { broker } = subscribing();
    const id = broker.subscribe('jobs', { source: { type: 'kv' }, events: ['namespace.created'] });
    expect(() => broker.emitEvent(id, { event: 'namespace.deleted' })).toThrow(
      "'event' must be one of namespace.created",
    );
    expect(() => broker.emitEvent('x', { event: 'namespace.created' })).toThrow("no subscription with the id 'x'");
    expect(() => broker.emitEvent(id, { event: 'namespace.created', payload: 7 as never })).toThrow("'payload'");
    expect(() => broker.emitEvent(id, null as never)).toThrow("'event' must be an object");
    const again = { source: { type: 'kv' }, events: ['namespace.created'] };
    expect(() => broker.subscribe('jobs', again)).toThrow('has a subscription already');
    expect(() => broker.subscribe('nobody', again)).toThrow('no queue named');
    expect(() => broker.subscribe('jobs', { source: { type: 'r2' }, events: [] })).toThrow('events must be');
    expect(() => broker.subscribe('jobs', { source: { type: 'r2' }, events: ['x'] })).toThrow(
      'Unrecognized event types: x',
    );
  });

  it('is there for other languages, by HTTP', async () => {
    const { broker, send, queueUrl } = subscribing();
    const id = broker.subscribe('jobs', { source: { type: 'r2' }, events: ['bucket.created'] });
    const url = new URL('/leasestream/events', queueUrl).href;
    const body = JSON.stringify({ subscription_id: id, event: 'bucket.created', payload: { name: 'b' } });
    const { status, json } = await send(url, { method: 'POST', body });
    expect([status, json.result.message_id]).toEqual([200, broker.inspect('jobs').messages[0]?.id]);
    const wrong = await send(url, { method: 'POST', body: '{}' });
    expect([wrong.status, wrong.json.errors[0].code]).toEqual([400, 10_026]);
    expect((await send(url)).status).toBe(405);
  });
});
