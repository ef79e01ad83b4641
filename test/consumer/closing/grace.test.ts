import { describe, expect, it } from 'vitest';
import type { ConsumerEvent, Settlement } from '../../../src/index.ts';
import { lastValueFrom } from 'rxjs';
import { settleMap, toObservable } from '../../../src/rxjs.ts';
import { type Jobs, openJobs, rejection } from '../jobs.ts';

const leaseMs = 600_000;
const options = { visibilityTimeoutMs: leaseMs, graceMs: 5_000, concurrency: 1 } as const;

/** What the queue holds, and in which state. */
const left = ({ broker }: Jobs<unknown>): readonly unknown[] =>
  broker.inspect('jobs').messages.map(({ body, state }) => [body, state]);

async function fails(jobs: Jobs<unknown>): Promise<never> {
  await jobs.wait(2_000);
  throw new Error('no');
}

describe('graceMs', () => {
  it.each([
    ['its signal', (_: { close(): unknown }, shutdown: AbortController) => shutdown.abort()],
    ['close()', (processor: { close(): unknown }) => void processor.close()],
  ])('is the grace of %s', async (_, end) => {
    const jobs = openJobs();
    jobs.push(1);
    const shutdown = new AbortController();
    let abortedAt = Number.NaN;
    const processor = jobs.queue.process(
      (__, signal) => {
        signal.addEventListener('abort', () => (abortedAt = jobs.clock.now()));
        return jobs.wait(60_000);
      },
      { ...options, signal: shutdown.signal },
    );
    await jobs.clock.advance(100);
    const since = jobs.clock.now();
    end(processor, shutdown);
    expect(await jobs.run(processor)).toMatchObject({ abandoned: 1, acked: 0 });
    expect(abortedAt - since).toBe(5_000);
    expect(jobs.clock.now() - since).toBeLessThan(6_100);
  });

  it('gives way to what close() is given, and does not lengthen what was begun', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.process(() => jobs.wait(20_000), { ...options });
    await jobs.clock.advance(100);
    expect(await jobs.run(processor.close({ graceMs: 60_000 }))).toMatchObject({ abandoned: 0, acked: 1 });

    jobs.push(2);
    const hastened = jobs.queue.process(() => jobs.wait(20_000), { ...options });
    await jobs.clock.advance(100);
    const since = jobs.clock.now();
    void hastened.close({ graceMs: 1_000 });
    expect(await jobs.run(hastened.close())).toMatchObject({ abandoned: 1 });
    expect(jobs.clock.now() - since).toBeLessThan(2_100);
  });

  it('does not keep the acknowledgement of work that kept the event loop for longer from being sent', async () => {
    const jobs = openJobs({}, { latencyMs: 50 });
    jobs.push(1);
    const compute = async (): Promise<void> => {
      await jobs.wait(1_000);
      jobs.clock.block(60_000);
    };
    const processor = jobs.queue.process(compute, { ...options });
    await jobs.clock.advance(200);
    expect(await jobs.run(processor.close())).toMatchObject({ acked: 1, abandoned: 0, lost: 0 });
    expect(left(jobs)).toEqual([]);

    jobs.push(2);
    const deaf = jobs.queue.process(compute, { ...options });
    await jobs.clock.advance(200);
    jobs.transport.script = (call, answer) => (call.method === 'ack' ? jobs.wait(60_000).then(answer) : answer());
    const since = jobs.clock.now();
    expect(await jobs.run(deaf.close())).toMatchObject({ acked: 0, unknown: 1 });
    expect(jobs.clock.now() - since).toBeLessThan(64_000);
  });

  it.each([
    ['of 5 s', { graceMs: 5_000 }],
    ['left out', {}],
  ])('%s does not keep from its acknowledgement what was done while the event loop was kept', async (_, grace) => {
    const jobs = openJobs({}, { latencyMs: 50 });
    jobs.push(1);
    const processor = jobs.queue.process(() => jobs.wait(3_000), { visibilityTimeoutMs: 2_000, concurrency: 1 });
    await jobs.clock.advance(1_000);
    const closing = processor.close(grace);
    jobs.clock.block(60_000);
    expect(await jobs.run(closing)).toMatchObject({ abandoned: 0, unknown: 0, acked: 1 });
    expect(left(jobs)).toEqual([]);
  });

  it('gives back at once what does not end, though its handler runs on, and takes nothing of it afterwards', async () => {
    const jobs = openJobs();
    jobs.push('hangs');
    const events: ConsumerEvent[] = [];
    let late: Promise<Settlement> | undefined;
    const processor = jobs.queue.process(
      async (message) => {
        await jobs.wait(20_000);
        late = message.ack();
      },
      { ...options, onEvent: (event) => void events.push(event) },
    );
    await jobs.clock.advance(100);
    expect(await jobs.run(processor.close())).toMatchObject({ abandoned: 1, retried: 1, inFlight: 0 });
    expect(left(jobs)).toEqual([['hangs', 'ready']]);
    expect(events.map(({ type }) => type)).toEqual(['abandoned']);
    expect(jobs.clock.pendingTimers).toBe(1);
    await jobs.clock.advance(20_000);
    expect(await late).toMatchObject({ outcome: 'lost', error: { code: 'closed' } });
    expect(left(jobs)).toEqual([['hangs', 'ready']]);
  });

  it('gives back at once what ends because of it, whatever the delay of a failure is', async () => {
    const jobs = openJobs();
    jobs.push('heeds');
    const processor = jobs.queue.process(
      (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
      { ...options, retryDelaySeconds: 300 },
    );
    await jobs.clock.advance(100);
    expect(await jobs.run(processor.close())).toMatchObject({ abandoned: 0, retried: 1 });
    expect(left(jobs)).toEqual([['heeds', 'ready']]);
  });

  it('wakes another consumer of the handle for what is given back', async () => {
    const jobs = openJobs();
    jobs.push('hangs');
    const first = jobs.queue.process(() => jobs.wait(20_000), options);
    await jobs.clock.advance(100);
    const bodies: unknown[] = [];
    const second = jobs.queue.process(({ body }) => void bodies.push(body), { maxIdleMs: 100_000 });
    // So long that it looks up seldom.
    await jobs.clock.advance(10_000);
    await jobs.run(first.close({ graceMs: 0 }));
    await jobs.clock.advance(10);
    expect(bodies).toEqual(['hangs']);
    await jobs.run(second.close());
  });

  it('delays what fails before it is over', async () => {
    const jobs = openJobs();
    jobs.push('fails');
    const processor = jobs.queue.process(() => fails(jobs), {
      ...options,
      retryDelaySeconds: 300,
    });
    await jobs.clock.advance(100);
    await jobs.run(processor.close());
    expect(left(jobs)).toEqual([['fails', 'delayed']]);
  });

  it('leaves alone what is on its last attempt: nobody would get it again', async () => {
    const jobs = openJobs({ maxRetries: 0 });
    jobs.push('last');
    const processor = jobs.queue.process(() => jobs.wait(20_000), { ...options, maxRetries: 0 });
    await jobs.clock.advance(100);
    expect(await jobs.run(processor.close())).toMatchObject({ abandoned: 1, retried: 0 });
    expect(left(jobs)).toEqual([['last', 'leased']]);
  });

  it('leaves alone what is being moved to another queue', async () => {
    const jobs = openJobs();
    jobs.push('moves');
    const other = { send: () => jobs.wait(20_000) };
    const processor = jobs.queue.process((message) => message.deadLetter(other), options);
    await jobs.clock.advance(100);
    expect(await jobs.run(processor.close())).toMatchObject({ abandoned: 1, retried: 0 });
    expect(left(jobs)).toEqual([['moves', 'leased']]);
  });

  it('holds for batches, too', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3);
    const processor = jobs.queue.processBatches(
      async ({ messages }) => {
        void messages[0]?.ack();
        await jobs.wait(60_000);
      },
      { ...options, size: 3 },
    );
    await jobs.clock.advance(2_000);
    const since = jobs.clock.now();
    expect(await jobs.run(processor.close())).toMatchObject({ acked: 1, abandoned: 2, retried: 2 });
    expect(jobs.clock.now() - since).toBeLessThan(6_100);
    expect(left(jobs)).toEqual([
      [2, 'ready'],
      [3, 'ready'],
    ]);
  });

  it('ends what batches wait until', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.processBatches((_, __, ctx) => ctx.waitUntil(jobs.wait(60_000)), {
      ...options,
      size: 1,
    });
    await jobs.clock.advance(2_000);
    const since = jobs.clock.now();
    expect(await jobs.run(processor.close())).toMatchObject({ acked: 1 });
    expect(jobs.clock.now() - since).toBeLessThan(8_100);
  });

  it('holds for a loop whose body goes on', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const shutdown = new AbortController();
    const { concurrency: _, ...rest } = options;
    const consumer = jobs.queue.consume({ ...rest, signal: shutdown.signal });
    const loop = (async () => {
      for await (const __ of consumer) await jobs.wait(60_000);
    })();
    await jobs.clock.advance(100);
    shutdown.abort();
    expect(await jobs.run(consumer.closed)).toMatchObject({ reason: 'aborted', abandoned: 1, retried: 1 });
    expect(left(jobs)).toEqual([[1, 'ready']]);
    await jobs.run(loop);
  });

  it('holds for an observable', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const shutdown = new AbortController();
    const { concurrency: _, ...rest } = options;
    const done = lastValueFrom(
      toObservable(jobs.queue, { ...rest, signal: shutdown.signal }).pipe(settleMap(() => jobs.wait(60_000))),
      { defaultValue: undefined },
    );
    await jobs.clock.advance(100);
    shutdown.abort();
    await jobs.clock.advance(6_100);
    expect(left(jobs)).toEqual([[1, 'ready']]);
    await jobs.run(done);
  });

  it('leaves what a reader that went away has in hand to it, or to the lease', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const subscription = toObservable(jobs.queue, { visibilityTimeoutMs: leaseMs }).subscribe(() => undefined);
    await jobs.clock.advance(100);
    subscription.unsubscribe();
    await jobs.clock.advance(5_000);
    expect(left(jobs)).toEqual([[1, 'leased']]);
  });

  it.each([
    [-1, RangeError],
    [Number.NaN, RangeError],
    ['5', TypeError],
  ])('can not be %s', async (graceMs, type) => {
    const { queue } = openJobs();
    expect(() => queue.consume({ graceMs: graceMs as number })).toThrow(type);
    expect(() => queue.batches({ graceMs: graceMs as number })).toThrow(type);
    const error = await rejection(queue.process(() => 1, { graceMs: graceMs as number }));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toContain("Cannot consume as 'graceMs' must be a number of 0 or more");
  });
});
