import { afterEach, describe, expect, it } from 'vitest';
import { openQueue } from '../../../src/index.ts';
import { type BrokerServer, createBroker, type FaultOptions, ManualClock } from '../../../src/broker.ts';
import { callBroker } from '../call-broker.ts';

const servers: BrokerServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('faults', () => {
  const statuses = async (faults: FaultOptions, count = 200): Promise<number[]> => {
    const { post } = callBroker({}, { faults });
    const answers: number[] = [];
    for (let request = 0; request < count; request += 1) {
      answers.push((await post('/messages', { body: {} })).status);
    }
    return answers;
  };
  const share = (answers: readonly number[], status: number): number =>
    answers.filter((each) => each === status).length / answers.length;

  it('happen as often as they are told, and the same for the same seed', async () => {
    const faults = { seed: 5, rateLimit: 0.2, failBefore: 0.2, failAfter: 0.2 };
    const answers = await statuses(faults);
    expect(share(answers, 429)).toBeGreaterThan(0.1);
    expect(share(answers, 429)).toBeLessThan(0.3);
    expect(share(answers, 500)).toBeGreaterThan(0.2);
    expect(share(answers, 500)).toBeLessThan(0.4);
    expect(await statuses(faults)).toEqual(answers);
    expect(await statuses({ ...faults, seed: 6 })).not.toEqual(answers);
  });

  it('fail before the effect, or after it', async () => {
    for (const [faults, count] of [
      [{ rateLimit: 1 }, 0],
      [{ failBefore: 1 }, 0],
      [{ failAfter: 1 }, 1],
    ] as const) {
      const { post, broker } = callBroker({}, { faults });
      expect((await post('/messages', { body: {} })).status).toBeGreaterThanOrEqual(429);
      expect(broker.inspect('jobs').counts.total).toBe(count);
    }
  });

  it('say when to come back', async () => {
    const broker = createBroker({ faults: { rateLimit: 1, retryAfterSeconds: 7 } });
    const { baseUrl, accountId, apiToken, fetch } = broker.queue('jobs');
    const headers = { authorization: `Bearer ${apiToken}` };
    const response = await fetch(`${baseUrl}/accounts/${accountId}/queues`, { headers });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
  });

  it('are limited to some calls, set and ended while the broker runs', async () => {
    const { post, get, broker } = callBroker();
    broker.setFaults({ failBefore: 1, calls: ['pull', 'manage'] });
    expect((await post('/messages', { body: {} })).status).toBe(200);
    expect((await post('/messages/pull', {})).status).toBe(500);
    expect((await get('')).status).toBe(500);
    expect((await get('/metrics')).status).toBe(200);
    broker.setFaults({});
    expect((await post('/messages/pull', {})).status).toBe(200);
  });

  it('may be HTML', async () => {
    const broker = createBroker({ faults: { failBefore: 1, failWith: 'html' } });
    const { baseUrl, fetch } = broker.queue('jobs');
    const response = await fetch(`${baseUrl}/accounts`);
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html']);
  });

  it('may be no answer, in process and over a socket', async () => {
    const broker = createBroker({ faults: { failAfter: 1, failWith: 'disconnect' } });
    const server = await broker.listen();
    servers.push(server);
    for (const { baseUrl, accountId, queueId, apiToken, ...rest } of [broker.queue('jobs'), server.queue('jobs')]) {
      const send = 'fetch' in rest ? (rest.fetch as typeof fetch) : fetch;
      const init = { method: 'POST', headers: { authorization: `Bearer ${apiToken}` }, body: '{"body":1}' };
      const url = `${baseUrl}/accounts/${accountId}/queues/${queueId}/messages`;
      await expect(send(url, init)).rejects.toThrow(new TypeError('fetch failed'));
    }
    expect(broker.inspect('jobs').counts.total).toBe(2);
  });

  it('delay answers on the clock of the broker, and an abort ends the wait', async () => {
    const { post, clock, broker } = callBroker({}, { faults: { latencyMs: [100, 200] } });
    let answered = false;
    const push = post('/messages', { body: {} }).finally(() => (answered = true));
    await clock.advance(99);
    expect(answered).toBe(false);
    expect(broker.isEmpty('jobs')).toBe(true);
    await clock.advance(101);
    expect((await push).status).toBe(200);

    const controller = new AbortController();
    const { baseUrl } = broker.queue('jobs');
    const slow = broker.fetch(`${baseUrl}/accounts`, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(slow).rejects.toThrow('enough');
  });

  it('deliver messages twice, to two holders, but never for the last time', async () => {
    const { post, broker } = callBroker({ maxRetries: 2 }, { faults: { repeat: 1 } });
    broker.push('jobs', { body: 1 });
    const attempts: number[] = [];
    const leases: string[] = [];
    for (;;) {
      const { messages } = (await post('/messages/pull', { batch_size: 10 })).json.result;
      if (messages.length === 0) break;
      attempts.push(...messages.map((message: { attempts: number }) => message.attempts));
      leases.push(messages[0].lease_id);
    }
    expect(attempts).toEqual([1, 2, 3]);
    const { ackCount } = (await post('/messages/ack', { acks: [{ lease_id: leases[0] }] })).json.result;
    expect([ackCount, broker.isEmpty('jobs')]).toEqual([1, true]);
  });

  it('are survived by a consumer and a producer: every message is handled and acked in the end', async () => {
    const clock = new ManualClock();
    const faults = {
      seed: 3,
      failBefore: 0.1,
      failAfter: 0.1,
      rateLimit: 0.05,
      repeat: 0.1,
      latencyMs: [1, 50],
    } as const;
    const broker = createBroker({ clock, faults, queues: { jobs: { maxRetries: 100 } } });
    const queue = openQueue<number>(broker.queue('jobs'));
    const bodies = Array.from({ length: 300 }, (_, index) => index);
    await clock.runUntil(queue.sendBatch(bodies.map((body) => ({ body }))));
    const handled = new Set<number>();
    // More than once, since an answer that was lost leaves its messages leased, and the queue looks empty.
    for (let round = 0; round < 10 && !broker.isEmpty('jobs'); round += 1) {
      const options = { stopWhenEmpty: true, maxRetries: 100 };
      await clock.runUntil(queue.process((message) => void handled.add(message.body), options));
      await clock.advance(30_000);
    }
    expect([...handled].toSorted((a, b) => a - b)).toEqual(bodies);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it.each([
    [{ failBefore: 2 }, RangeError, "'failBefore' must be a number in 0..1"],
    [{ latencyMs: [5, 1] }, RangeError, "'latencyMs' must be a number in 5..600000"],
    [{ latencyMs: [1] }, TypeError, "'latencyMs' must be a number or two"],
    [{ seed: 0.5 }, RangeError, "'seed' must be an integer"],
    [{ failWith: 'fire' }, TypeError, "'failWith' must be one of"],
    [{ calls: ['fly'] }, TypeError, "'calls' must be one of"],
    [{ calls: 'pull' }, TypeError, "'calls' must be a list"],
    [{ failure: 1 }, TypeError, "no fault named 'failure'"],
    [{ retryAfterSeconds: -1 }, RangeError, "'retryAfterSeconds' must be"],
  ])('are refused: %j', (faults, type, message) => {
    const broker = createBroker();
    expect(() => broker.setFaults(faults as never)).toThrow(type);
    expect(() => broker.setFaults(faults as never)).toThrow(message);
  });
});

describe('/leasestream/faults', () => {
  const control = (options: { faults?: FaultOptions } = {}) => {
    const { send, post } = callBroker({}, options);
    const at = 'https://broker.invalid/leasestream/faults';
    return {
      post,
      call: (method: string, body?: string, headers?: Record<string, string>) =>
        send(at, { method, ...(body === undefined ? {} : { body }), ...(headers && { headers }) }),
    };
  };

  it('shows, sets and ends them, and is not subject to them', async () => {
    const { call, post } = control({ faults: { failBefore: 1 } });
    expect((await call('GET')).json.result).toEqual({ failBefore: 1 });
    expect((await call('PUT', '{"rateLimit":1}')).json.result).toEqual({ rateLimit: 1 });
    expect((await post('/messages', { body: 1 })).status).toBe(429);
    expect((await call('DELETE')).json.result).toEqual({});
    expect((await post('/messages', { body: 1 })).status).toBe(200);
  });

  it('refuses what is wrong, and changes nothing then', async () => {
    const { call } = control({ faults: { rateLimit: 1 } });
    for (const body of ['{"rateLimit":7}', '{"__proto__":{"rateLimit":1}}', '[]', '{', '{"seed":"x"}']) {
      expect((await call('PUT', body)).status).toBe(400);
    }
    expect((await call('POST', '{}')).status).toBe(405);
    expect((await call('GET', undefined, {})).status).toBe(401);
    expect((await call('GET', undefined, { authorization: 'Bearer x' })).status).toBe(403);
    expect((await call('GET')).json.result).toEqual({ rateLimit: 1 });
  });
});
