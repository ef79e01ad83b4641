import { describe, expect, it } from 'vitest';
import type { ConsumeOptions, ConsumerEvent, LeasedMessage } from '../../../src/index.ts';
import { type Jobs, openJobs } from '../jobs.ts';

type Handle = (message: LeasedMessage) => Promise<void>;

interface Reading extends ConsumeOptions {
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** The ways to read of which the consumer sees the handlers. */
const surfaces: Readonly<Record<string, (jobs: Jobs<unknown>, handle: Handle, reading: Reading) => Promise<unknown>>> =
  {
    process: (jobs, handle, reading) => jobs.queue.process(handle, reading),
    batches: async ({ queue }, handle, { concurrency, ...options }) => {
      for await (const { messages } of queue.batches({ ...options, size: concurrency })) {
        await Promise.all(messages.map(handle));
      }
    },
    'for await': async (
      { queue },
      handle,
      { signal, visibilityTimeoutMs = 30_000, maxVisibilityTimeoutMs = 3_600_000 },
    ) => {
      const options = { signal, visibilityTimeoutMs, maxVisibilityTimeoutMs };
      for await (const message of queue.consume(options)) await handle(message);
    },
  };

const followers = 40;

/** One message, and when that is done 40 more: how often each was delivered and handled, and what was removed. */
async function work({
  surface = 'process',
  workMs = 600_000,
  concurrency = 10,
  consumers = 1,
  ...options
}: {
  readonly surface?: string;
  readonly workMs?: number;
  readonly concurrency?: number;
  readonly consumers?: number;
} & ConsumeOptions) {
  const jobs = openJobs({ maxRetries: 3 }, { latencyMs: 20 });
  const runs = new Map<string, number>();
  const done = new AbortController();
  let ended = 0;
  const handle: Handle = async ({ id }) => {
    runs.set(id, (runs.get(id) ?? 0) + 1);
    await jobs.wait(workMs);
    ended += 1;
  };
  const events: ConsumerEvent[] = [];
  const onEvent = (event: ConsumerEvent): void => void events.push(event);
  const read = surfaces[surface];
  if (read === undefined) throw new Error(`There is no surface ${surface}`);
  jobs.push('first');
  const reading = { onEvent, ...options, concurrency, signal: done.signal };
  const closed = Array.from({ length: consumers }, () => read(jobs, handle, reading));
  const until = async (count: number): Promise<void> => {
    for (let waited = 0; ended < count && waited < (followers + 1) * workMs; waited += 10_000)
      await jobs.clock.advance(10_000);
  };
  await until(1);
  const first = jobs.entries('delivered').length;
  jobs.push(...Array.from({ length: followers }, (_, body) => body));
  await until(followers + 1);
  done.abort();
  await jobs.run(Promise.all(closed));
  return {
    runs: [...runs.values()],
    first,
    deliveries: jobs.entries('delivered').slice(0, first),
    others: jobs.entries('delivered').length - first,
    removed: jobs.entries('removed').length,
    acked: jobs.entries('acked').length,
    overdue: events.filter(({ type }) => type === 'overdue').length,
    leases: jobs.transport
      .of('pull')
      .map(({ request }) => (request as { visibilityTimeoutMs: number }).visibilityTimeoutMs),
  };
}

describe.each(Object.keys(surfaces))('work that takes longer than its lease, in %s', (surface) => {
  it.each(
    [40_000, 130_000, 600_000].flatMap((workMs) =>
      [1, 10, 50].flatMap((concurrency) => [1, 2].map((consumers) => ({ workMs, concurrency, consumers }))),
    ),
  )('is done once: $workMs ms, concurrency $concurrency, $consumers of a handle', async (load) => {
    const { runs, first, others, removed, acked } = await work({ surface, ...load });
    expect(runs).toEqual(Array.from({ length: followers + 1 }, () => 1));
    expect({ removed, acked }).toEqual({ removed: 0, acked: followers + 1 });
    expect(first).toBeLessThanOrEqual(4);
    expect(others / followers).toBeLessThanOrEqual(1.05);
  });
});

describe('leases that grow with the work', () => {
  it('are off with the least for the most: the message is removed while its handler runs', async () => {
    const { removed, leases } = await work({ workMs: 200_000, maxVisibilityTimeoutMs: 30_000 });
    expect(removed).toBeGreaterThan(0);
    expect(new Set(leases)).toEqual(new Set([30_000]));
  });

  it('buy four times what the handler has taken each time, and the most at the last', async () => {
    const { deliveries } = await work({ workMs: 4_000_000 });
    const [usual, second, third, last] = deliveries.map(({ at, deadline }) => deadline - at);
    const [from = 0, at1 = 0, at2 = 0] = deliveries.map(({ at }) => at);
    expect([usual, last]).toEqual([30_000, 3_600_000]);
    expect(second).toBeCloseTo(4 * (at1 - from), -3);
    expect(third).toBeCloseTo(4 * (at2 - from), -3);
  });

  it('stay as they are while work ends in time', async () => {
    const { leases } = await work({ workMs: 9_000 });
    expect(new Set(leases)).toEqual(new Set([30_000]));
  });

  it('never exceed the most', async () => {
    const { leases, runs } = await work({ workMs: 40_000, maxVisibilityTimeoutMs: 90_000 });
    expect(Math.max(...leases)).toBe(90_000);
    expect(new Set(runs)).toEqual(new Set([1]));
  });

  it('are told of once for each lease that ends under a running handler', async () => {
    expect((await work({ workMs: 29_000 })).overdue).toBe(0);
    expect((await work({ workMs: 40_000, concurrency: 1 })).overdue).toBe(1);
  });

  it('do not grow for one handler that hangs while others end', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 }, { latencyMs: 20 });
    const done = new AbortController();
    const closed = jobs.queue.process(({ body }) => jobs.wait(body === 0 ? 86_400_000 : 100), {
      signal: done.signal,
      onEvent: () => undefined,
    });
    for (let at = 0; at < 600; at += 1) {
      jobs.push(at);
      await jobs.clock.advance(1_000);
    }
    const pulls = jobs.transport.of('pull').map(({ request }) => request as { visibilityTimeoutMs: number });
    const long = pulls.filter(({ visibilityTimeoutMs }) => visibilityTimeoutMs > 30_000);
    expect(long.length).toBeGreaterThan(0);
    expect(long.length).toBeLessThan(pulls.length / 20);
    done.abort();
    await jobs.run(closed);
  });
});

describe('a message that comes again to another consumer of its handle', () => {
  it('goes on in the one that works on it', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 }, { latencyMs: 20 });
    const [first, second] = [jobs.queue.consume(), jobs.queue.consume()];
    jobs.push(1);
    const inHand = await jobs.run(first[Symbol.asyncIterator]().next());
    const other = second[Symbol.asyncIterator]().next();
    await jobs.clock.advance(60_000);
    expect(inHand.value?.attempts).toBe(2);
    expect([first.stats.swapped, second.stats.delivered]).toEqual([1, 0]);
    const [acked] = await jobs.run(Promise.all([inHand.value?.ack(), first.close(), second.close(), other]));
    expect(acked).toEqual({ outcome: 'acked', late: false });
  });

  it('is acknowledged, not started, when it was finished and its acknowledgement lost', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 }, { latencyMs: 20 });
    const [first, second] = [jobs.queue.consume(), jobs.queue.consume()];
    jobs.push(1);
    const iterator = first[Symbol.asyncIterator]();
    const { value } = await jobs.run(iterator.next());
    jobs.transport.script = (call, answer) =>
      call.method === 'ack' && jobs.clock.monotonic() < 35_000 ? new Promise(() => undefined) : answer();
    void value?.ack();
    const other = second[Symbol.asyncIterator]().next();
    await jobs.clock.advance(60_000);
    expect([first.stats.reacked, second.stats.delivered]).toEqual([1, 0]);
    expect(jobs.entries('acked')).toHaveLength(1);
    await jobs.run(Promise.all([first.close({ graceMs: 0 }), second.close({ graceMs: 0 }), other]));
  });
});
