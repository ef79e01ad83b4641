import { describe, expect, it } from 'vitest';
import { createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';

describe('createBroker()', () => {
  it('opens the queues that it is given, and their dead letter queues', () => {
    const broker = createBroker({ queues: { jobs: { deadLetterQueue: 'dead' }, other: {} } });
    expect(['jobs', 'dead', 'other'].map((name) => broker.isEmpty(name))).toEqual([true, true, true]);
  });

  it('gives queues ids of their own, whatever their names', () => {
    const [first, second] = [createBroker(), createBroker()];
    expect(first.queue('jobs').queueId).toMatch(/^[\da-f]{32}$/);
    expect(first.queue('jobs').queueId).toBe(first.queue('jobs').queueId);
    expect(first.queue('jobs').queueId).not.toBe(second.queue('jobs').queueId);
    expect(first.queue('jobs').queueId).not.toBe(first.queue('jobt').queueId);
  });

  it.each([
    [
      { accountId: 'a/b' },
      TypeError,
      "'accountId' must be an id of letters, digits, '_' and '-': current value is 'a/b'",
    ],
    [{ email: 'a@b.c' }, TypeError, "'email' and 'apiKey' must be given together"],
    [{ leastVisibilityTimeoutMs: 0 }, RangeError, "'leastVisibilityTimeoutMs' must be an integer in 1..43200000"],
    [{ queues: { 'a b': {} } }, RangeError, "'name' must be 1 to 63 letters"],
    [{ queues: { jobs: { maxRetries: -1 } } }, RangeError, "'maxRetries' must be an integer in 0..100"],
  ])('refuses %j', (options, type, message) => {
    expect(() => createBroker(options)).toThrow(type);
    expect(() => createBroker(options)).toThrow(message);
  });

  it('refuses a token without showing it', () => {
    expect(() => createBroker({ apiToken: 'my secret' })).toThrow(
      new TypeError("Cannot create a broker as 'apiToken' must be printable ASCII characters without spaces"),
    );
  });

  it('refuses options of the wrong type', () => {
    // @ts-expect-error no such form
    expect(() => createBroker({ jsonBodies: 'gzip' })).toThrow(TypeError);
    // @ts-expect-error a number is no function
    expect(() => createBroker({ random: 4 })).toThrow("'random' must be a function");
    // @ts-expect-error a string is no function
    expect(() => createBroker({ onJournal: 'x' })).toThrow("'onJournal' must be a function");
  });
});

describe('queue()', () => {
  it('gives what openQueue needs, with the clock when there is one', () => {
    const clock = new ManualClock();
    const broker = createBroker({ accountId: 'account', apiToken: 'token', clock });
    expect(broker.queue('jobs')).toEqual({
      accountId: 'account',
      queueId: expect.any(String),
      queueName: 'jobs',
      apiToken: 'token',
      baseUrl: 'https://broker.invalid/client/v4',
      fetch: broker.fetch,
      clock,
    });
    expect(createBroker().queue('jobs')).not.toHaveProperty('clock');
  });
});

describe('fetch()', () => {
  const { queueId, accountId, apiToken, baseUrl } = createBroker().queue('jobs');
  const url = `${baseUrl}/accounts/${accountId}/queues/${queueId}/metrics`;
  const headers = { authorization: `Bearer ${apiToken}` };

  it('takes what the platform takes: a string, a URL, a Request', async () => {
    const { fetch } = createBroker({ queues: { jobs: { id: queueId } } });
    expect((await fetch(url, { headers })).status).toBe(200);
    expect((await fetch(new URL(url), { headers })).status).toBe(200);
    expect((await fetch(new Request(url, { headers }))).status).toBe(200);
    expect((await fetch(new Request(url), { headers })).status).toBe(200);
  });

  it('rejects with the reason of an aborted signal, and leaves no listener on it', async () => {
    const { fetch } = createBroker({ queues: { jobs: { id: queueId } } });
    const controller = new AbortController();
    const reason = new Error('enough');
    let listeners = 0;
    controller.signal.addEventListener = (): void => void (listeners += 1);
    const under = fetch(url, { headers, signal: controller.signal });
    controller.abort(reason);
    await expect(under).rejects.toBe(reason);
    await expect(fetch(url, { headers, signal: controller.signal })).rejects.toBe(reason);
    expect(listeners).toBe(0);
  });
});

describe('push()', () => {
  it('pushes any content type, and tells the id', () => {
    const broker = createBroker({ queues: { jobs: {} }, clock: new ManualClock({ now: 0 }) });
    const ids = [
      broker.push('jobs', { body: 'text' }),
      broker.push('jobs', { body: 'JSON text', contentType: 'json' }),
      broker.push('jobs', { body: { a: 1 }, delaySeconds: 3 }),
      broker.push('jobs', { body: Uint8Array.of(1, 2) }),
      broker.push('jobs', { body: Uint8Array.of(3), contentType: 'v8' }),
      broker.push('jobs', { body: '***', contentType: 'bytes', raw: true }),
    ];
    expect(broker.inspect('jobs').messages).toMatchObject([
      { id: ids[0], contentType: 'text', body: 'text', state: 'ready' },
      { id: ids[1], contentType: 'json', body: 'JSON text' },
      { id: ids[2], contentType: 'json', body: { a: 1 }, state: 'delayed', visibleAtMs: 3_000 },
      { id: ids[3], contentType: 'bytes', body: Uint8Array.of(1, 2) },
      { id: ids[4], contentType: 'v8', body: undefined },
      { id: ids[5], contentType: 'bytes', body: undefined },
    ]);
  });

  it('refuses what does not go together', () => {
    const broker = createBroker({ queues: { jobs: {} } });
    expect(() => broker.push('jobs', { body: 'x', contentType: 'bytes' })).toThrow("'body' must be a Uint8Array");
    expect(() => broker.push('jobs', { body: 1, contentType: 'text' })).toThrow("'body' must be a string");
    expect(() => broker.push('jobs', { body: undefined })).toThrow(TypeError);
    expect(() => broker.push('jobs', { body: 1, delaySeconds: -1 })).toThrow(RangeError);
    expect(() => broker.push('nobody', { body: 1 })).toThrow("Cannot push: there is no queue named 'nobody'");
  });
});

describe('inspect() and isEmpty()', () => {
  it('refuse a queue that is not there', () => {
    expect(() => createBroker().inspect('jobs')).toThrow(RangeError);
    expect(() => createBroker().isEmpty('jobs')).toThrow(RangeError);
  });

  it('see what time did', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: { maxRetries: 0 } } });
    broker.push('jobs', { body: 'x' });
    await broker.transport('jobs').pull({ visibilityTimeoutMs: 10 });
    expect(broker.inspect('jobs').counts).toEqual({ ready: 0, delayed: 0, leased: 1, total: 1 });
    await clock.advance(10);
    expect(broker.inspect('jobs').counts.total).toBe(0);
    expect(broker.isEmpty('jobs')).toBe(true);
  });
});

describe('onJournal', () => {
  it('tells the whole story of a message', async () => {
    const clock = new ManualClock({ now: 0 });
    const journal: JournalEntry[] = [];
    const broker = createBroker({ clock, onJournal: (entry) => journal.push(entry), queues: { jobs: {} } });
    const messageId = broker.push('jobs', { body: 'x' });
    const transport = broker.transport('jobs');
    const first = await transport.pull({ visibilityTimeoutMs: 10 });
    await clock.advance(15);
    const second = await transport.pull({ visibilityTimeoutMs: 10 });
    const leases = [first, second].map(({ messages }) => messages[0]?.leaseId ?? '');
    const [lost = '', leaseId = ''] = leases;
    await transport.ack({ acks: [], retries: [{ leaseId, delaySeconds: 0 }] });
    await transport.ack({ acks: [lost], retries: [] });
    const about = { queue: 'jobs', messageId };
    expect(journal).toEqual([
      { ...about, type: 'pushed', at: 0 },
      { ...about, type: 'delivered', at: 0, leaseId: lost, attempts: 1, deadline: 10 },
      { ...about, type: 'expired', at: 10, leaseId: lost, delaySeconds: 0 },
      { ...about, type: 'delivered', at: 15, leaseId, attempts: 2, deadline: 25 },
      { ...about, type: 'retried', at: 15, leaseId, delaySeconds: 0, late: false },
      { ...about, type: 'acked', at: 15, leaseId: lost, late: true },
    ]);
  });
});
