import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { ConsumerEvent, LeasedMessage, ProcessOptions } from '../../../src/index.ts';
import { openJobs } from '../jobs.ts';

interface Job {
  readonly key: string;
  readonly n: number;
}

const byKey = { key: ({ body }: { readonly body: Job }) => body.key } as const;
const untilEmpty = { stopWhenEmpty: { forMs: 20_000 } } as const;

/** So many messages of each key, in turn. */
function jobsOf(keys: readonly string[], each: number): Job[] {
  return Array.from({ length: each * keys.length }, (_, n) => ({ key: keys[n % keys.length] ?? '', n }));
}

/** The numbers that were handled, by their keys. */
function numbersOf(handled: readonly Job[]): Readonly<Record<string, readonly number[]>> {
  const numbers: Record<string, number[]> = {};
  for (const { key, n } of handled) (numbers[key] ??= []).push(n);
  return numbers;
}

const isSorted = (numbers: readonly number[]): boolean => numbers.every((n, index) => n > (numbers[index - 1] ?? -1));

describe('an order that is kept', () => {
  it('tells of an invalid message although a schema takes longer than the leases for another', async () => {
    const never = new Promise<never>(() => undefined);
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => {
          if (value === 1) return never;
          return Promise.resolve(value === 0 ? { value } : { issues: [{ message: 'no' }] });
        },
      },
    } as const;
    const jobs = openJobs<number>({}, { schema });
    jobs.push(0, 0, 1, 2, 3);
    const invalid: unknown[] = [];
    const onEvent = (event: ConsumerEvent): void => {
      if (event.type === 'invalid') invalid.push(event.message.body);
    };
    const done = new AbortController();
    const closed = jobs.queue.process(() => 1, { ordered: true, onInvalid: 'ack', onEvent, signal: done.signal });
    await jobs.clock.advance(20_000);
    done.abort();
    await jobs.run(closed);
    expect(invalid).toEqual(expect.arrayContaining([2, 3]));
  });
});

describe('process() with key', () => {
  it('handles messages of one key one after the other, in order, and others side by side', async () => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a', 'b', 'c', 'd'], 25));
    const running = new Map<string, number>();
    const handled: Job[] = [];
    let most = 0;
    const handler = async ({ body }: LeasedMessage<Job>): Promise<void> => {
      expect(running.get(body.key) ?? 0).toBe(0);
      running.set(body.key, 1);
      handled.push(body);
      most = Math.max(
        most,
        [...running.values()].reduce((sum, one) => sum + one, 0),
      );
      await jobs.wait(10 + (body.n % 7) * 20);
      running.set(body.key, 0);
    };
    const summary = await jobs.run(jobs.queue.process(handler, { ...byKey, ...untilEmpty }));
    expect(summary).toMatchObject({ acked: 100, delivered: 100, lost: 0 });
    expect(Object.values(numbersOf(handled)).every(isSorted)).toBe(true);
    expect(most).toBe(4);
  });

  it('has later ones of a key wait for one that is retried, and for no longer than that', async () => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a', 'b'], 5));
    const handled: Array<readonly [string, number]> = [];
    const start = jobs.clock.now();
    const handler = async ({ body, attempts }: LeasedMessage<Job>): Promise<void> => {
      handled.push([`${body.key}${body.n}`, jobs.clock.now() - start]);
      await jobs.wait(10);
      if (body.n === 2 && attempts === 1) throw new Error('not yet');
    };
    await jobs.run(jobs.queue.process(handler, { ...byKey, ...untilEmpty, retryDelaySeconds: 8 }));
    const at = new Map(handled);
    expect(handled.map(([name]) => name).filter((name) => name.startsWith('a'))).toEqual([
      'a0',
      'a2',
      'a2',
      'a4',
      'a6',
      'a8',
    ]);
    expect(at.get('b9')).toBeLessThan(1_000);
    // As soon as it can come again.
    expect(at.get('a2')).toBeLessThan(8_200);
    expect(at.get('a8')).toBeLessThan(8_400);
  });

  it('goes on after five seconds where a message that was retried does not come again', async () => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], 3));
    const at = new Map<number, number>();
    const start = jobs.clock.now();
    const handler = async ({ body, attempts }: LeasedMessage<Job>): Promise<void> => {
      if (attempts === 1) at.set(body.n, jobs.clock.now() - start);
      if (body.n > 0 || attempts > 1) return;
      // Somebody else takes it as soon as it is there.
      const steal = (): unknown => jobs.broker.transport('jobs').pull({ batchSize: 1 });
      for (let ms = 2_000; ms < 2_200; ms += 1) jobs.clock.setTimer(() => void steal(), ms);
      throw new Error('not yet');
    };
    const options = { ...byKey, stopWhenEmpty: { forMs: 60_000 }, retryDelaySeconds: 2 };
    jobs.transport.latencyMs = 50;
    await jobs.run(jobs.queue.process(handler, options));
    expect(at.get(1)).toBeGreaterThan(7_000);
    expect(at.get(2)).toBeLessThan(8_000);
  });

  it('waits for as long as nothing can come again: while a breaker is open', async () => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'], 10));
    const handled: Job[] = [];
    const start = jobs.clock.now();
    const handler = async ({ body }: LeasedMessage<Job>): Promise<void> => {
      await jobs.wait(20);
      if (jobs.clock.now() - start < 12_000) throw new Error('down');
      handled.push(body);
    };
    const processor = jobs.queue.process(handler, byKey);
    await jobs.clock.advance(600_000);
    const summary = await jobs.run(processor.close());
    expect(summary.acked).toBe(120);
    const unsorted = Object.entries(numbersOf(handled)).filter(([, numbers]) => !isSorted(numbers));
    expect(unsorted).toEqual([]);
  });

  it('gives what waits back for as long as a rate has it wait', async () => {
    const jobs = openJobs<Job>({ maxRetries: 3, deadLetterQueue: 'dead' }, { latencyMs: 10 });
    jobs.push(...jobsOf(['a'], 200));
    const unstarted: string[] = [];
    const handler = async ({ body, attempts }: LeasedMessage<Job>): Promise<void> => {
      await jobs.wait(20);
      if (body.n % 20 === 10 && attempts === 1) throw new Error('not yet');
    };
    const processor = jobs.queue.process(handler, {
      ...byKey,
      rate: { limit: 10, perMs: 60_000 },
      retryDelaySeconds: 60,
      onEvent: (event) => event.type === 'unstarted' && void unstarted.push(event.message.id),
    });
    await jobs.clock.advance(3 * 3_600_000);
    const { acked } = await jobs.run(processor.close());
    expect([acked, unstarted]).toEqual([200, []]);
  });

  it('waits for as long as nothing can come again: while it is paused', async () => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], 4));
    const handled: string[] = [];
    const handler = async ({ body, attempts }: LeasedMessage<Job>): Promise<void> => {
      handled.push(`${body.n}x${attempts}`);
      await jobs.wait(20);
      if (body.n === 1 && attempts === 1) throw new Error('not yet');
    };
    const processor = jobs.queue.process(handler, { ...byKey, retryDelaySeconds: 1 });
    await jobs.clock.advance(500);
    processor.pause();
    await jobs.clock.advance(20_000);
    processor.resume();
    await jobs.clock.advance(120_000);
    await jobs.run(processor.close());
    expect(handled.map((each) => each.slice(0, 3))).toEqual([
      '0x1',
      '1x1',
      '1x2',
      expect.stringMatching(/^2/),
      expect.stringMatching(/^3/),
    ]);
  });

  it('waits for none whose delay is above five minutes, or that was on its last attempt', async () => {
    for (const [maxRetries, delaySeconds] of [
      [3, 301],
      [0, 100],
    ] as const) {
      const jobs = openJobs<Job>({ maxRetries }, { latencyMs: 5 });
      jobs.push(...jobsOf(['a'], 3));
      const handled: number[] = [];
      const handler = (message: LeasedMessage<Job>): void => {
        handled.push(message.body.n);
        if (message.body.n === 0 && message.attempts === 1) void message.retry({ delaySeconds });
      };
      const done = jobs.queue.process(handler, { ...byKey, maxRetries, stopWhenEmpty: true });
      const start = jobs.clock.now();
      await jobs.run(done);
      expect(handled).toEqual([0, 1, 2]);
      expect(jobs.clock.now() - start).toBeLessThan(2_000);
    }
  });

  it('has a slow key keep others from nothing, holds no more of it than can be started in time, and loses none', async () => {
    const jobs = openJobs<Job>({ maxRetries: 3, deadLetterQueue: 'dead' }, { latencyMs: 20 });
    jobs.push(...jobsOf(['slow'], 60), ...jobsOf(['a', 'b', 'c'], 40));
    const handled: Job[] = [];
    let fastAt = 0;
    const start = jobs.clock.now();
    const handler = async ({ body }: LeasedMessage<Job>): Promise<void> => {
      handled.push(body);
      await jobs.wait(body.key === 'slow' ? 10_000 : 50);
      if (body.key !== 'slow') fastAt = jobs.clock.now() - start;
    };
    const summary = await jobs.run(jobs.queue.process(handler, { ...byKey, ...untilEmpty }));
    expect(handled).toHaveLength(180);
    expect(Object.values(numbersOf(handled)).every(isSorted)).toBe(true);
    expect(jobs.broker.inspect('dead').counts.total).toBe(0);
    // The slow ones alone take 600 s.
    expect(jobs.clock.now() - start).toBeLessThan(700_000);
    expect(fastAt).toBeLessThan(60_000);
    // About one attempt for each of the slow ones that had to wait, and no more.
    expect(summary.released).toBeLessThan(90);
  });

  it.each([
    [200, 8_000, 3],
    [400, 500, 10],
    [1_000, 1_000, 10],
  ])('loses none of %i messages of one key that take %i ms each', async (messages, workMs, concurrency) => {
    const jobs = openJobs<Job>({ maxRetries: 3, deadLetterQueue: 'dead' }, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], messages));
    const processor = jobs.queue.process(() => jobs.wait(workMs), { ...byKey, concurrency });
    await jobs.clock.advance(1.5 * messages * workMs);
    const { acked } = await jobs.run(processor.close());
    expect([acked, jobs.broker.inspect('dead').counts.total]).toEqual([messages, 0]);
  });

  it('starts the last attempt of a message whose key waits for another to come again', async () => {
    const jobs = openJobs<Job>({ maxRetries: 2, deadLetterQueue: 'dead' }, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], 6));
    const failures = new Map<number, number>();
    const started = new Set<number>();
    const handler = async ({ body }: LeasedMessage<Job>): Promise<void> => {
      started.add(body.n);
      await jobs.wait(10);
      const failed = failures.get(body.n) ?? 0;
      failures.set(body.n, failed + 1);
      if (body.n === 0) throw new Error('always');
    };
    const options = { ...byKey, ...untilEmpty, maxRetries: 2, retryDelaySeconds: 100 };
    await jobs.run(jobs.queue.process(handler, { ...options, stopWhenEmpty: { forMs: 400_000 } }));
    expect(started.size).toBe(6);
    expect(jobs.broker.inspect('dead').messages.map(({ body }) => (body as Job).n)).toEqual([0]);
  });

  it('tells of a last attempt that could not be started in time', async () => {
    const jobs = openJobs<Job>({ maxRetries: 0, deadLetterQueue: 'dead' }, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], 2));
    const events: ConsumerEvent[] = [];
    const options: ProcessOptions<Job> = { ...byKey, maxRetries: 0, onEvent: (event) => events.push(event) };
    await jobs.run(jobs.queue.process(() => jobs.wait(40_000), { ...options, stopWhenEmpty: { forMs: 60_000 } }));
    expect(events.filter(({ type }) => type === 'unstarted')).toHaveLength(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no key');
      },
    ],
    ['gives a number', () => 5],
    ['gives a promise', () => Promise.reject(new Error('no key'))],
  ])('takes a message for invalid whose key %s', async (_, key) => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], 2));
    const events: ConsumerEvent[] = [];
    const onEvent = (event: ConsumerEvent): void => void events.push(event);
    const options: ProcessOptions<Job> = { key: key as never, onInvalid: 'ack', onEvent, stopWhenEmpty: true };
    const summary = await jobs.run(jobs.queue.process(() => 1, options));
    expect(summary).toMatchObject({ delivered: 0, invalid: 2 });
    expect(events.map(({ type }) => type)).toEqual(['invalid', 'invalid']);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('gives what waits for its key back at once when it closes', async () => {
    const jobs = openJobs<Job>({}, { latencyMs: 5 });
    jobs.push(...jobsOf(['a'], 20));
    const abort = new AbortController();
    let handled = 0;
    const handler = async (): Promise<void> => {
      handled += 1;
      await jobs.wait(1_000);
      if (handled === 4) abort.abort();
    };
    await jobs.run(jobs.queue.process(handler, { ...byKey, signal: abort.signal }));
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ leased: 0, delayed: 0, ready: 16 });
  });

  it('keeps the order whatever fails, for whoever is alone with the queue', async () => {
    const plans = fc.record({
      keys: fc.integer({ min: 1, max: 6 }),
      each: fc.integer({ min: 1, max: 12 }),
      handlerMs: fc.constantFrom(0, 10, 500, 4_000),
      failsOneIn: fc.constantFrom(0, 3, 7),
      delaySeconds: fc.constantFrom(0, 2, 20, 60),
      seed: fc.nat(1_000),
    });
    await fc.assert(
      fc.asyncProperty(plans, async ({ keys, each, handlerMs, failsOneIn, delaySeconds, seed }) => {
        const jobs = openJobs<Job>({ maxRetries: 50 }, { latencyMs: 5 });
        jobs.push(
          ...jobsOf(
            Array.from({ length: keys }, (_, key) => `k${key}`),
            each,
          ),
        );
        const done: Job[] = [];
        const handler = async ({ body, attempts }: LeasedMessage<Job>): Promise<void> => {
          await jobs.wait(handlerMs);
          if (failsOneIn > 0 && attempts < 3 && (body.n * 31 + seed) % failsOneIn === 0) throw new Error('not yet');
          done.push(body);
        };
        const options = { ...byKey, maxRetries: 50, retryDelaySeconds: delaySeconds };
        await jobs.run(jobs.queue.process(handler, { ...options, stopWhenEmpty: { forMs: 200_000 } }));
        expect(done).toHaveLength(keys * each);
        expect(Object.values(numbersOf(done)).every(isSorted)).toBe(true);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

describe('ordered', () => {
  const bodies = Array.from({ length: 40 }, (_, n) => n);

  it('hands out in the order of the queue, and holds back what comes after one that is retried', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 5 });
    jobs.push(...bodies);
    const done: number[] = [];
    const consumer = jobs.queue.consume({ ordered: true, stopWhenEmpty: { forMs: 20_000 } });
    const loop = async (): Promise<void> => {
      for await (const message of consumer) {
        if (message.body % 10 === 3 && message.attempts === 1) void message.retry({ delaySeconds: 12 });
        else done.push(message.body);
      }
    };
    await jobs.run(loop());
    expect(done).toEqual(bodies);
  });

  it('has process run one handler at a time', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 5 });
    jobs.push(...bodies);
    const done: number[] = [];
    const handler = async ({ body, attempts }: LeasedMessage<number>): Promise<void> => {
      await jobs.wait((body * 7) % 50);
      if (body % 10 === 3 && attempts === 1) throw new Error('not yet');
      done.push(body);
    };
    await jobs.run(jobs.queue.process(handler, { ordered: true, ...untilEmpty }));
    expect(done).toEqual(bodies);
  });

  it('fills batches in order, and lets none follow before what was retried of the last', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 5 });
    jobs.push(...bodies);
    const batches: number[][] = [];
    const start = jobs.clock.now();
    const loop = async (): Promise<void> => {
      for await (const batch of jobs.queue.batches({ ordered: true, size: 8, ...untilEmpty })) {
        batches.push(batch.messages.map(({ body }) => body));
        for (const message of batch.messages) {
          if (message.body === 3 && message.attempts === 1) void message.retry({ delaySeconds: 3 });
        }
        if (batch.messages.at(-1)?.body === 39) break;
      }
    };
    await jobs.run(loop());
    expect(batches[0]).toEqual(bodies.slice(0, batches[0]?.length));
    expect(batches.flat().filter((n) => n !== 3 || true)).toEqual([
      ...(batches[0] ?? []),
      3,
      ...bodies.slice(batches[0]?.length),
    ]);
    expect(jobs.clock.now() - start).toBeLessThan(15_000);
  });

  it('hands what is settled by hand out one at a time', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 5 });
    jobs.push(...bodies);
    const done: number[] = [];
    let out = 0;
    const consumer = jobs.queue.consume({ ordered: true, settle: 'manual', ...untilEmpty });
    const work = async (message: LeasedMessage<number>): Promise<void> => {
      out += 1;
      expect(out).toBe(1);
      await jobs.wait(20);
      out -= 1;
      if (message.body % 10 === 3 && message.attempts === 1) void message.retry({ delaySeconds: 2 });
      else {
        done.push(message.body);
        void message.ack();
      }
    };
    const loop = async (): Promise<void> => {
      for await (const message of consumer) void work(message);
    };
    await jobs.run(loop());
    expect(done).toEqual(bodies);
  });

  it('waits for a schema that takes longer for an earlier message', async () => {
    const clocks: Array<(ms: number) => Promise<void>> = [];
    const schema = v.pipeAsync(
      v.number(),
      v.checkAsync(async (n) => {
        await clocks[0]?.((n % 4) * 300);
        return true;
      }),
    );
    const jobs = openJobs<number>({}, { latencyMs: 5, schema });
    clocks.push(jobs.wait);
    jobs.push(3, 2, 1, 0, 7, 6, 5, 4);
    const done: number[] = [];
    await jobs.run(jobs.queue.process(({ body }) => void done.push(body), { ordered: true, ...untilEmpty }));
    expect(done).toEqual([3, 2, 1, 0, 7, 6, 5, 4]);
  });

  it.each([
    ['process', { ordered: true, concurrency: 2 }],
    ['process', { ordered: true, key: () => '' }],
    ['process', { key: 5 }],
    ['process', { ordered: 1 }],
    ['processBatches', { ordered: true, concurrency: 2 }],
  ] as const)('is refused where it does not make sense: %s', async (method, options) => {
    const { queue } = openJobs();
    await expect(queue[method](() => undefined, options as never)).rejects.toThrow(TypeError);
  });

  it('is refused with minInFlight', () => {
    const { queue } = openJobs();
    expect(() => queue.consume({ ordered: true, settle: 'manual', minInFlight: 2 })).toThrow(TypeError);
  });
});
