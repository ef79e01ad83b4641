import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openJobs, queueError } from '../consumer/jobs.ts';
import { numbers } from '../numbers.ts';

const nothing = async (): Promise<void> => undefined;

beforeEach(() => {
  // What Workers have and nobody else.
  vi.stubGlobal('WebSocketPair', class {});
});

describe('send(), where requests have contexts of their own', () => {
  it('sets no timer, and shares requests among those of one turn, in order', async () => {
    const jobs = openJobs();
    const sends = numbers(7).map((body) => jobs.queue.send(body));
    expect(jobs.clock.pendingTimers).toBe(0);
    await jobs.run(Promise.all(sends));
    expect(jobs.transport.calls.map(({ method }) => method)).toEqual(['bulkPush']);
    expect(jobs.broker.inspect('jobs').messages.map(({ body }) => body)).toEqual(numbers(7));
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('takes along what is sent a few microtasks later', async () => {
    const jobs = openJobs();
    const send = async (after: number): Promise<void> => {
      for (let passed = 0; passed < after; passed += 1) await nothing();
      await jobs.queue.send(after);
    };
    await jobs.run(Promise.all([send(0), send(1), send(0)]));
    expect(jobs.transport.calls).toHaveLength(1);
  });

  it('fills requests to 100 messages', async () => {
    const jobs = openJobs();
    await jobs.run(Promise.all(numbers(1_000).map((body) => jobs.queue.send(body))));
    expect(jobs.transport.calls).toHaveLength(10);
    expect(jobs.broker.inspect('jobs').counts.total).toBe(1_000);
  });

  it('waits for no push of another turn, though none is ever answered', async () => {
    const jobs = openJobs();
    jobs.transport.script = (_, answer) =>
      jobs.transport.calls.length <= 20 ? new Promise(() => undefined) : answer();
    for (const body of numbers(20)) {
      void jobs.queue.send(body).catch(() => undefined);
      await Promise.resolve();
      await jobs.clock.advance(1);
    }
    await jobs.run(jobs.queue.send('last'));
    expect(jobs.broker.inspect('jobs').messages.map(({ body }) => body)).toEqual(['last']);
  });

  it('rejects each message with its own failure', async () => {
    const jobs = openJobs();
    jobs.transport.fail('bulkPush', queueError('refused', { status: 400, inEnvelope: true }));
    jobs.transport.script = ((script) => (call, answer) => {
      const { body } = call.request as { body?: { text: string } };
      return body?.text === '2' ? Promise.reject(queueError('refused', { status: 400 })) : script(call, answer);
    })(jobs.transport.script);
    const [one, two] = await jobs.run(Promise.allSettled([jobs.queue.send(1), jobs.queue.send(2)]));
    expect([one?.status, two?.status]).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a consumer, where requests have contexts of their own', () => {
  it('is not woken by what another request sends, and learns of it by its own polling', async () => {
    const jobs = openJobs();
    const consumer = jobs.queue.consume();
    const next = consumer[Symbol.asyncIterator]().next();
    await jobs.clock.advance(20_000);
    const pulls = jobs.transport.of('pull').length;
    await jobs.run(jobs.queue.send('x'));
    await jobs.clock.advance(1);
    expect(jobs.transport.of('pull')).toHaveLength(pulls);
    expect((await jobs.run(next)).value).toMatchObject({ body: 'x' });
    await jobs.run(consumer.close());
  });
});
