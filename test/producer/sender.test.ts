import { describe, expect, it } from 'vitest';
import type { EncodedBody } from '../../src/contract/body.ts';
import type { BulkPushRequest } from '../../src/contract/transport.ts';
import { envelope, forward, type Queue, QueueError } from '../../src/index.ts';
import { badBodies, fullBatches } from '../contract-suites/bad-bodies.ts';
import { openTwoQueues } from '../convert/two-queues.ts';
import { ignorant, openJobs, queueError, rejection } from '../consumer/jobs.ts';
import type { Call } from '../consumer/scripted-transport.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';
import { numbers } from '../numbers.ts';

const items = (count: number): Array<{ body: number }> => numbers(count).map((body) => ({ body }));
const bodies = (jobs: ReturnType<typeof openJobs>): unknown[] =>
  jobs.broker.inspect('jobs').messages.map(({ body }) => body);
/** The bodies that a request carries. */
function textsOf({ request }: Call): string[] {
  const { messages = [request] } = request as Partial<BulkPushRequest>;
  return (messages as Array<{ readonly body: EncodedBody }>).map(({ body }) => body.text);
}

const sizeOf = (call: Call): number => textsOf(call).length;

describe('send()', () => {
  it('pushes one message by itself', async () => {
    const jobs = openJobs();
    await jobs.run(jobs.queue.send({ a: 1 }));
    expect(jobs.transport.calls.map(({ method }) => method)).toEqual(['push']);
    expect(bodies(jobs)).toEqual([{ a: 1 }]);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it.each([
    ['an envelope', envelope('x', { delaySeconds: 60 }), /what envelope\(\) made/],
    ['a group', forward([], ['x']), /what forward\(\) made/],
    ['a leased message', { id: 'm', ack: () => 1, retry: () => 1 }, /send message\.body/],
  ])('refuses %s, which only a sink takes for more than a body', async (_, item, text) => {
    const jobs = openJobs();
    for (const send of [() => jobs.queue.send(item), () => jobs.queue.sendBatch([{ body: item }])]) {
      const error = await rejection(jobs.run(send()));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(text);
    }
    expect(jobs.transport.calls).toEqual([]);
  });

  it('takes a push that rejects with nothing for no confirmation', async () => {
    const { out, outCalls, run } = openTwoQueues();
    const nothing: unknown = undefined;
    outCalls.push = () => Promise.reject(nothing);
    outCalls.bulkPush = () => Promise.reject(nothing);
    for (const send of [() => out.send('a'), () => out.sendBatch([{ body: 'a' }, { body: 'b' }])]) {
      expect(await rejection(run(send()))).toMatchObject({ name: 'QueueError', code: 'transport-failed' });
    }
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

  it.each(badBodies)('rejects %s, and pushes what was sent beside it', async (_, body, message) => {
    const jobs = openJobs();
    const sends = [1, body, 2].map((each) => jobs.queue.send(each));
    const [first, rejected, last] = await jobs.run(Promise.allSettled(sends));
    expect([first?.status, last?.status]).toEqual(['fulfilled', 'fulfilled']);
    const { reason } = rejected as PromiseRejectedResult;
    expect(String(reason)).toMatch(/^(?:Type|Range)Error: Cannot (?:push|send) /);
    expect(String(reason)).toMatch(message);
    expect(bodies(jobs)).toEqual([1, 2]);
    expect(jobs.transport.calls).toHaveLength(1);
  });

  it.each<[unknown, object, new () => Error]>([
    ['text', { contentType: 'json' }, TypeError],
    [{}, { contentType: 'text' }, TypeError],
    ['x', { delaySeconds: -1 }, RangeError],
    ['x', { delaySeconds: 86_401 }, RangeError],
    ['x', { delaySeconds: '1' }, TypeError],
  ])('rejects options that can not be, and makes no request: %#', async (body, options, type) => {
    const jobs = openJobs();
    expect(await rejection(jobs.queue.send(body, options))).toBeInstanceOf(type);
    await jobs.clock.advance(1_000);
    expect(jobs.transport.calls).toEqual([]);
  });

  it('pushes a top-level string as text', async () => {
    const jobs = openJobs();
    await jobs.run(Promise.all(['plain', '{"a":1}', ''].map((body) => jobs.queue.send(body))));
    const messages = ['plain', '{"a":1}', ''].map((body) => ({ contentType: 'text', body }));
    expect(jobs.broker.inspect('jobs').messages).toMatchObject(messages);
  });

  it.each(fullBatches)('splits %s', async (_, texts, sizes) => {
    const jobs = openJobs();
    await jobs.run(Promise.all(texts.map((body) => jobs.queue.send(body))));
    expect(jobs.transport.calls.map(sizeOf)).toEqual(sizes);
    expect(bodies(jobs)).toHaveLength(texts.length);
    expect(new Set(bodies(jobs))).toEqual(new Set(texts));
  });

  // Not every transport tells of a status.
  it.each([400, 413, undefined])('lets one message that is refused with %s fail alone', async (refusedWith) => {
    const jobs = openJobs();
    const refusal = queueError('refused', refusedWith === undefined ? {} : { status: refusedWith });
    jobs.transport.script = (call, answer) => {
      return textsOf(call).includes('13') ? Promise.reject(refusal) : answer();
    };
    const results = await jobs.run(Promise.allSettled(numbers(50).map((body) => jobs.queue.send(body))));
    expect(results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([13]);
    expect(results[13]).toMatchObject({ reason: { code: 'refused' } });
    expect(bodies(jobs)).toEqual(numbers(50).filter((body) => body !== 13));
    expect(jobs.transport.calls.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(50)));
  });

  it('resolves for each message as soon as it is confirmed, while others of a refused batch are still tried', async () => {
    const jobs = openJobs();
    jobs.transport.script = (call, answer) => {
      const texts = textsOf(call);
      if (texts.length > 1 && texts.includes('2')) return Promise.reject(queueError('refused', { status: 400 }));
      return texts.includes('3') ? Promise.reject(queueError('network')) : answer();
    };
    const settled: number[] = [];
    const sends = numbers(4).map((body) => jobs.queue.send(body));
    sends.forEach((sent, body) => void sent.then(() => settled.push(body)).catch(() => settled.push(-body)));
    await jobs.clock.advance(10_000);
    expect(settled).toEqual([0, 1, 2]);
    await jobs.run(Promise.allSettled(sends));
    expect(settled).toEqual([0, 1, 2, -3]);
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

  it.each([
    ['unauthorized', 401],
    ['not-found', 404],
    ['not-found', 400],
    ['refused', 405],
    ['refused', 422],
  ] as const)('passes on %s, with %i, at once, without halving', async (code, status) => {
    const jobs = openJobs();
    const error = queueError(code, { status });
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
    expect(jobs.transport.calls.length).toBeLessThan(30);
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

  it('takes no turn of the push limit while the service holds pushes back', async () => {
    const jobs = openJobs({}, { pushLimit: { requests: 10, perMs: 9_000 } });
    jobs.transport.fail('push', queueError('rate-limited', { status: 429, retryAfterMs: 300_000 }));
    await jobs.run(rejection(jobs.queue.send(1)));
    for (const body of numbers(20)) {
      const startedAt = jobs.clock.monotonic();
      expect(await jobs.run(rejection(jobs.queue.send(body)))).toMatchObject({ code: 'rate-limited' });
      expect(jobs.clock.monotonic()).toBe(startedAt);
    }
    await jobs.clock.advance(300_000);
    jobs.transport.script = (_, answer) => answer();
    const startedAt = jobs.clock.monotonic();
    await jobs.run(jobs.queue.send(2));
    expect(jobs.clock.monotonic()).toBe(startedAt);
  });

  it('keeps to the push limit when those that waited for their turn were held back meanwhile', async () => {
    const jobs = openJobs({}, { pushLimit: { requests: 10, perMs: 9_000 } });
    let answered = 0;
    jobs.transport.script = (_, answer) =>
      (answered += 1) === 1 ? Promise.reject(queueError('rate-limited', { retryAfterMs: 10_000 })) : answer();
    const sends = numbers(4).map((body) => jobs.queue.sendBatch([{ body }]));
    await jobs.run(Promise.all(sends));
    expect(jobs.transport.calls.map(({ at }) => at)).toEqual([0, 10_000, 11_000, 12_000, 13_000]);
  });

  it('repeats for a minute, however long it waited for its turn under the push limit', async () => {
    const jobs = openJobs({}, { pushLimit: { requests: 2, perMs: 100_000 } });
    await jobs.run(jobs.queue.send(1));
    let refused = 0;
    jobs.transport.script = (_, answer) => ((refused += 1) === 1 ? Promise.reject(queueError('network')) : answer());
    await jobs.run(jobs.queue.send(2));
    expect(jobs.transport.calls.map(({ at }) => at)).toEqual([0, 100_000, 200_000]);
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

  it.each<[string, boolean, (queue: Queue) => Promise<void>]>([
    ['a delayed message', false, (queue) => queue.send(1, { delaySeconds: 60 })],
    ['a delay of 0', true, (queue) => queue.send(1, { delaySeconds: 0 })],
    ['delayed messages', false, (queue) => queue.sendBatch([1, 2].map((body) => ({ body, delaySeconds: body })))],
    ['a delayed batch', false, (queue) => queue.sendBatch([{ body: 1 }, { body: 2 }], { delaySeconds: 60 })],
    ['a batch that is delayed in part', true, (queue) => queue.sendBatch([{ body: 1, delaySeconds: 60 }, { body: 2 }])],
  ])('wakes an idle poller only for what can be pulled: %s', async (_, wakes, push) => {
    const jobs = openJobs();
    const iterator = jobs.queue.consume()[Symbol.asyncIterator]();
    const next = iterator.next();
    await jobs.clock.advance(120_000);
    const pulls = jobs.transport.of('pull').length;
    await push(jobs.queue);
    await jobs.clock.advance(10);
    expect(jobs.transport.of('pull').length > pulls).toBe(wakes);
    await jobs.run(Promise.resolve(iterator.return?.()));
    await next;
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

  it.each(badBodies)('names the message that is %s, and pushes none', async (_, body, message) => {
    const jobs = openJobs();
    const error = await rejection(jobs.queue.sendBatch([...items(150), { body }, ...items(5)]));
    expect(String(error)).toMatch(/^(?:Type|Range)Error: Cannot send the batch because of message 150: /);
    expect(String(error)).toMatch(message);
    await jobs.clock.advance(1_000);
    expect(jobs.transport.calls).toEqual([]);
  });

  it.each<[object, new () => Error]>([
    [{ body: 'x', delaySeconds: 86_401 }, RangeError],
    [{ body: 'x', contentType: 'bytes' }, TypeError],
    [{ body: 'x', contentType: 'json' }, TypeError],
  ])('names the message whose options can not be, and pushes none: %#', async (bad, type) => {
    const jobs = openJobs();
    const error = await rejection(jobs.queue.sendBatch([...items(150), bad as { body: string }]));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toContain('Cannot send the batch because of message 150: ');
    expect(jobs.transport.calls).toEqual([]);
  });

  it('pushes a top-level string as text', async () => {
    const jobs = openJobs();
    await jobs.run(jobs.queue.sendBatch([{ body: 'plain' }, { body: '{"a":1}' }]));
    const messages = ['plain', '{"a":1}'].map((body) => ({ contentType: 'text', body }));
    expect(jobs.broker.inspect('jobs').messages).toMatchObject(messages);
  });

  it.each(fullBatches)('splits %s', async (_, texts, sizes) => {
    const jobs = openJobs();
    await jobs.run(jobs.queue.sendBatch(texts.map((body) => ({ body }))));
    expect(jobs.transport.calls.map(sizeOf)).toEqual(sizes);
    expect(bodies(jobs)).toHaveLength(texts.length);
    expect(new Set(bodies(jobs))).toEqual(new Set(texts));
  });

  it('refuses a wrong delay for all', async () => {
    const jobs = openJobs();
    expect(await rejection(jobs.queue.sendBatch(items(1), { delaySeconds: -1 }))).toBeInstanceOf(RangeError);
  });

  it('names those that the service refused, when all others are pushed', async () => {
    const jobs = openJobs();
    jobs.transport.script = (call, answer) => {
      return textsOf(call).some((text) => Number(text) % 50 === 7)
        ? Promise.reject(queueError('too-large', { status: 413, errors: [{ code: 10_204, message: 'too large' }] }))
        : answer();
    };
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(200))));
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ code: 'too-large', status: 413, errors: [{ code: 10_204 }] });
    expect(String(error)).toContain('4 of 200 messages were not confirmed (7, 57, 107, 157): ');
    expect(new Set(bodies(jobs))).toEqual(new Set(numbers(200).filter((n) => n % 50 !== 7)));
  });

  it('shortens a long list of those', async () => {
    const jobs = openJobs();
    jobs.transport.script = () => Promise.reject(queueError('unauthorized', { status: 401, retryAfterMs: 5 }));
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(12))));
    expect(String(error)).toContain('12 of 12 messages were not confirmed (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …): ');
    expect(error).toMatchObject({ retryAfterMs: 5 });
  });

  it.each(['unauthorized', 'network'] as const)('makes no more requests once one failed for good: %s', async (code) => {
    const jobs = openJobs();
    jobs.transport.fail('bulkPush', queueError(code));
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(5_000))));
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain('5000 of 5000 messages were not confirmed (');
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(60_000);
  });

  it('tells the failure of all rather than that of one', async () => {
    const jobs = openJobs();
    jobs.transport.script = (call, answer) => {
      const texts = new Set(textsOf(call));
      if (texts.has('7')) return Promise.reject(queueError('refused', { status: 400 }));
      return texts.has('150') ? Promise.reject(queueError('unauthorized', { status: 401 })) : answer();
    };
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(200))));
    expect(error).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(String(error)).toContain('101 of 200 messages were not confirmed (7, 100, ');
    expect(new Set(bodies(jobs))).toEqual(new Set(numbers(100).filter((n) => n !== 7)));
  });

  it('tells of what is not a QueueError as its cause', async () => {
    const jobs = openJobs();
    const defect = new Error('defect');
    jobs.transport.script = () => Promise.reject(defect);
    const error = await rejection(jobs.run(jobs.queue.sendBatch(items(3))));
    expect(error).toMatchObject({ code: 'transport-failed', cause: { cause: defect } });
    expect(jobs.transport.calls).toHaveLength(1);
  });

  it('holds back for 5 minutes at most when the service asks for more, and tells what it asked for', async () => {
    const jobs = openJobs();
    const asked = queueError('rate-limited', { status: 429, retryAfterMs: 99_999_999_999_000 });
    jobs.transport.fail('push', asked);
    expect(await rejection(jobs.run(jobs.queue.send('first')))).toBe(asked);
    jobs.transport.script = (_, answer) => answer();
    await jobs.clock.advance(200_000);
    const held = rejection(jobs.run(jobs.queue.send('second')));
    expect(await held).toMatchObject({ code: 'rate-limited', retryAfterMs: 100_000, cause: asked });
    await jobs.clock.advance(100_000);
    await jobs.run(jobs.queue.send('third'));
    expect(bodies(jobs)).toEqual(['third']);
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

  it('does not wait for a transport that ignores its signal', async () => {
    const jobs = openJobs();
    const { transport, queue } = ignorant(jobs);
    transport.hang('bulkPush');
    const { controller, signal, count } = countedSignal();
    const reason = new Error('enough');
    const failed = rejection(queue.sendBatch(items(3), { signal }));
    await jobs.clock.advance(1_000);
    controller.abort(reason);
    expect(await Promise.race([failed, jobs.clock.advance(1).then(() => 'waits')])).toBe(reason);
    expect(count()).toBe(0);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('refuses what is no signal', async () => {
    const error = await rejection(openJobs().queue.sendBatch(items(1), { signal: 5 as never }));
    expect(String(error)).toContain("Cannot send a batch as 'signal' must be an AbortSignal: current value is 5");
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

  it('fulfils when all was confirmed, although the signal aborts in that moment', async () => {
    const sendAndAbort = async (microtasks: number): Promise<string> => {
      const jobs = openJobs();
      const controller = new AbortController();
      const { signal } = controller;
      jobs.transport.script = async (_, answer) => {
        const result = await answer();
        let later = Promise.resolve();
        for (let index = 0; index < microtasks; index += 1) later = later.then(() => undefined);
        void later.then(() => controller.abort());
        return result;
      };
      const sent = jobs.queue.sendBatch(items(3), { signal }).then(() => (signal.aborted ? 'confirmed' : 'early'));
      const outcome = await jobs.run(sent.catch((error: unknown) => (error === signal.reason ? 'ended' : 'failed')));
      expect(bodies(jobs)).toEqual([0, 1, 2]);
      return outcome;
    };
    const outcomes = await Promise.all(numbers(30).map(sendAndAbort));
    // The answer is on its way for a few of them; from then on, what is confirmed stays so.
    expect(outcomes.join(' ')).toMatch(/^(ended )+(confirmed )+(early ?)+$/);
  });

  it('gives back the turns of the push limit that it will not use', async () => {
    const jobs = openJobs({}, { pushLimit: { requests: 10, perMs: 9_000 } });
    const controller = new AbortController();
    const failed = rejection(jobs.queue.sendBatch(items(2_000), { signal: controller.signal }));
    await jobs.clock.advance(1_500);
    controller.abort();
    await jobs.run(failed);
    await jobs.run(jobs.queue.send('next'));
    expect(jobs.transport.calls.map(({ at }) => at)).toEqual([0, 1_000, 2_000]);
    expect(jobs.clock.pendingTimers).toBe(0);
  });
});
