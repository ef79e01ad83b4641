import { describe, expect, it } from 'vitest';
import { type Jobs, openJobs, queueError } from '../jobs.ts';

interface Setting {
  readonly latencyMs: number;
  /** What the queue delays by. */
  readonly delayMs: number;
  readonly everyMs: number;
  readonly consumers: number;
}

interface Cost {
  readonly handled: number;
  readonly emptyPulls: number;
  /** From the time a message could be pulled to the start of its handler. */
  readonly meanWaitMs: number;
}

/** What a minute of sends costs through a handle that also consumes. */
async function minuteOf({ latencyMs, delayMs, everyMs, consumers }: Setting): Promise<Cost> {
  const jobs = openJobs<{ at: number }>({ deliveryDelaySeconds: delayMs / 1_000 }, { latencyMs });
  const abort = new AbortController();
  const waits: number[] = [];
  const done = Array.from({ length: consumers }, () =>
    jobs.queue.process(
      async ({ body }) => {
        waits.push(jobs.clock.now() - body.at - latencyMs - delayMs);
        await jobs.wait(10);
      },
      { signal: abort.signal },
    ),
  );
  for (let at = 0; at < 60_000; at += everyMs) {
    void jobs.queue.send({ at: jobs.clock.now() });
    await jobs.clock.advance(everyMs);
  }
  abort.abort();
  const summaries = await jobs.run(Promise.all(done));
  return {
    handled: waits.length,
    emptyPulls: summaries.reduce((sum, each) => sum + each.emptyPulls, 0),
    meanWaitMs: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
  };
}

// A message that a push wakes for waits for the way of its pull, and no longer.
describe('20 sends a second through a handle that also consumes', () => {
  it.each([
    [0, 0, 1_200],
    [0, 30_000, 600],
    [0, 60_000, 0],
    [20, 0, 1_190],
    [20, 30_000, 590],
    [20, 60_000, 0],
  ])(
    'cost at most 40 empty pulls a minute: round trip %i ms, queue delay %i ms',
    async (latencyMs, delayMs, handledLeast) => {
      const { handled, emptyPulls, meanWaitMs } = await minuteOf({ latencyMs, delayMs, everyMs: 50, consumers: 1 });
      expect(handled).toBeGreaterThanOrEqual(handledLeast);
      expect(emptyPulls).toBeLessThanOrEqual(40);
      expect(meanWaitMs).toBeLessThanOrEqual(latencyMs);
    },
  );
});

describe('a send a second, and eight consumers on the handle', () => {
  it.each([0, 20])('cost at most 90 empty pulls a minute: round trip %i ms', async (latencyMs) => {
    const cost = await minuteOf({ latencyMs, delayMs: 0, everyMs: 1_000, consumers: 8 });
    expect(cost).toMatchObject({ handled: 60, meanWaitMs: latencyMs });
    expect(cost.emptyPulls).toBeLessThanOrEqual(90);
  });
});

/** Consumers of one handle that have long found its queue empty, by what each got since. */
async function idle(jobs: Jobs<unknown>, count: number, concurrency = 1, handledBefore = 0) {
  const consumers = Array.from({ length: count }, () => {
    const got: unknown[] = [];
    const abort = new AbortController();
    const done = jobs.queue.process(
      async ({ body }) => {
        got.push(body);
        await jobs.wait(10_000);
      },
      { concurrency, signal: abort.signal },
    );
    return { got, abort, done };
  });
  for (let sent = 0; sent < handledBefore * count; sent += 1) {
    await jobs.run(jobs.queue.send('first'));
    await jobs.clock.advance(15_000);
  }
  await jobs.clock.advance(120_000);
  for (const { got } of consumers) got.splice(0);
  return consumers;
}

async function end(jobs: Jobs<unknown>, consumers: Awaited<ReturnType<typeof idle>>): Promise<void> {
  for (const { abort } of consumers) abort.abort();
  await jobs.run(Promise.all(consumers.map(({ done }) => done)));
}

describe('Wakes', () => {
  it('has one consumer pull for a message, each in turn', async () => {
    const jobs = openJobs();
    const consumers = await idle(jobs, 3, 10, 3);
    const before = jobs.transport.of('pull').length;
    for (let body = 0; body < 6; body += 1) {
      await jobs.queue.send(body);
      await jobs.clock.advance(1);
    }
    expect(jobs.transport.of('pull')).toHaveLength(before + 6);
    expect(consumers.map(({ got }) => got.length)).toEqual([2, 2, 2]);
    await end(jobs, consumers);
  });

  it('has as many consumers pull for a batch as can take of it', async () => {
    const jobs = openJobs({}, { latencyMs: 20 });
    const consumers = await idle(jobs, 4, 10, 3);
    await jobs.run(jobs.queue.sendBatch(Array.from({ length: 25 }, (_, body) => ({ body }))));
    await jobs.clock.advance(25);
    expect(consumers.map(({ got }) => got.length).toSorted((a, b) => a - b)).toEqual([0, 5, 10, 10]);
    await end(jobs, consumers);
  });

  it('passes over a consumer whose handlers are all busy', async () => {
    const jobs = openJobs();
    const consumers = await idle(jobs, 2);
    await jobs.queue.send(1);
    await jobs.clock.advance(1);
    await jobs.queue.send(2);
    await jobs.clock.advance(1);
    expect(consumers.map(({ got }) => got.length)).toEqual([1, 1]);
    await end(jobs, consumers);
  });

  it('has a consumer pull once it can, when none could', async () => {
    const jobs = openJobs();
    const consumers = await idle(jobs, 1);
    for (const body of [1, 2, 3]) await jobs.queue.send(body);
    await jobs.clock.advance(20_010);
    expect(consumers[0]?.got).toEqual([1, 2, 3]);
    await end(jobs, consumers);
  });

  it.each(['closes', 'fails', 'closes after a failure', 'pauses'])(
    'wakes another when the one that was chosen %s before it has pulled',
    async (how) => {
      const jobs = openJobs();
      const chosen = jobs.queue.consume();
      const next = chosen[Symbol.asyncIterator]().next();
      const others = await idle(jobs, 1);
      const pulls = jobs.transport.of('pull').length;
      if (how.includes('fail')) {
        const error = how === 'fails' ? queueError('refused') : queueError('network');
        jobs.transport.script = (call, answer) =>
          call.method === 'pull' && jobs.transport.of('pull').length === pulls + 1 ? Promise.reject(error) : answer();
      }
      const failed = next.catch(() => undefined);
      await jobs.queue.send(1);
      if (how === 'pauses') chosen.pause();
      if (how === 'closes') void chosen.close();
      await jobs.clock.advance(1);
      if (how === 'closes after a failure') void chosen.close();
      await jobs.clock.advance(500);
      expect(others[0]?.got).toEqual([1]);
      void chosen.close();
      await failed;
      await end(jobs, others);
    },
  );

  it('does not ask again and again while delivery is paused', async () => {
    const jobs = openJobs({ deliveryPaused: true });
    const consumers = await idle(jobs, 1, 10);
    const before = jobs.transport.of('pull').length;
    for (let at = 0; at < 60_000; at += 50) {
      await jobs.queue.send(at);
      await jobs.clock.advance(50);
    }
    expect(jobs.transport.of('pull').length - before).toBeLessThanOrEqual(40);
    jobs.broker.queue('jobs', { deliveryPaused: false });
    await jobs.clock.advance(10_000);
    expect(consumers[0]?.got.length).toBeGreaterThan(0);
    await end(jobs, consumers);
  });

  it('wakes another for what a consumer gives back when it closes', async () => {
    const jobs = openJobs({}, { latencyMs: 50 });
    const chosen = jobs.queue.consume();
    const next = chosen[Symbol.asyncIterator]().next();
    const others = await idle(jobs, 1);
    await jobs.run(jobs.queue.send(1));
    await jobs.clock.advance(1);
    void chosen.close();
    await jobs.run(next);
    await jobs.clock.advance(200);
    expect(others[0]?.got).toEqual([1]);
    await end(jobs, others);
  });

  it('asks every 250 ms after a wake that brought nothing, for what is slow to be seen', async () => {
    const jobs = openJobs({ deliveryDelaySeconds: 1 });
    const consumers = await idle(jobs, 1);
    await jobs.queue.send(1);
    const from = jobs.clock.monotonic();
    await jobs.clock.advance(300);
    const pulls = jobs.transport.of('pull').filter(({ at }) => at >= from);
    expect(pulls.map(({ at }) => at - from)).toEqual([0, 225]);
    await end(jobs, consumers);
  });
});
