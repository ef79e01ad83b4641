import { describe, expect, it } from 'vitest';
import type { BulkPushRequest } from '../../src/contract/transport.ts';
import { QueueError } from '../../src/index.ts';
import { openJobs, queueError, rejection } from '../consumer/jobs.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const items = (count: number): Array<{ body: number }> => numbers(count).map((body) => ({ body }));
const bodies = (jobs: ReturnType<typeof openJobs>): unknown[] =>
  jobs.broker.inspect('jobs').messages.map(({ body }) => body);

describe('send()', () => {
  it('pushes one message by itself', async () => {
    const jobs = openJobs();
    await jobs.run(jobs.queue.send({ a: 1 }));
    expect(jobs.transport.calls.map(({ method }) => method)).toEqual(['push']);
    expect(bodies(jobs)).toEqual([{ a: 1 }]);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('shares a request among those of one turn, in order', async () => {
    const jobs = openJobs();
    await jobs.run(Promise.all(numbers(7).map((body) => jobs.queue.send(body))));
    expect(jobs.transport.calls.map(({ method }) => method)).toEqual(['bulkPush']);
    expect(bodies(jobs)).toEqual(numbers(7));
  });

  it('shares requests among those sent while requests are under way', async () => {
    const jobs = openJobs({}, { latencyMs: 100 });
    const sends: Promise<void>[] = [];
    for (const body of numbers(30)) {
      sends.push(jobs.queue.send(body));
      await jobs.clock.advance(1);
    }
    await jobs.run(Promise.all(sends));
    expect(jobs.transport.calls.length).toBeLessThanOrEqual(5);
    expect(bodies(jobs)).toHaveLength(30);
  });

  it('fills requests to 100 messages', async () => {
    const jobs = openJobs();
    await jobs.run(Promise.all(numbers(1_000).map((body) => jobs.queue.send(body))));
    expect(jobs.transport.calls).toHaveLength(10);
    expect(new Set(bodies(jobs))).toEqual(new Set(numbers(1_000)));
  });

  it('takes many at once: 50 000 in 500 requests', async () => {
    const jobs = openJobs();
    await jobs.run(Promise.all(numbers(50_000).map((body) => jobs.queue.send(body))));
    expect(jobs.transport.calls).toHaveLength(500);
    expect(jobs.broker.inspect('jobs').counts.total).toBe(50_000);
  });

  it('takes the body as it is when it is sent', async () => {
    const jobs = openJobs();
    const body = { n: 1, list: [1] };
    const sent = jobs.queue.send(body);
    body.n = 2;
    body.list.push(2);
    await jobs.run(sent);
    expect(bodies(jobs)).toEqual([{ n: 1, list: [1] }]);
  });

  it('passes on delay and content type', async () => {
    const jobs = openJobs();
    await jobs.run(
      Promise.all([jobs.queue.send('a', { delaySeconds: 9 }), jobs.queue.send('b', { contentType: 'text' })]),
    );
    expect(jobs.broker.inspect('jobs').messages).toMatchObject([
      { contentType: 'text', state: 'delayed', visibleAtMs: 1_009_000 },
      { contentType: 'text', state: 'ready' },
    ]);
  });

  it.each<[unknown, object, new () => Error]>([
    [undefined, {}, TypeError],
    [1n, {}, TypeError],
    [() => 1, {}, TypeError],
    [{ n: Number.NaN }, {}, TypeError],
    ['text', { contentType: 'json' }, TypeError],
    [{}, { contentType: 'text' }, TypeError],
    ['x'.repeat(128_001), {}, RangeError],
    ['x', { delaySeconds: -1 }, RangeError],
    ['x', { delaySeconds: 86_401 }, RangeError],
    ['x', { delaySeconds: '1' }, TypeError],
  ])('rejects what can not be pushed, and makes no request: %#', async (body, options, type) => {
    const jobs = openJobs();
    expect(await rejection(jobs.queue.send(body, options))).toBeInstanceOf(type);
    await jobs.clock.advance(1_000);
    expect(jobs.transport.calls).toEqual([]);
  });

  it('lets one refused message fail alone', async () => {
    const jobs = openJobs();
    jobs.transport.script = (call, answer) => {
      const request = call.request as Partial<BulkPushRequest> & { body?: { text: string } };
      const texts = (request.messages ?? [request]).map(({ body }) => (body as { text: string }).text);
      return texts.includes('13') ? Promise.reject(queueError('refused', { status: 400 })) : answer();
    };
    const results = await jobs.run(Promise.allSettled(numbers(50).map((body) => jobs.queue.send(body))));
    expect(results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([13]);
    expect(results[13]).toMatchObject({ reason: { code: 'refused' } });
    expect(bodies(jobs)).toEqual(numbers(50).filter((body) => body !== 13));
    expect(jobs.transport.calls.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(50)));
  });

  it.each(['network', 'timeout', 'rate-limited', 'service-failed', 'bad-answer'] as const)(
    'repeats on %s until it succeeds',
    async (code) => {
      const jobs = openJobs();
      let tries = 0;
      jobs.transport.script = (_, answer) => ((tries += 1) <= 5 ? Promise.reject(queueError(code)) : answer());
      await jobs.run(jobs.queue.send(1));
      expect(tries).toBe(6);
      expect(bodies(jobs)).toEqual([1]);
    },
  );

  it.each(['unauthorized', 'not-found'] as const)('passes on %s at once, without halving', async (code) => {
    const jobs = openJobs();
    const error = queueError(code, { status: 401 });
    jobs.transport.script = () => Promise.reject(error);
    const results = await jobs.run(Promise.allSettled(numbers(10).map((body) => jobs.queue.send(body))));
    expect(results.every((result) => result.status === 'rejected' && result.reason === error)).toBe(true);
    expect(jobs.transport.calls).toHaveLength(1);
  });

  it('gives up after a minute', async () => {
    const jobs = openJobs();
    const error = queueError('network');
    jobs.transport.fail('push', error);
    expect(await rejection(jobs.run(jobs.queue.send(1)))).toBe(error);
    expect(jobs.clock.monotonic()).toBeGreaterThan(50_000);
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(60_000);
    expect(jobs.transport.calls.length).toBeGreaterThan(8);
  });

  it('obeys Retry-After, for every push of the handle', async () => {
    const jobs = openJobs();
    let refused = 0;
    jobs.transport.script = (_, answer) =>
      (refused += 1) === 1
        ? Promise.reject(queueError('rate-limited', { status: 429, retryAfterMs: 30_000 }))
        : answer();
    const first = jobs.queue.send(1);
    await jobs.clock.advance(1_000);
    await jobs.run(Promise.all([first, jobs.queue.send(2)]));
    expect(jobs.transport.calls.map(({ at }) => at)).toEqual([0, 30_000, 30_000]);
  });

  it('fails at once, also later ones, when the service asks to be left alone for longer than pushes are repeated', async () => {
    const jobs = openJobs();
    const limited = queueError('rate-limited', { status: 429, retryAfterMs: 300_000 });
    jobs.transport.fail('push', limited);
    expect(await jobs.run(rejection(jobs.queue.send(1)))).toBe(limited);
    await jobs.clock.advance(100_000);
    const later = await jobs.run(rejection(jobs.queue.send(2)));
    expect(later).toMatchObject({ code: 'rate-limited', retryAfterMs: 200_000 });
    expect(jobs.transport.calls).toHaveLength(1);
    expect(jobs.clock.monotonic()).toBe(100_000);
  });

  it('keeps to the push limit', async () => {
    const jobs = openJobs({}, { pushLimit: { requests: 10, perMs: 9_000 } });
    for (const body of numbers(4)) await jobs.run(jobs.queue.send(body));
    expect(jobs.transport.calls.map(({ at }) => at)).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('wakes an idle poller of the same handle', async () => {
    const jobs = openJobs();
    const iterator = jobs.queue.consume()[Symbol.asyncIterator]();
    const next = iterator.next();
    await jobs.clock.advance(120_000);
    const at = jobs.clock.monotonic();
    await jobs.queue.send('wake');
    expect((await jobs.run(next)).value?.body).toBe('wake');
    expect(jobs.clock.monotonic() - at).toBe(0);
    await jobs.run(Promise.resolve(iterator.return?.()));
  });
});

describe('sendBatch()', () => {
  it('sends 1 000 messages in 10 requests, a few at a time', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    let most = 0;
    jobs.transport.script = (_, answer) => {
      most = Math.max(most, jobs.transport.underWay);
      return answer();
    };
    await jobs.run(jobs.queue.sendBatch(items(1_000)));
    expect(jobs.transport.calls).toHaveLength(10);
    expect(most).toBe(4);
    expect(new Set(bodies(jobs))).toEqual(new Set(numbers(1_000)));
  });

  it('sends nothing for an empty batch', async () => {
    const jobs = openJobs();
    await jobs.run(jobs.queue.sendBatch([]));
    expect(jobs.transport.calls).toEqual([]);
  });

  it('takes any iterable, walked once, and a delay for all that have none', async () => {
    const jobs = openJobs();
    function* some(): Generator<{ body: number; delaySeconds?: number }> {
      yield { body: 1 };
      yield { body: 2, delaySeconds: 0 };
    }
    await jobs.run(jobs.queue.sendBatch(some(), { delaySeconds: 60 }));
    expect(jobs.broker.inspect('jobs').messages.map(({ state }) => state)).toEqual(['delayed', 'ready']);
  });

  it.each<[unknown, new () => Error]>([
    [{ body: undefined }, TypeError],
    [{ body: 'x', delaySeconds: 86_401 }, RangeError],
    [{ body: 'x'.repeat(128_001) }, RangeError],
    [{ body: 'x', contentType: 'bytes' }, TypeError],
  ])('names the message that can not be pushed, and pushes none: %#', async (bad, type) => {
    const jobs = openJobs();
    const error = await rejection(jobs.queue.sendBatch([...items(150), bad as { body: number }, ...items(5)]));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toContain('Cannot send the batch because of message 150: ');
    expect(jobs.transport.calls).toEqual([]);
  });

  it('refuses a wrong delay for all', async () => {
    const jobs = openJobs();
    expect(await rejection(jobs.queue.sendBatch(items(1), { delaySeconds: -1 }))).toBeInstanceOf(RangeError);
  });

  it('names those that the service refused, when all others are pushed', async () => {
    const jobs = openJobs();
    jobs.transport.script = (call, answer) => {
      const request = call.request as Partial<BulkPushRequest> & { body?: unknown };
      const texts = (request.messages ?? [request]).map(({ body }) => Number((body as { text: string }).text));
      return texts.some((n) => n % 50 === 7)
        ? Promise.reject(queueError('too-large', { status: 413, errors: [{ code: 10_204, message: 'too large' }] }))
        : answer();
    };
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(200))));
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ code: 'too-large', status: 413, errors: [{ code: 10_204 }] });
    expect(String(error)).toContain('4 of 200 messages were not pushed (7, 57, 107, 157): ');
    expect(new Set(bodies(jobs))).toEqual(new Set(numbers(200).filter((n) => n % 50 !== 7)));
  });

  it('shortens a long list of those', async () => {
    const jobs = openJobs();
    jobs.transport.script = () => Promise.reject(queueError('unauthorized', { status: 401, retryAfterMs: 5 }));
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(12))));
    expect(String(error)).toContain('12 of 12 messages were not pushed (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …): ');
    expect(error).toMatchObject({ retryAfterMs: 5 });
  });

  it('passes on what is not a QueueError as it is', async () => {
    const jobs = openJobs();
    const defect = new Error('defect');
    jobs.transport.script = () => Promise.reject(defect);
    expect(await rejection(jobs.run(jobs.queue.sendBatch(items(3))))).toBe(defect);
  });

  it('rejects with the reason of a signal, pushes nothing more, and lets go of it', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    const { controller, signal, count } = countedSignal();
    const sent = jobs.queue.sendBatch(items(2_000), { signal });
    const failed = rejection(sent);
    await jobs.clock.advance(25);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await jobs.run(failed)).toBe(reason);
    const calls = jobs.transport.calls.length;
    expect(calls).toBeLessThan(20);
    await jobs.clock.advance(60_000);
    expect(jobs.transport.calls).toHaveLength(calls);
    expect(count()).toBe(0);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('rejects at once when the signal has aborted, and ends a wait for its turn', async () => {
    const jobs = openJobs();
    const reason = new Error('enough');
    expect(await rejection(jobs.queue.sendBatch(items(1), { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(jobs.transport.calls).toEqual([]);
    jobs.transport.fail('push', queueError('network'));
    const controller = new AbortController();
    const failed = rejection(jobs.queue.sendBatch(items(1), { signal: controller.signal }));
    await jobs.clock.advance(20_000);
    controller.abort(reason);
    expect(await jobs.run(failed)).toBe(reason);
    expect(jobs.clock.pendingTimers).toBe(0);
  });
});
