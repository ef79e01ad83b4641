import { describe, expect, it } from 'vitest';
import { type Jobs, openJobs } from '../jobs.ts';
import { numbers } from '../../numbers.ts';

function asked(jobs: Jobs<unknown>): readonly number[] {
  return jobs.transport.of('pull').map(({ request }) => (request as { readonly batchSize: number }).batchSize);
}

describe('handlers that compute for longer than a pull fetches', () => {
  it.each([
    { leaseMs: 30_000, latencyMs: 100, eachMs: 600, concurrency: 10 },
    { leaseMs: 30_000, latencyMs: 300, eachMs: 1_000, concurrency: 10 },
    { leaseMs: 5_000, latencyMs: 100, eachMs: 300, concurrency: 10 },
    { leaseMs: 30_000, latencyMs: 100, eachMs: 200, concurrency: 20, keys: 10 },
    { leaseMs: 30_000, latencyMs: 50, eachMs: 500, concurrency: 20, keys: 3 },
    { leaseMs: 5_000, latencyMs: 100, eachMs: 250, concurrency: 10, keys: 40 },
    { leaseMs: 30_000, latencyMs: 60, eachMs: 50, size: 10, concurrency: 4 },
    { leaseMs: 30_000, latencyMs: 300, eachMs: 20, size: 50, concurrency: 2 },
  ])('do not wait for messages: %o', async ({ leaseMs, latencyMs, eachMs, size, concurrency, keys }) => {
    const jobs = openJobs<number>({ maxRetries: 50 }, { latencyMs });
    const count = Math.ceil(30_000 / eachMs);
    jobs.push(...numbers(count));
    let endedAt: number | undefined;
    let idleMs = 0;
    const compute = async (messages: number): Promise<void> => {
      const now = jobs.clock.monotonic();
      idleMs += now - (endedAt ?? now);
      jobs.clock.block(messages * eachMs);
      endedAt = jobs.clock.monotonic();
      await jobs.wait(1);
    };
    const options = { concurrency, visibilityTimeoutMs: leaseMs, maxRetries: 50, stopWhenEmpty: true };
    const { acked } = await jobs.run(
      size === undefined
        ? jobs.queue.process(() => compute(1), { ...options, ...(keys && { key: ({ body }) => `${body % keys}` }) })
        : jobs.queue.processBatches(({ messages }) => compute(messages.length), { ...options, size }),
    );
    expect(acked).toBe(count);
    // Until it is known that they compute.
    expect(idleMs).toBeLessThanOrEqual(3 * latencyMs);
  });
});

describe('full pulls', () => {
  it.each([
    { minInFlight: 10, batchSize: 10, latencyMs: 10 },
    { minInFlight: 20, batchSize: 25, latencyMs: 20 },
    { minInFlight: 60, batchSize: 100, latencyMs: 50 },
    { minInFlight: 100, batchSize: 100, latencyMs: 50 },
  ])('are what a reader gets that gathers by itself: %o', async ({ minInFlight, batchSize, latencyMs }) => {
    const jobs = openJobs({ maxRetries: 50 }, { latencyMs });
    jobs.push(...numbers(3_000));
    const options = { settle: 'manual', minInFlight, batchSize, maxRetries: 50, stopWhenEmpty: true } as const;
    const read = async (): Promise<void> => {
      for await (const message of jobs.queue.consume(options)) void jobs.wait(1).then(() => message.ack());
    };
    await jobs.run(read());
    const full = asked(jobs).filter((count) => count === batchSize);
    expect(full.length).toBeGreaterThanOrEqual(0.9 * (3_000 / batchSize));
  });

  it.each([
    { size: 60, batchSize: 100, latencyMs: 100, ordered: true },
    { size: 60, batchSize: 100, latencyMs: 100, ordered: false },
    { size: 7, batchSize: 10, latencyMs: 60, ordered: true },
  ])('are what batches of another size get: %o', async ({ latencyMs, ...options }) => {
    const jobs = openJobs({ maxRetries: 50 }, { latencyMs });
    jobs.push(...numbers(3_000));
    await jobs.run(jobs.queue.processBatches(() => jobs.wait(5), { ...options, maxRetries: 50, stopWhenEmpty: true }));
    const full = asked(jobs).filter((count) => count === options.batchSize);
    expect(full.length).toBeGreaterThanOrEqual(0.9 * (3_000 / options.batchSize));
  });
});

it('slow batches leave to another consumer what they could not start soon', async () => {
  const jobs = openJobs({}, { latencyMs: 20 });
  jobs.push(...numbers(300));
  const stop = new AbortController();
  const started: Array<readonly [name: string, count: number]> = [];
  const consume = (name: string): Promise<unknown> =>
    jobs.queue.processBatches(
      ({ messages }) => {
        started.push([name, messages.length]);
        return jobs.wait(10_000);
      },
      { size: 100, signal: stop.signal },
    );
  const first = consume('first');
  await jobs.clock.advance(11_000);
  const second = consume('second');
  await jobs.clock.advance(2_000);
  expect(started).toEqual([
    ['first', 100],
    ['first', 100],
    ['second', 98],
  ]);
  await jobs.clock.advance(30_000);
  stop.abort();
  await jobs.run(Promise.all([first, second]));
});
