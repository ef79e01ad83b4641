import { describe, expect, it, vi } from 'vitest';
import type { ConsumeOptions, LeasedMessage } from '../../../src/index.ts';
import { toObservable } from '../../../src/rxjs.ts';
import type { HandleOptions } from '../../../src/queue/queue-options.ts';
import { type Jobs, openJobs } from '../jobs.ts';

const untilEmpty = { stopWhenEmpty: true, maxIdleMs: 250 } as const;

/** Twelve messages that others have leased twice and forgotten, and eight that came since. */
async function openSuspects(options: HandleOptions<number> = {}): Promise<Jobs<number>> {
  const jobs = openJobs<number>({ maxRetries: 3 }, { latencyMs: 10, ...options });
  jobs.push(...Array.from({ length: 12 }, (_, n) => n));
  for (let time = 0; time < 2; time += 1) {
    await jobs.run(jobs.broker.transport('jobs').pull({ batchSize: 100, visibilityTimeoutMs: 1 }));
    await jobs.clock.advance(2);
  }
  jobs.push(...Array.from({ length: 8 }, (_, n) => 100 + n));
  return jobs;
}

/** Notes what is in hand together. */
class Hands {
  readonly #jobs: Jobs<number>;
  readonly #held = new Set<number>();
  /** Of those that have come before, how many were in hand with any other. */
  beside = 0;
  total = 0;

  constructor(jobs: Jobs<number>) {
    this.#jobs = jobs;
  }

  async work(messages: readonly LeasedMessage<number>[]): Promise<void> {
    for (const { body } of messages) this.#held.add(body);
    this.total += messages.length;
    if (this.#held.size > 1) this.beside += [...this.#held].filter((body) => body < 100).length;
    await this.#jobs.wait(50);
    for (const { body } of messages) this.#held.delete(body);
  }
}

const surfaces: Record<string, (jobs: Jobs<number>, hands: Hands, options: ConsumeOptions) => Promise<unknown>> = {
  process: ({ queue }, hands, options) => queue.process((message) => hands.work([message]), options),
  processBatches: ({ queue }, hands, options) =>
    queue.processBatches(({ messages }) => hands.work(messages), {
      ...options,
      size: 4,
      maxWaitMs: 100,
      concurrency: 2,
    }),
  batches: async ({ queue }, hands, options) => {
    for await (const { messages } of queue.batches({ ...options, size: 4, maxWaitMs: 100 })) await hands.work(messages);
  },
  'for await': async ({ queue }, hands, options) => {
    for await (const message of queue.consume(options)) await hands.work([message]);
  },
  toObservable: ({ queue }, hands, options) =>
    new Promise<void>((resolve, reject) => {
      toObservable(queue, options).subscribe({
        next: (message) => void hands.work([message]).then(() => message.ack()),
        complete: resolve,
        error: reject,
      });
    }),
};

describe('messages that may have ended a process', () => {
  it.each(Object.entries(surfaces))('are handed out alone by %s', async (_, consume) => {
    const jobs = await openSuspects();
    const hands = new Hands(jobs);
    await jobs.run(consume(jobs, hands, untilEmpty));
    expect(hands).toMatchObject({ beside: 0, total: 20 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('are handed out alone after a pause, too, which keeps nothing waiting for them', async () => {
    const jobs = await openSuspects();
    const hands = new Hands(jobs);
    const processor = jobs.queue.process((message) => hands.work([message]), untilEmpty);
    await jobs.clock.advance(350);
    processor.pause();
    await jobs.clock.advance(120_000);
    processor.resume();
    await jobs.run(processor);
    expect(hands).toMatchObject({ beside: 0, total: 20 });
  });

  it('are handed out with others where that was asked for', async () => {
    const jobs = await openSuspects();
    const hands = new Hands(jobs);
    const summary = await jobs.run(
      jobs.queue.process((message) => hands.work([message]), { ...untilEmpty, isolateSuspects: false }),
    );
    expect(hands.beside).toBeGreaterThan(0);
    expect(summary.isolated).toBe(0);
  });

  it('are counted, and are none of those whose handler has failed here', async () => {
    const jobs = await openSuspects();
    const seen: number[] = [];
    const summary = await jobs.run(
      jobs.queue.process(
        ({ body, attempts }) => {
          seen.push(body);
          if (body === 3 && attempts === 3) throw new Error('failed');
        },
        { ...untilEmpty, stopWhenEmpty: { forMs: 30_000 } },
      ),
    );
    expect(seen).toHaveLength(21);
    expect(summary).toMatchObject({ delivered: 21, isolated: 12 });
  });

  it('start only when what ended before them is acknowledged', async () => {
    const jobs = await openSuspects();
    const unacknowledged: number[] = [];
    let ended = 0;
    await jobs.run(
      jobs.queue.process(({ body }) => {
        if (body < 100) unacknowledged.push(ended - jobs.entries('acked').length);
        ended += 1;
      }, untilEmpty),
    );
    expect(unacknowledged).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('start only when what ended before them is moved', async () => {
    const jobs = await openSuspects();
    const beside: number[] = [];
    let moving = 0;
    const elsewhere = {
      send: async () => {
        moving += 1;
        await jobs.wait(30);
        moving -= 1;
      },
    };
    await jobs.run(
      jobs.queue.process((message) => {
        if (message.body < 100) beside.push(moving);
        void message.deadLetter(elsewhere);
      }, untilEmpty),
    );
    expect(beside).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('start only when what came is judged by the schema', async () => {
    let judging = 0;
    const validate = async (value: unknown): Promise<{ readonly value: number }> => {
      const body = Number(value);
      judging += 1;
      if (body >= 100) await jobs.wait(40);
      judging -= 1;
      return { value: body };
    };
    const jobs = await openSuspects({ schema: { '~standard': { version: 1, vendor: 'test', validate } } });
    const beside: number[] = [];
    await jobs.run(jobs.queue.process(({ body }) => void (body < 100 && beside.push(judging)), untilEmpty));
    expect(beside).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('start when no pull is on its way', async () => {
    const jobs = await openSuspects();
    jobs.push(...Array.from({ length: 300 }, (_, n) => 200 + n));
    const pull = jobs.transport.pull.bind(jobs.transport);
    let underWay = 0;
    jobs.transport.pull = async (...call: Parameters<typeof pull>) => {
      underWay += 1;
      // One is behind the others.
      await jobs.wait(underWay === 2 ? 40 : 5);
      return pull(...call).finally(() => (underWay -= 1));
    };
    const beside: number[] = [];
    await jobs.run(
      jobs.queue.process(({ body }) => void (body < 100 && beside.push(underWay)), { ...untilEmpty, batchSize: 5 }),
    );
    expect(beside).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('are looked for by a pull for one message, which others follow for as many as ever', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 10 });
    const pull = vi.spyOn(jobs.transport, 'pull');
    const abort = new AbortController();
    const done = jobs.queue.process(() => jobs.wait(100), { signal: abort.signal, maxIdleMs: 250 });
    await jobs.clock.advance(1_000);
    const before = pull.mock.calls.length;
    jobs.push(...Array.from({ length: 40 }, (_, n) => n));
    await jobs.clock.advance(400);
    const asked = pull.mock.calls.slice(before).map(([{ batchSize }]) => batchSize);
    expect(asked[0]).toBe(1);
    expect(Math.max(...asked.map(Number))).toBeGreaterThan(5);
    abort.abort();
    await jobs.run(done);
  });
});
