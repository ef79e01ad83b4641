import { describe, expect, it } from 'vitest';
import { type BrokerOptions, createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';
import { callBroker, type CalledBroker } from './call-broker.ts';

/** Numbers that look like chance, the same each time. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function filled(options: BrokerOptions, count: number): CalledBroker {
  const called = callBroker({}, { random: seeded(), ...options });
  for (let body = 0; body < count; body += 1) called.broker.push('jobs', { body });
  return called;
}

const pullSome = async ({ post }: CalledBroker, batch_size: number): Promise<number[]> =>
  (await post('/messages/pull', { batch_size })).json.result.messages.map(({ body }: { body: string }) => Number(body));

describe('partialPulls', () => {
  it('brings fewer messages than asked for, at least one, and all of them in the end', async () => {
    const called = filled({ partialPulls: 0.5 }, 1000);
    const sizes: number[] = [];
    const seen: number[] = [];
    for (let bodies = await pullSome(called, 20); bodies.length > 0; bodies = await pullSome(called, 20)) {
      sizes.push(bodies.length);
      seen.push(...bodies);
    }
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    const full = sizes.filter((size) => size === 20).length / sizes.length;
    expect(full).toBeGreaterThan(0.3);
    expect(full).toBeLessThan(0.7);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
  });

  it('can be every pull', async () => {
    const called = filled({ partialPulls: 1 }, 100);
    for (let pull = 0; pull < 5; pull += 1) expect((await pullSome(called, 10)).length).toBeLessThan(10);
    expect(await pullSome(called, 1)).toHaveLength(1);
  });
});

describe("order: 'shuffled'", () => {
  it('gives each message once, in no order, and none that is delayed', async () => {
    const called = filled({ order: 'shuffled' }, 100);
    called.broker.push('jobs', { body: -1, delaySeconds: 1 });
    const bodies = [...(await pullSome(called, 50)), ...(await pullSome(called, 100))];
    expect(bodies).not.toEqual(bodies.toSorted((a, b) => a - b));
    expect(bodies.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });
});

describe('metrics', () => {
  const backlog = async ({ get }: CalledBroker): Promise<number> =>
    (await get('/metrics')).json.result.backlog_count as number;

  it('may be zero, which means unknown', async () => {
    const called = filled({ metrics: 'zero' }, 3);
    const zero = { backlog_bytes: 0, backlog_count: 0, oldest_message_timestamp_ms: 0 };
    expect((await called.get('/metrics')).json.result).toEqual(zero);
    expect((await called.post('/messages/pull', {})).json.result.metadata.metrics).toEqual(zero);
    expect(called.broker.isEmpty('jobs')).toBe(false);
  });

  it('may be old', async () => {
    const called = filled({ metricsLagMs: 1_000 }, 3);
    expect(await backlog(called)).toBe(3);
    called.broker.push('jobs', { body: 1 });
    await called.clock.advance(999);
    expect(await backlog(called)).toBe(3);
    await called.clock.advance(1);
    expect(await backlog(called)).toBe(4);
  });

  it.each([
    ['all', 6],
    ['without-leased', 4],
    ['without-delayed', 5],
    ['ready', 3],
  ] as const)('may count: %s', async (kind, count) => {
    const called = filled({ backlog: kind }, 5);
    called.broker.push('jobs', { body: 1, delaySeconds: 1 });
    await pullSome(called, 2);
    expect(await backlog(called)).toBe(count);
  });
});

describe('firstAttempts: 0', () => {
  it('counts from 0 over the wire, and as ever within', async () => {
    const called = filled({ firstAttempts: 0 }, 1);
    const attempts: number[] = [];
    for (let pull = 0; pull < 4; pull += 1) {
      const { messages } = (await called.post('/messages/pull', { visibility_timeout_ms: 10 })).json.result;
      attempts.push(messages[0].attempts);
      await called.clock.advance(10);
    }
    expect(attempts).toEqual([0, 1, 2, 3]);
    expect(called.broker.isEmpty('jobs')).toBe(true);
  });
});

describe('unknownLeases', () => {
  const settle = async (unknownLeases: 'warn' | 'count' | 'refuse') => {
    const called = filled({ unknownLeases }, 1);
    const { lease_id } = (await called.post('/messages/pull', {})).json.result.messages[0];
    const request = { acks: [{ lease_id }, { lease_id: 'x' }], retries: [{ lease_id: 'y' }] };
    return { called, answer: await called.post('/messages/ack', request) };
  };

  it('warns, or counts them', async () => {
    const warned = await settle('warn');
    expect(warned.answer.json.result).toMatchObject({ ackCount: 1, retryCount: 0, warnings: { x: /./, y: /./ } });
    const counted = await settle('count');
    expect(counted.answer.json.result).toEqual({ ackCount: 2, retryCount: 1, warnings: {} });
  });

  it('refuses the request, and settles nothing', async () => {
    const { called, answer } = await settle('refuse');
    expect(answer.status).toBe(400);
    expect(answer.json.errors).toMatchObject([{ code: 10_026, source: { pointer: '/acks/1/lease_id' } }]);
    expect(called.broker.inspect('jobs').counts.leased).toBe(1);
  });
});

describe("acksWhilePaused: 'refuse'", () => {
  it('refuses settlements with 409', async () => {
    const called = filled({ acksWhilePaused: 'refuse' }, 1);
    const { lease_id } = (await called.post('/messages/pull', {})).json.result.messages[0];
    called.broker.queue('jobs', { deliveryPaused: true });
    expect((await called.post('/messages/ack', { acks: [{ lease_id }] })).status).toBe(409);
    called.broker.queue('jobs', { deliveryPaused: false });
    expect((await called.post('/messages/ack', { acks: [{ lease_id }] })).json.result.ackCount).toBe(1);
  });
});

describe("jsonScalars: 'refuse'", () => {
  it('refuses numbers, booleans and null', async () => {
    const { post } = callBroker({}, { jsonScalars: 'refuse' });
    for (const body of [1, true, null]) expect((await post('/messages', { body })).json.errors[0].code).toBe(10_207);
    for (const body of [{}, []]) expect((await post('/messages', { body })).status).toBe(200);
  });
});

describe('expiredLeases', () => {
  const setUp = async (options: BrokerOptions) => {
    const called = callBroker({ retryDelaySeconds: 5, maxRetries: 1, deadLetterQueue: 'dead' }, options);
    await called.post('/messages', { body: 1 });
    const pull = async () =>
      (await called.post('/messages/pull', { visibility_timeout_ms: 1_000 })).json.result.messages;
    return { ...called, pull };
  };

  it("have the consumer's retry delay, and a late ack all the while", async () => {
    const { pull, clock, broker, post } = await setUp({});
    const [{ lease_id }] = await pull();
    await clock.advance(1_000);
    expect(broker.inspect('jobs').messages).toMatchObject([{ state: 'delayed', visibleAtMs: 1_006_000 }]);
    await clock.advance(4_999);
    expect(await pull()).toEqual([]);
    await clock.advance(1);
    expect(await pull()).toMatchObject([{ attempts: 2 }]);
    await clock.advance(500);
    expect((await post('/messages/ack', { acks: [{ lease_id }] })).json.result.ackCount).toBe(1);
  });

  it('or are visible at once, as an option', async () => {
    const { pull, clock } = await setUp({ expiredLeases: 'at-once' });
    await pull();
    await clock.advance(1_000);
    expect(await pull()).toMatchObject([{ attempts: 2 }]);
  });

  it('of the last attempt move to the dead letter queue at once', async () => {
    const { pull, clock, broker } = await setUp({});
    await pull();
    await clock.advance(6_000);
    await pull();
    await clock.advance(1_000);
    expect([broker.isEmpty('jobs'), broker.inspect('dead').counts.ready]).toEqual([true, 1]);
  });
});

describe('requestLimit', () => {
  const requestLimit = { requests: 3, perMs: 1_000, blockMs: 5_000 };

  it('refuses pushes and management, not pulls and settlements, for as long as it says', async () => {
    const { post, get, clock } = callBroker({}, { requestLimit });
    const push = () => post('/messages', { body: {} });
    for (let request = 0; request < 3; request += 1) expect((await push()).status).toBe(200);
    await clock.advance(500);
    const refused = await push();
    expect([refused.status, refused.json.errors[0].code]).toEqual([429, 971]);
    expect((await get('/metrics')).status).toBe(429);
    expect((await post('/messages/pull', {})).status).toBe(200);
    expect((await post('/messages/ack', { acks: [{ lease_id: 'x' }] })).status).toBe(200);
    await clock.advance(4_999);
    expect((await push()).status).toBe(429);
    await clock.advance(1);
    for (let request = 0; request < 3; request += 1) expect((await push()).status).toBe(200);
  });

  it('names the seconds to wait', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, requestLimit: { requests: 1, perMs: 1_500 } });
    const { baseUrl, accountId, apiToken, fetch } = broker.queue('jobs');
    const list = () =>
      fetch(`${baseUrl}/accounts/${accountId}/queues`, { headers: { authorization: `Bearer ${apiToken}` } });
    expect((await list()).headers.has('retry-after')).toBe(false);
    expect((await list()).headers.get('retry-after')).toBe('2');
    await clock.advance(1_500);
    expect((await list()).status).toBe(200);
  });
});

describe('messagesPerSecond', () => {
  it('refuses pushes beyond it, with the code of an overloaded queue', async () => {
    const { post, clock, broker } = callBroker({}, { messagesPerSecond: 5 });
    const push = (count: number) =>
      post('/messages/batch', { messages: Array.from({ length: count }, () => ({ body: {} })) });
    expect((await push(3)).status).toBe(200);
    const refused = await push(3);
    expect([refused.status, refused.json.errors[0].code]).toEqual([429, 10_250]);
    expect(broker.inspect('jobs').counts.total).toBe(3);
    await expect(broker.transport('jobs').push({ body: 1 })).rejects.toMatchObject({
      code: 'queue-unavailable',
      retryAfterMs: 1_000,
    });
    await clock.advance(1_000);
    expect((await push(100)).status).toBe(200);
    expect((await push(1)).status).toBe(429);
  });
});

describe("deadLettersKeep: 'body'", () => {
  it('pushes dead letters anew, and journals under which id', async () => {
    const journal: JournalEntry[] = [];
    const { broker, post, clock } = callBroker(
      { maxRetries: 0, deadLetterQueue: 'dead' },
      { deadLettersKeep: 'body', onJournal: (entry) => journal.push(entry) },
    );
    const id = broker.push('jobs', { body: 'x' });
    await post('/messages/pull', { visibility_timeout_ms: 10 });
    await clock.advance(10);
    const [dead] = broker.inspect('dead').messages;
    expect(dead).toMatchObject({ body: 'x', timestampMs: 1_000_010, attempts: 0 });
    expect(dead?.id).not.toBe(id);
    expect(journal.at(-1)).toMatchObject({ type: 'deadLettered', messageId: id, newMessageId: dead?.id });
  });
});

describe('options of behaviour', () => {
  it.each([
    [{ partialPulls: 1.1 }, RangeError, "'partialPulls' must be a number in 0..1"],
    [{ metricsLagMs: -1 }, RangeError, "'metricsLagMs' must be an integer in 0..86400000"],
    [{ pullEnabledAfterMs: 600_001 }, RangeError, "'pullEnabledAfterMs' must be"],
    [{ messagesPerSecond: 0 }, RangeError, "'messagesPerSecond' must be"],
    [{ requestLimit: { requests: 0, perMs: 1 } }, RangeError, "'requestLimit.requests' must be"],
    [{ requestLimit: { requests: 1, perMs: 0 } }, RangeError, "'requestLimit.perMs' must be"],
  ])('are refused: %j', (options, type, message) => {
    expect(() => createBroker(options)).toThrow(type);
    expect(() => createBroker(options)).toThrow(message);
  });

  it.each(['order', 'metrics', 'backlog', 'unknownLeases', 'acksWhilePaused', 'deadLettersKeep', 'firstAttempts'])(
    'are refused when %s is none of its words',
    (name) => {
      expect(() => createBroker({ [name]: 'sideways' })).toThrow(`'${name}' must be one of`);
    },
  );
});
