import { describe, expect, it } from 'vitest';
import type { ConsumerEvent, QueueError } from '../../../src/index.ts';
import { openJobs, rejection } from '../jobs.ts';

describe('handlerTimeoutMs of processBatches()', () => {
  it('ends the signals of a batch, retries what is not settled, and goes on with the next one', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3, 4);
    const events: ConsumerEvent[] = [];
    const reasons: QueueError[] = [];
    let batches = 0;
    const processor = jobs.queue.processBatches(
      async ({ messages }) => {
        batches += 1;
        if (batches > 1) return;
        void messages[0]?.ack();
        messages[1]?.signal.addEventListener('abort', () => reasons.push(messages[1]?.signal.reason as QueueError));
        await jobs.wait(20_000);
      },
      {
        size: 3,
        handlerTimeoutMs: 5_000,
        retryDelaySeconds: 60,
        maxIdleMs: 1_000,
        onEvent: (event) => events.push(event),
      },
    );
    await jobs.clock.advance(4_900);
    expect(batches).toBe(1);
    await jobs.clock.advance(3_000);
    expect(batches).toBe(2);
    expect(processor.stats).toMatchObject({ acked: 2, retried: 2, inFlight: 0 });
    expect(reasons).toMatchObject([{ code: 'timeout' }]);
    expect(reasons[0]?.message).toMatch(
      /^The handler of a batch of 3, message \w+ its first, did not end within 5000 ms$/,
    );
    expect(events.map(({ type }) => type)).toEqual(['handlerFailed', 'handlerFailed']);
    // What ends too late changes nothing, and the place that it had is taken once.
    await jobs.clock.advance(20_000);
    expect(processor.stats).toMatchObject({ acked: 2, retried: 2 });
    await jobs.clock.advance(60_000);
    expect(await jobs.run(processor.close())).toMatchObject({ acked: 4, retried: 2, delivered: 6 });
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('does nothing to handlers that end in time, well or badly', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    let batches = 0;
    const processor = jobs.queue.processBatches(
      async () => {
        batches += 1;
        await jobs.wait(900);
        if (batches === 1) throw new Error('no');
      },
      { size: 1, handlerTimeoutMs: 1_000, retryDelaySeconds: 5, onEvent: () => undefined },
    );
    await jobs.clock.advance(60_000);
    expect(processor.stats).toMatchObject({ acked: 2, retried: 1 });
    await jobs.run(processor.close());
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('is over with a handler that does not await', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.processBatches(() => jobs.clock.block(5_000), { size: 1, handlerTimeoutMs: 1_000 });
    await jobs.clock.advance(10_000);
    expect(processor.stats).toMatchObject({ delivered: 1, acked: 1, retried: 0 });
    await jobs.run(processor.close());
  });

  it.each([0, -1, Number.NaN, '5'])('can not be %s', async (handlerTimeoutMs) => {
    const { queue } = openJobs();
    const error = await rejection(queue.processBatches(() => 1, { handlerTimeoutMs: handlerTimeoutMs as number }));
    expect(String(error)).toContain("'handlerTimeoutMs' must be a number of 1 or more");
  });
});
