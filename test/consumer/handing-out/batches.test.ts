import { describe, expect, it } from 'vitest';
import type { BatchOptions, ConsumerEvent, ConsumerSummary, MessageBatch } from '../../../src/index.ts';
import { type Jobs, openJobs, rejection } from '../jobs.ts';

const untilEmpty = { stopWhenEmpty: true } as const;

async function loop(
  jobs: Jobs<unknown>,
  options: BatchOptions,
  body: (batch: MessageBatch) => unknown,
): Promise<ConsumerSummary> {
  const consumer = jobs.queue.batches(options);
  for await (const batch of consumer) if ((await body(batch)) === false) break;
  return consumer.closed;
}

describe('batches()', () => {
  it('yields a batch when it is full, and what is left when the wait is over', async () => {
    const jobs = openJobs({}, { queueName: 'jobs' });
    jobs.push(...Array.from({ length: 25 }, (_, n) => n));
    const batches: Array<{ at: number; bodies: unknown[] }> = [];
    const start = jobs.clock.now();
    const summary = await jobs.run(
      loop(jobs, { ...untilEmpty, size: 10, maxWaitMs: 2_000 }, ({ queue, messages }) => {
        expect(queue).toBe('jobs');
        batches.push({ at: jobs.clock.now() - start, bodies: messages.map(({ body }) => body) });
      }),
    );
    expect(batches.map(({ bodies }) => bodies.length)).toEqual([10, 10, 5]);
    expect(batches.flatMap(({ bodies }) => bodies)).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(batches.map(({ at }) => at)).toEqual([0, 0, 2_000]);
    expect(summary).toMatchObject({ reason: 'empty', delivered: 25, acked: 25 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('leaves no batch begun, which would wait, while there is more', async () => {
    const jobs = openJobs({}, { latencyMs: 1 });
    jobs.push(...Array.from({ length: 200 }, (_, n) => n));
    const sizes: number[] = [];
    const consume = (eachMs: number): Promise<ConsumerSummary> =>
      loop(jobs, { ...untilEmpty, size: 10, visibilityTimeoutMs: 3_000 }, async ({ messages }) => {
        sizes.push(messages.length);
        await jobs.wait(eachMs);
      });
    await jobs.run(Promise.all([consume(60), consume(90)]));
    expect(sizes).toEqual(Array.from({ length: 20 }, () => 10));
  });

  it('does not wait for longer than the first lease lasts for a body', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    const batches: number[] = [];
    const consumer = jobs.queue.batches({
      size: 4,
      maxWaitMs: 500,
      visibilityTimeoutMs: 2_000,
      maxVisibilityTimeoutMs: 2_000,
      maxRetries: 50,
    });
    const done = (async () => {
      for await (const batch of consumer) {
        batches.push(batch.messages.length);
        expect(Math.min(...batch.messages.map(({ leaseRemainingMs }) => leaseRemainingMs))).toBeGreaterThan(1_650);
        await jobs.wait(1_600);
        if (batches.length === 3) break;
      }
    })();
    for (const wave of [4, 3, 3]) {
      jobs.push(...Array.from({ length: wave }, (_, n) => n));
      await jobs.clock.advance(2_500);
    }
    await jobs.run(done);
    expect(batches).toEqual([4, 3, 3]);
    expect((await consumer.closed).lost).toBe(0);
  });

  it('hands out no more than can be computed, one after the other, while the first lease lasts', async () => {
    const jobs = openJobs({}, { latencyMs: 1 });
    jobs.push(...Array.from({ length: 200 }, (_, n) => n));
    const marginMs = 100;
    const sizes: number[] = [];
    await jobs.run(
      loop(
        jobs,
        { ...untilEmpty, size: 10, visibilityTimeoutMs: 20 * marginMs },
        async ({ messages: [first, ...others] }) => {
          const size = sizes.push(1 + others.length);
          const leftMs = (first?.leaseRemainingMs ?? 0) - marginMs;
          if (others.length > 0) expect(10 * (1 + others.length)).toBeLessThanOrEqual(leftMs);
          // One waits for long, when it is known that the others compute, and leaves little of the next ones' leases.
          if (size === 7) await jobs.wait(1_750);
          else jobs.clock.suspend(10 * (1 + others.length));
          await jobs.wait(1);
        },
      ),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(200);
    expect(sizes.slice(0, 7)).toEqual([10, 10, 10, 10, 10, 10, 10]);
  });

  it('acknowledges what was not settled by hand when the loop goes on, and retries it when the loop is left', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 6 }, (_, n) => n));
    let count = 0;
    await jobs.run(
      loop(jobs, { ...untilEmpty, size: 3, maxWaitMs: 0 }, async ({ messages }) => {
        count += 1;
        await messages[1]?.retry({ delaySeconds: 60 });
        return count < 2;
      }),
    );
    expect(jobs.entries('acked')).toHaveLength(2);
    expect(jobs.entries('retried').map(({ delaySeconds }) => delaySeconds)).toEqual([60, 60, 2, 2]);
  });

  it('settles all that is left of a batch with ackAll() and retryAll()', async () => {
    const jobs = openJobs();
    jobs.push('a', 'b', 'c', 'd');
    const outcomes: string[][] = [];
    await jobs.run(
      loop(jobs, { stopWhenEmpty: true, size: 2 }, async (batch) => {
        void batch.messages[0]?.ack();
        const all = outcomes.length === 0 ? batch.ackAll() : batch.retryAll({ delaySeconds: 9 });
        outcomes.push((await all).map(({ outcome }) => outcome));
        return outcomes.length < 2;
      }),
    );
    expect(outcomes).toEqual([
      ['acked', 'acked'],
      ['acked', 'retried'],
    ]);
  });

  it.each([
    [{ size: 0 }, "'size' must be an integer of 1 or more: current value is 0"],
    [{ size: 201 }, "'size' must be at most 'maxInFlight', 200: current value is 201"],
    [{ maxWaitMs: 7_501 }, "'maxWaitMs' must be a number in 0..7500: current value is 7501"],
  ])('refuses %o', (options, text) => {
    expect(() => openJobs().queue.batches(options)).toThrow(new RangeError(`Cannot batch as ${text}`));
  });
});

describe('processBatches()', () => {
  it('runs a Workers handler: acknowledges what it did not settle, and goes on after a throw', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3, 4);
    const events: ConsumerEvent[] = [];
    const worker = {
      queue(batch: MessageBatch, env: { readonly failing: number }): void {
        for (const message of batch.messages) {
          if (message.body === 2) void message.retry({ delaySeconds: 30 });
          if (message.body === env.failing) throw new Error('the batch failed');
        }
      },
    };
    const abort = new AbortController();
    const done = jobs.queue.processBatches((batch, env: { readonly failing: number }) => worker.queue(batch, env), {
      env: { failing: 4 },
      size: 2,
      retryDelaySeconds: 5,
      signal: abort.signal,
      onEvent: (event) => {
        events.push(event);
        if (events.length === 2) abort.abort();
      },
    });
    const summary = await jobs.run(done);
    expect(jobs.entries('acked')).toHaveLength(1);
    expect(jobs.entries('retried').map(({ delaySeconds }) => delaySeconds)).toEqual([30, 5, 5]);
    expect(events.map(({ type }) => type)).toEqual(['handlerFailed', 'handlerFailed']);
    expect(summary).toMatchObject({ reason: 'aborted', delivered: 4, acked: 1, retried: 3 });
  });

  it('waits for what ctx.waitUntil() was given, and settles without it', async () => {
    const jobs = openJobs();
    jobs.push('x');
    let after = false;
    const extra = async (): Promise<void> => {
      await jobs.wait(60_000);
      expect(jobs.entries('acked')).toHaveLength(1);
      after = true;
    };
    const done = jobs.queue.processBatches((_batch, _env, ctx) => {
      ctx.passThroughOnException();
      ctx.waitUntil(extra());
      ctx.waitUntil(Promise.reject(new Error('nobody minds')));
    }, untilEmpty);
    const summary = await jobs.run(done);
    expect(after).toBe(true);
    expect(summary.lastError).toMatchObject({ message: 'nobody minds' });
  });

  it('handles as many batches at once as it may', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 24 }, (_, n) => n));
    let running = 0;
    let most = 0;
    await jobs.run(
      jobs.queue.processBatches(
        async () => {
          running += 1;
          most = Math.max(most, running);
          await jobs.wait(1_000);
          running -= 1;
        },
        { ...untilEmpty, size: 4, concurrency: 3 },
      ),
    );
    expect(most).toBe(3);
  });

  it('refuses more messages at once than may be in flight', async () => {
    const error = await rejection(openJobs().queue.processBatches(() => undefined, { size: 100, concurrency: 3 }));
    expect(error).toEqual(
      new RangeError(
        "Cannot process batches as 'concurrency' must be at most 'maxInFlight' / 'size', 2: current value is 3",
      ),
    );
  });
});
