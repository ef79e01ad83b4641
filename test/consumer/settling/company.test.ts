import { describe, expect, it } from 'vitest';
import { openJobs } from '../jobs.ts';
import { numbers } from '../../numbers.ts';

describe('where handlers keep the event loop', () => {
  it.each([
    { ms: 1, concurrency: 10 },
    { ms: 2, concurrency: 10 },
    { ms: 0.2, concurrency: 50 },
  ])(
    'acknowledgements that $concurrency handlers of $ms ms wait for don’t wait for company',
    async ({ ms, concurrency }) => {
      const jobs = openJobs({}, { latencyMs: 5 });
      const count = 20_000;
      jobs.push(...numbers(count));
      const stop = new AbortController();
      let handled = 0;
      const done = jobs.queue.process(
        async (message) => {
          jobs.clock.block(ms);
          await message.ack();
          handled += 1;
        },
        { concurrency, signal: stop.signal },
      );
      await jobs.clock.advance(10_000);
      stop.abort();
      await jobs.run(done);
      // Each has to wait for a round trip and the longest usual linger, both of 5 ms, beside what it computes.
      const eachMs = (ms * concurrency + 10) / concurrency;
      expect(handled).toBeGreaterThanOrEqual(0.8 * Math.min(count, 10_000 / eachMs));
    },
  );

  it.each([
    { ms: 10, settle: 'auto' },
    { ms: 10, settle: 'manual' },
    { ms: 1, settle: 'auto' },
    { ms: 1, settle: 'manual' },
  ] as const)(
    'a loop of $ms ms with settle: $settle waits for no more than the answers to its acknowledgements',
    async ({ ms, settle }) => {
      const jobs = openJobs({}, { latencyMs: 5 });
      jobs.push(...numbers(2_000));
      let handled = 0;
      const consumer = jobs.queue.consume({ settle });
      const done = (async () => {
        for await (const message of consumer) {
          jobs.clock.block(ms);
          await message.ack();
          handled += 1;
        }
      })();
      await jobs.clock.advance(10_000);
      await jobs.run(Promise.all([consumer.close(), done]));
      expect(handled).toBeGreaterThanOrEqual(0.95 * (10_000 / (ms + 5)));
    },
  );

  it('the only handler waits for no more than the answers to its acknowledgements', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    jobs.push(...numbers(1_000));
    let handled = 0;
    const processor = jobs.queue.process(
      async (message) => {
        await jobs.wait(10);
        await message.ack();
        handled += 1;
      },
      { concurrency: 1 },
    );
    await jobs.clock.advance(10_000);
    await jobs.run(processor.close());
    expect(handled).toBeGreaterThanOrEqual(0.95 * (10_000 / 20));
  });

  it('suspects that wait for each other’s settlements follow each other', async () => {
    const jobs = openJobs({ maxRetries: 3 }, { latencyMs: 5 });
    jobs.push(...numbers(100));
    const vanished = jobs.broker.transport('jobs');
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await vanished.pull({ batchSize: 100, visibilityTimeoutMs: 1_000 });
      await jobs.clock.advance(1_100);
    }
    const startedAt = jobs.clock.monotonic();
    const { acked, isolated } = await jobs.run(
      jobs.queue.process(() => jobs.clock.block(6), { concurrency: 10, stopWhenEmpty: true }),
    );
    expect([acked, isolated]).toEqual([100, 100]);
    // 6 ms, a round trip, and the pulls.
    expect(jobs.clock.monotonic() - startedAt).toBeLessThanOrEqual(1.2 * 100 * (6 + 5));
  });
});
