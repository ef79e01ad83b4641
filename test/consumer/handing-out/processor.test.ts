import { describe, expect, it } from 'vitest';
import type { LeasedMessage, MessageBatch, Processor } from '../../../src/index.ts';
import { type Jobs, openJobs, queueError, rejection } from '../jobs.ts';

/** Both ways to run handlers, one message each. */
const ways = [
  ['process', (jobs: Jobs<unknown>, work: () => unknown, options: object = {}) => jobs.queue.process(work, options)],
  [
    'processBatches',
    (jobs: Jobs<unknown>, work: () => unknown, options: object = {}) =>
      jobs.queue.processBatches(work, { size: 1, ...options }),
  ],
] as const;

describe.each(ways)('the handle of %s()', (_, start) => {
  it('is a promise of what happened', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const processor = start(jobs, () => 1, { stopWhenEmpty: true });
    expect(processor).toBeInstanceOf(Promise);
    const settled: string[] = [];
    const chained = processor.finally(() => settled.push('finally')).then(({ acked }) => acked);
    expect(await jobs.run(Promise.all([processor, chained]))).toMatchObject([{ reason: 'empty', acked: 2 }, 2]);
    expect(settled).toEqual(['finally']);
    const giveBack = async (): Promise<unknown> => processor;
    expect(await giveBack()).toBe(await processor.closed);
  });

  it('rejects with what ended it, where `closed` and close() resolve', async () => {
    const jobs = openJobs();
    const error = queueError('unauthorized', { inEnvelope: true });
    jobs.transport.fail('pull', error);
    const processor = start(jobs, () => 1);
    expect(await jobs.run(rejection(processor))).toBe(error);
    expect(await processor.catch((given: unknown) => given)).toBe(error);
    const summary = await processor.closed;
    expect(summary).toMatchObject({ reason: 'failed', error });
    expect(await processor.close()).toBe(summary);
  });

  it('rejects at once for a wrong option, and has ended', async () => {
    const jobs = openJobs();
    const processor = start(jobs, () => 1, { concurrency: 0 });
    const error = await rejection(processor);
    expect(error).toBeInstanceOf(RangeError);
    expect(await processor.closed).toMatchObject({ reason: 'failed', error });
    expect(await processor.close()).toMatchObject({ reason: 'failed', error });
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('drains when it is closed, and resolves with what happened', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3);
    const processor = start(jobs, () => jobs.wait(1_000), { concurrency: 1 });
    await jobs.clock.advance(500);
    expect(processor.stats).toMatchObject({ delivered: 1, inFlight: 1 });
    const summary = await jobs.run(processor.close());
    expect(summary).toMatchObject({ reason: 'closed', delivered: 1, acked: 1 });
    expect(await processor).toBe(summary);
    expect(jobs.broker.inspect('jobs').messages.map(({ state }) => state)).toEqual(['ready', 'ready']);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('closes with a grace, and refuses a wrong one', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = start(jobs, () => jobs.wait(20_000));
    await jobs.clock.advance(500);
    expect(await rejection(processor.close({ graceMs: -1 }))).toBeInstanceOf(RangeError);
    const since = jobs.clock.now();
    expect(await jobs.run(processor.close({ graceMs: 2_000 }))).toMatchObject({ reason: 'closed', abandoned: 1 });
    expect(jobs.clock.now() - since).toBeLessThan(3_500);
  });

  it('closes at the end of its block', async () => {
    const jobs = openJobs();
    jobs.push(1);
    let held: Processor | undefined;
    const block = async (): Promise<void> => {
      await using processor = start(jobs, () => 1);
      held = processor;
      await jobs.wait(100);
    };
    await jobs.run(block());
    expect(await held).toMatchObject({ reason: 'closed', acked: 1 });
  });

  it('pauses and goes on', async () => {
    const jobs = openJobs();
    const processor = start(jobs, () => 1, { maxIdleMs: 1_000 });
    processor.pause();
    jobs.push(1);
    await jobs.clock.advance(60_000);
    expect(processor.stats).toMatchObject({ delivered: 0, pulls: 0 });
    processor.resume();
    await jobs.clock.advance(1_000);
    expect(processor.stats).toMatchObject({ acked: 1 });
    await jobs.run(processor.close());
  });

  it('starts more handlers at once when its concurrency is raised', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 20 }, (__, n) => n));
    const processor = start(jobs, () => jobs.wait(5_000), { concurrency: 2 });
    await jobs.clock.advance(1_000);
    expect(processor.concurrency).toBe(2);
    expect(processor.stats.inFlight).toBe(2);
    processor.concurrency = 8;
    expect(processor.concurrency).toBe(8);
    await jobs.clock.advance(300);
    expect(processor.stats.inFlight).toBe(8);
    await jobs.run(processor.close());
  });

  it('waits for the running ones when its concurrency is lowered, and leases for fewer', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 300 }, (__, n) => n));
    let running = 0;
    const work = async (): Promise<void> => {
      running += 1;
      await jobs.wait(1_000);
      running -= 1;
    };
    const processor = start(jobs, work, { concurrency: 20 });
    await jobs.clock.advance(3_500);
    expect(running).toBe(20);
    processor.concurrency = 2;
    expect(running).toBe(20);
    await jobs.clock.advance(2_500);
    expect(running).toBe(2);
    const { delivered } = processor.stats;
    await jobs.clock.advance(10_000);
    expect(processor.stats.delivered - delivered).toBe(20);
    // What two handlers can start within half of a lease.
    expect(processor.stats.buffered).toBeLessThanOrEqual(30);
    await jobs.run(processor.close());
  });

  it.each([
    [0, RangeError],
    [1.5, RangeError],
    [201, RangeError],
    [Number.NaN, RangeError],
    ['2', TypeError],
  ])('takes no concurrency of %s', async (concurrency, type) => {
    const jobs = openJobs();
    const processor = start(jobs, () => 1);
    const before = processor.concurrency;
    const set = (): void => {
      processor.concurrency = concurrency as number;
    };
    expect(set).toThrow(type);
    expect(set).toThrow(/'concurrency' must be/);
    expect(processor.concurrency).toBe(before);
    await jobs.run(processor.close());
  });

  it('stays one handler where the queue is kept in order, and as many as wanted where each key is', async () => {
    const jobs = openJobs();
    const inOrder = start(jobs, () => 1, { ordered: true });
    expect(() => {
      inOrder.concurrency = 2;
    }).toThrow(/'concurrency' must be 1 with 'ordered': current value is 2/);
    const byKey = jobs.queue.process(() => 1, { key: () => 'a' });
    byKey.concurrency = 20;
    expect([inOrder.concurrency, byKey.concurrency]).toEqual([1, 20]);
    await jobs.run(Promise.all([inOrder.close(), byKey.close()]));
  });
});

describe('process() with key', () => {
  it('reaches as many other keys with a concurrency that was raised as with one given at first', async () => {
    const mostRunning = async (concurrency: number): Promise<number> => {
      const jobs = openJobs<number>({}, { latencyMs: 10 });
      jobs.push(...Array.from({ length: 800 }, (_, n) => n));
      const key = ({ body }: { readonly body: number }): string => (body % 10 === 0 ? `${body}` : 'busy');
      let [running, most] = [0, 0];
      const work = async (): Promise<void> => {
        running += 1;
        most = Math.max(most, running);
        await jobs.wait(100);
        running -= 1;
      };
      const processor = jobs.queue.process(work, { concurrency, key });
      processor.concurrency = 20;
      await jobs.clock.advance(10_000);
      await jobs.run(processor.close());
      return most;
    };
    expect(await mostRunning(1)).toBe(await mostRunning(20));
  });
});

describe('the handle of processBatches()', () => {
  it('bounds its concurrency by the size of a batch', async () => {
    const jobs = openJobs();
    const processor = jobs.queue.processBatches(() => 1, { size: 50 });
    expect(() => {
      processor.concurrency = 5;
    }).toThrow("'concurrency' must be at most 'maxInFlight' / 'size', 4: current value is 5");
    await jobs.run(processor.close());
  });

  it('resolves `closed` and close(), too, when all that is waited for has settled', async () => {
    const jobs = openJobs();
    jobs.push(1);
    let isDone = false;
    const handler = (_batch: MessageBatch, _env: unknown, ctx: { waitUntil(promise: Promise<unknown>): void }): void =>
      ctx.waitUntil(jobs.wait(5_000).then(() => (isDone = true)));
    const processor = jobs.queue.processBatches(handler, { size: 1 });
    await jobs.clock.advance(100);
    await jobs.run(Promise.all([processor.close(), processor.closed]));
    expect(isDone).toBe(true);
  });
});

describe('the handle of process()', () => {
  it('is shared by many who wait for it', async () => {
    const jobs = openJobs<number>();
    jobs.push(1);
    const bodies: number[] = [];
    const processor = jobs.queue.process((message: LeasedMessage<number>) => bodies.push(message.body), {
      stopWhenEmpty: true,
    });
    const [first, second] = await jobs.run(Promise.all([processor, processor]));
    expect(first).toBe(second);
    expect(bodies).toEqual([1]);
  });
});
