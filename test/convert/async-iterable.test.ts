import { from, lastValueFrom } from 'rxjs';
import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import {
  type ConsumeOptions,
  type ConsumerEvent,
  type ConsumerSummary,
  type LeasedMessage,
  openQueue,
  type QueueTransport,
  type Settlement,
} from '../../src/index.ts';
import { type Jobs, openJobs, queueError, rejection } from '../consumer/jobs.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';

/** Nothing of a consumer is left. */
function expectGone(jobs: Jobs<unknown>): void {
  expect(jobs.clock.pendingTimers).toBe(0);
  expect(jobs.transport.underWay).toBe(0);
}

const untilEmpty: ConsumeOptions = { stopWhenEmpty: true };

/** Loops over the queue until the body says `false`. */
async function loop(
  jobs: Jobs<unknown>,
  options: ConsumeOptions,
  body: (message: LeasedMessage) => unknown,
): Promise<ConsumerSummary> {
  const consumer = jobs.queue.consume(options);
  for await (const message of consumer) {
    if ((await body(message)) === false) break;
  }
  return consumer.closed;
}

describe('for await', () => {
  it('acknowledges a message when its body has finished, and not before', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3);
    const bodies: unknown[] = [];
    const summary = await jobs.run(
      loop(jobs, untilEmpty, async ({ id, body }) => {
        await jobs.wait(1_000);
        bodies.push(body);
        expect(jobs.entries('acked').map(({ messageId }) => messageId)).not.toContain(id);
      }),
    );
    expect(bodies).toEqual([1, 2, 3]);
    expect(summary).toMatchObject({ reason: 'empty', delivered: 3, acked: 3, retried: 0, inFlight: 0, buffered: 0 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
    expectGone(jobs);
  });

  it('gives what the message is', async () => {
    const jobs = openJobs({ maxRetries: 5 });
    jobs.push({ a: 1 });
    const summary = await jobs.run(
      loop(jobs, untilEmpty, (message) => {
        const [{ messageId, leaseId, deadline } = { messageId: '', leaseId: '', deadline: 0 }] =
          jobs.entries('delivered');
        expect(message).toMatchObject({ id: messageId, leaseId, body: { a: 1 }, attempts: 1, contentType: 'json' });
        expect(message.metadata).toMatchObject({ 'CF-Content-Type': 'json' });
        expect(message.timestamp).toEqual(new Date(1_000_000));
        expect(message.timestamp).toBe(message.timestamp);
        expect(message.leaseExpiresAt).toBeLessThanOrEqual(deadline);
        expect(message.leaseRemainingMs).toBe(message.leaseExpiresAt - jobs.clock.now());
      }),
    );
    expect(summary.acked).toBe(1);
  });

  const leaving: ReadonlyArray<[string, (jobs: Jobs<unknown>) => Promise<unknown>]> = [
    ['break', (jobs) => loop(jobs, {}, () => false)],
    [
      'return',
      async (jobs) => {
        for await (const message of jobs.queue) return message;
        return undefined;
      },
    ],
    [
      'a throw',
      async (jobs) => {
        const error = new Error('body failed');
        const failing = loop(jobs, {}, () => {
          throw error;
        });
        expect(await rejection(failing)).toBe(error);
      },
    ],
    [
      'a labelled continue of an outer loop',
      async (jobs) => {
        outer: for (const _ of [1]) {
          for await (const message of jobs.queue) {
            if (message.attempts > 0) continue outer;
          }
        }
      },
    ],
  ];

  it.each(leaving)('retries the message in hand with a growing delay when the loop is left by %s', async (_, leave) => {
    const jobs = openJobs();
    jobs.push(1);
    await jobs.run(leave(jobs));
    // 2^attempts, of which random = 0.5 leaves three quarters; never at once.
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2, late: false }]);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ delayed: 1, leased: 0 });
    expectGone(jobs);
  });

  it.each([
    [1, 2],
    [2, 3],
    [3, 6],
    [9, 225],
  ])('grows the delay: attempt %i is followed by %i s', async (attempts, delaySeconds) => {
    const jobs = openJobs({ maxRetries: 100 });
    jobs.push(1);
    for (let attempt = 1; attempt < attempts; attempt += 1)
      await jobs.broker
        .transport('jobs')
        .pull({ visibilityTimeoutMs: 1 })
        .then(() => jobs.clock.advance(1));
    await jobs.run(loop(jobs, { maxRetries: 100 }, () => false));
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds }]);
  });

  it('gives back what was buffered, at once, when the loop is left', async () => {
    const jobs = openJobs({}, { latencyMs: 5 });
    jobs.push(...Array.from({ length: 500 }, (_, index) => index));
    let seen = 0;
    const summary = await jobs.run(loop(jobs, {}, () => (seen += 1) < 50));
    expect(summary).toMatchObject({ reason: 'left', delivered: 50, acked: 49, retried: 1, buffered: 0, inFlight: 0 });
    expect(summary.released).toBeGreaterThan(0);
    expect(jobs.entries('retried').filter(({ delaySeconds }) => delaySeconds === 0)).toHaveLength(summary.released);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ leased: 0, total: 451 });
    expectGone(jobs);
  });

  it('lets an explicit ack() before break win', async () => {
    const jobs = openJobs();
    jobs.push(1);
    let settlement: Settlement | undefined;
    await jobs.run(
      loop(jobs, {}, async (message) => {
        settlement = await message.ack();
        return false;
      }),
    );
    expect(settlement).toEqual({ outcome: 'acked', late: false });
    expect(jobs.entries('retried')).toEqual([]);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('needs no await of an explicit ack()', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const summary = await jobs.run(
      loop(jobs, {}, (message) => {
        void message.ack();
        return false;
      }),
    );
    expect(summary).toMatchObject({ acked: 1, retried: 0 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('lets an explicit retry() win over the acknowledgement of a finished body', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const summary = await jobs.run(
      loop(jobs, untilEmpty, (message) =>
        message.attempts === 1 ? void message.retry({ delaySeconds: 0 }) : undefined,
      ),
    );
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 0 }]);
    expect(summary).toMatchObject({ delivered: 2, acked: 1, retried: 1 });
  });

  it("leaves the delay of a retry() without one to the queue's own", async () => {
    const jobs = openJobs({ retryDelaySeconds: 77 });
    jobs.push(1);
    await jobs.run(loop(jobs, untilEmpty, (message) => void message.retry()));
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 77 }]);
  });

  it('lets the first call win over later ones, and gives them its settlement', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const outcomes: Settlement[][] = [];
    await jobs.run(
      loop(jobs, untilEmpty, async (message) => {
        outcomes.push(
          message.body === 1
            ? await Promise.all([message.ack(), message.retry({ delaySeconds: 9 }), message.ack()])
            : await Promise.all([message.retry({ delaySeconds: 60 }), message.ack(), message.retry()]),
        );
        outcomes.push([await message.ack()]);
      }),
    );
    const acked = { outcome: 'acked', late: false };
    const retried = { outcome: 'retried', late: false };
    expect(outcomes).toEqual([[acked, acked, acked], [acked], [retried, retried, retried], [retried]]);
    expect(jobs.entries('acked')).toHaveLength(1);
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 60 }]);
  });

  it.each<[unknown, new () => Error, string]>([
    [-1, RangeError, '-1'],
    [86_401, RangeError, '86401'],
    [0.5, RangeError, '0.5'],
    ['1', TypeError, "'1'"],
    [Number.NaN, RangeError, 'NaN'],
  ])(
    'throws at once from retry({ delaySeconds: %s }), and leaves the message unsettled',
    async (delaySeconds, type, shown) => {
      const jobs = openJobs();
      jobs.push(1);
      const summary = await jobs.run(
        loop(jobs, untilEmpty, (message) => {
          const call = (): unknown => message.retry({ delaySeconds: delaySeconds as number });
          expect(call).toThrow(type);
          expect(call).toThrow(
            `Cannot retry as 'delaySeconds' must be an integer in 0..86400: current value is ${shown}`,
          );
        }),
      );
      expect(summary).toMatchObject({ acked: 1, retried: 0 });
    },
  );

  it('types and replaces the body by the schema', async () => {
    const schema = v.pipe(
      v.object({ n: v.number() }),
      v.transform(({ n }) => n * 2),
    );
    const jobs = openJobs<number>({}, { schema });
    jobs.push({ n: 21 });
    const bodies: number[] = [];
    await jobs.run(loop(jobs, untilEmpty, (message) => void bodies.push(message.body as number)));
    expect(bodies).toEqual([42]);
  });

  it('gives each loop over the queue a consumer of its own', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const bodies: unknown[] = [];
    const once = async (): Promise<void> => {
      for await (const message of jobs.queue) {
        bodies.push(message.body);
        await message.ack();
        break;
      }
    };
    await jobs.run(once());
    await jobs.run(once());
    expect(bodies).toEqual([1, 2]);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
    expectGone(jobs);
  });

  it('passes on what is final, when the one in hand has been seen to', async () => {
    const jobs = openJobs();
    const error = queueError('unauthorized', { status: 401 });
    jobs.transport.fail('pull', error);
    expect(await rejection(jobs.run(loop(jobs, {}, () => undefined)))).toBe(error);
    expectGone(jobs);
  });

  it('tells an error that comes between two next() to the next one, once', async () => {
    const jobs = openJobs();
    const error = queueError('not-found', { status: 404 });
    jobs.push(1);
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    jobs.transport.fail('pull', error);
    jobs.push(2);
    const second = iterator.next();
    expect(await rejection(jobs.run(second))).toBe(error);
    expect(await jobs.run(consumer.closed)).toMatchObject({ reason: 'failed', error, lastError: error });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expectGone(jobs);
  });
});

describe('generators around the loop', () => {
  it('keeps the rules through yield*', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3);
    const ackedAt: number[] = [];
    async function* through(): AsyncGenerator<LeasedMessage> {
      yield* jobs.queue.consume(untilEmpty);
    }
    const work = async (): Promise<void> => {
      for await (const message of through()) {
        await jobs.wait(100);
        ackedAt.push(jobs.entries('acked').length);
        if (message.body === 2) break;
      }
    };
    await jobs.run(work());
    expect(ackedAt).toEqual([0, 1]);
    expect(jobs.entries('acked')).toHaveLength(1);
    expect(jobs.entries('retried').filter(({ delaySeconds }) => delaySeconds > 0)).toHaveLength(1);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ leased: 0, total: 2 });
    expectGone(jobs);
  });

  it('keeps the rules through an inner for await', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3);
    async function* bodies(): AsyncGenerator {
      for await (const message of jobs.queue.consume(untilEmpty)) yield message.body;
    }
    const seen: unknown[] = [];
    const work = async (): Promise<void> => {
      for await (const body of bodies()) {
        await jobs.wait(100);
        expect(jobs.entries('acked')).toHaveLength(seen.length);
        seen.push(body);
      }
    };
    await jobs.run(work());
    expect(seen).toEqual([1, 2, 3]);
    expect(jobs.entries('acked')).toHaveLength(3);
    expectGone(jobs);
  });

  it('keeps the rules when such a generator is left by a throw', async () => {
    const jobs = openJobs();
    jobs.push(1);
    async function* through(): AsyncGenerator<LeasedMessage> {
      for await (const message of jobs.queue) yield message;
    }
    const failing = async (): Promise<void> => {
      for await (const _ of through()) throw new Error('outer');
    };
    expect(await rejection(jobs.run(failing()))).toMatchObject({ message: 'outer' });
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
    expectGone(jobs);
  });
});

describe('options.signal', () => {
  it('ends the loop normally, finishes the message in hand, and lets go of the signal', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const { controller, signal, count } = countedSignal();
    const summary = await jobs.run(
      loop(jobs, { signal }, async () => {
        expect(count()).toBe(1);
        controller.abort();
        await jobs.wait(50);
      }),
    );
    expect(summary).toMatchObject({ reason: 'aborted', delivered: 1, acked: 1 });
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ ready: 1, leased: 0 });
    expect(count()).toBe(0);
    expectGone(jobs);
  });

  it('ends a loop that waits', async () => {
    const jobs = openJobs();
    const { controller, signal, count } = countedSignal();
    const summary = loop(jobs, { signal }, () => undefined);
    await jobs.clock.advance(60_000);
    controller.abort();
    expect(await jobs.run(summary)).toMatchObject({ reason: 'aborted', delivered: 0 });
    expect(count()).toBe(0);
    expectGone(jobs);
  });

  it('ends a loop before it begins', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const { controller, signal, count } = countedSignal();
    controller.abort();
    expect(await jobs.run(loop(jobs, { signal }, () => undefined))).toMatchObject({ reason: 'aborted', pulls: 0 });
    expect(count()).toBe(0);
    expectGone(jobs);
  });

  it.each(['before', 'after'])('ends a loop that never begins, aborted %s somebody waits for its end', async (when) => {
    const jobs = openJobs();
    const { controller, signal, count } = countedSignal();
    const consumer = jobs.queue.consume({ signal });
    if (when === 'before') controller.abort();
    const { closed } = consumer;
    controller.abort();
    expect(await jobs.run(closed)).toMatchObject({ reason: 'aborted', pulls: 0 });
    expect(count()).toBe(0);
    expectGone(jobs);
  });

  it.each(['break', 'closed'])('is let go of when the loop ends by itself: %s', async (how) => {
    const jobs = openJobs();
    jobs.push(1);
    const { signal, count } = countedSignal();
    await jobs.run(loop(jobs, { signal, stopWhenEmpty: true }, () => how !== 'break'));
    expect(count()).toBe(0);
  });
});

describe('overlapping next()', () => {
  it('answers two that wait in order, each once, and settles nothing by itself ever after', async () => {
    const jobs = openJobs();
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    const order: string[] = [];
    const first = iterator.next().finally(() => order.push('first'));
    const second = iterator.next().finally(() => order.push('second'));
    jobs.push(1, 2, 3);
    const one = await jobs.run(first);
    await one.value?.ack();
    const two = await jobs.run(second);
    expect(order).toEqual(['first', 'second']);
    expect([one.value?.body, two.value?.body]).toEqual([1, 2]);
    // One at a time from now on, and still nothing is acknowledged.
    const third = iterator.next();
    await jobs.clock.advance(1_000);
    expect(jobs.entries('acked')).toHaveLength(1);
    await jobs.run(Promise.all([two.value?.ack(), third.then(({ value }) => value?.retry({ delaySeconds: 0 }))]));
    expect(jobs.entries('acked')).toHaveLength(2);
    expect(jobs.entries('retried')).toHaveLength(1);
    await jobs.run(consumer.close());
    expect(jobs.entries('acked')).toHaveLength(2);
    expectGone(jobs);
  });

  it('acknowledges nothing for Promise.all over a filled buffer', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    jobs.push(...Array.from({ length: 200 }, (_, index) => index));
    const consumer = jobs.queue.consume({ visibilityTimeoutMs: 10_000, onEvent: vi.fn() });
    const iterator = consumer[Symbol.asyncIterator]();
    let last: LeasedMessage | undefined;
    for (let index = 0; index < 40; index += 1) last = (await jobs.run(iterator.next())).value;
    await jobs.run(Promise.resolve(last?.ack()));
    expect(consumer.stats.buffered).toBeGreaterThan(2);
    await jobs.clock.advance(100);
    const acked = jobs.entries('acked').length;
    const pair = Promise.all([iterator.next(), iterator.next()]);
    const [a, b] = await jobs.run(pair);
    expect(a.value?.id).not.toBe(b.value?.id);
    await jobs.run(iterator.next());
    expect(jobs.entries('acked')).toHaveLength(acked);
    await jobs.run(consumer.close({ graceMs: 0 }));
    expect(jobs.entries('acked')).toHaveLength(acked);
    expectGone(jobs);
  });

  it('resolves every waiting next() at the end', async () => {
    const jobs = openJobs();
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    const waiting = [iterator.next(), iterator.next(), iterator.next()];
    await jobs.clock.advance(100);
    await jobs.run(consumer.close());
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => ({ done: true, value: undefined })));
  });
});

describe('an iterator that never began', () => {
  it.each<[string, (iterator: AsyncIterableIterator<LeasedMessage, undefined>) => Promise<unknown> | undefined]>([
    ['return()', (iterator) => iterator.return?.()],
    ['throw()', (iterator) => iterator.throw?.('why').catch((error: unknown) => expect(error).toBe('why'))],
  ])('cleans up by %s without a request', async (_, end) => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    await jobs.run(Promise.resolve(end(consumer[Symbol.asyncIterator]())));
    expect(await jobs.run(consumer.closed)).toMatchObject({ reason: 'left', pulls: 0 });
    expect(jobs.transport.calls).toEqual([]);
    expectGone(jobs);
  });

  it('closes without a request, and ends the loop that comes later', async () => {
    const jobs = openJobs();
    const consumer = jobs.queue.consume();
    expect(await jobs.run(consumer.close())).toMatchObject({ reason: 'closed', pulls: 0 });
    expect(await jobs.run(consumer[Symbol.asyncIterator]().next())).toEqual({ done: true, value: undefined });
    expect(jobs.transport.calls).toEqual([]);
    expectGone(jobs);
  });

  it('opens a consumer without a timer or a listener', () => {
    const jobs = openJobs();
    const { signal, count } = countedSignal();
    jobs.queue.consume({ signal })[Symbol.asyncIterator]();
    expect(count()).toBe(0);
    expectGone(jobs);
  });
});

describe('a second iterator', () => {
  it('throws a TypeError that names process, and leaves the first as it is', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
    expect(() => consumer[Symbol.asyncIterator]()).toThrow(TypeError);
    expect(() => consumer[Symbol.asyncIterator]()).toThrow(/process/);
    expect((await jobs.run(iterator.next())).value?.body).toBe(1);
    await jobs.run(Promise.resolve(iterator.return?.()));
  });
});

describe('a consumer with a rate', () => {
  it('is read by a loop alone: of an observable or a stream nobody can see when work starts', async () => {
    const consumer = openJobs().queue.consume({ rate: { limit: 1, perMs: 1 } });
    expect(await rejection(lastValueFrom(from(consumer)))).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining("'rate' must be left out where messages are settled by hand"),
    });
    // Nobody reads it by now.
    expect(consumer[Symbol.asyncIterator]()).toBeDefined();
  });
});

describe('return() and throw()', () => {
  it('settles a next() that waits on a hung pull at once, and waits itself for the lease of that pull at most', async () => {
    const jobs = openJobs();
    jobs.transport.hang('pull');
    const iterator = jobs.queue.consume({ visibilityTimeoutMs: 5_000 })[Symbol.asyncIterator]();
    const next = iterator.next();
    await jobs.clock.advance(1_000);
    const returned = iterator.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    const startedAt = jobs.clock.monotonic();
    expect(await jobs.run(Promise.resolve(returned))).toEqual({ done: true, value: undefined });
    expect(jobs.clock.monotonic() - startedAt).toBeLessThanOrEqual(4_000);
    expectGone(jobs);
  });

  it('hands out what a pull in flight brings to nobody, and gives it back', async () => {
    const jobs = openJobs({}, { latencyMs: 500 });
    jobs.push(1);
    const iterator = jobs.queue.consume()[Symbol.asyncIterator]();
    const next = iterator.next();
    await jobs.clock.advance(100);
    await jobs.run(Promise.all([iterator.return?.(), next]));
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ ready: 1, leased: 0 });
    expectGone(jobs);
  });

  it('is done for good afterwards, and may be called again', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const iterator = jobs.queue.consume()[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    const done = { done: true, value: undefined };
    expect(await jobs.run(Promise.all([iterator.return?.(), iterator.return?.()]))).toEqual([done, done]);
    expect(await jobs.run(iterator.next())).toEqual(done);
    expectGone(jobs);
  });

  it.each([
    ['next', 'next', 'return', 'next'],
    ['next', 'return', 'next', 'next'],
    ['next', 'next', 'next', 'throw'],
  ] as const)('answers %s, %s, %s and %s of one turn in their order', async (...calls) => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const iterator = jobs.queue.consume()[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    const answered: number[] = [];
    const answers = calls.map((call, index) => {
      const answer = call === 'next' ? iterator.next() : Promise.resolve(iterator[call]?.());
      const note = (): void => void (call === 'next' && answered.push(index));
      return answer.then(note, note);
    });
    await jobs.run(Promise.all(answers));
    expect(answered).toEqual([0, 1, 2, 3].filter((index) => calls[index] === 'next'));
  });

  it('cleans up, then rejects with what throw() was given', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const iterator = jobs.queue.consume()[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    const error = new Error('thrown in');
    expect(await rejection(jobs.run(Promise.resolve(iterator.throw?.(error))))).toBe(error);
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
    expectGone(jobs);
  });
});

describe('close()', () => {
  it('ends at once inside the body after the message was settled', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    let took = -1;
    const consumer = jobs.queue.consume();
    const work = async (): Promise<void> => {
      for await (const message of consumer) {
        await message.ack();
        const startedAt = jobs.clock.monotonic();
        expect(await consumer.close()).toMatchObject({ reason: 'closed', acked: 1 });
        took = jobs.clock.monotonic() - startedAt;
      }
    };
    await jobs.run(work());
    expect(took).toBe(0);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ ready: 1, leased: 0 });
    expectGone(jobs);
  });

  it("waits inside the body for the lease's end at most when the message is unsettled", async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume({ visibilityTimeoutMs: 10_000 });
    let summary: ConsumerSummary | undefined;
    const work = async (): Promise<void> => {
      for await (const _ of consumer) summary = await consumer.close();
    };
    await jobs.run(work());
    expect(summary).toMatchObject({ reason: 'closed', delivered: 1, abandoned: 1, inFlight: 0 });
    expect(jobs.clock.monotonic()).toBeGreaterThanOrEqual(10_000);
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(11_100);
    expectGone(jobs);
  });

  it('waits no longer than its grace, aborts the signal, and takes settlements for another second', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    const work = async (): Promise<number> => {
      for await (const message of consumer) {
        const closed = consumer.close({ graceMs: 300 });
        const startedAt = jobs.clock.monotonic();
        await new Promise((resolve) => message.signal.addEventListener('abort', resolve));
        const abortedAfter = jobs.clock.monotonic() - startedAt;
        expect(message.signal.reason).toMatchObject({ name: 'QueueError', code: 'closed' });
        await jobs.wait(500);
        expect(await message.ack()).toEqual({ outcome: 'acked', late: false });
        await closed;
        return abortedAfter;
      }
      return -1;
    };
    expect(await jobs.run(work())).toBe(300);
    expect(await consumer.closed).toMatchObject({ acked: 1, abandoned: 0 });
    expectGone(jobs);
  });

  it('may be hastened by a later call', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    const closed = consumer.close();
    await jobs.clock.advance(2_000);
    const startedAt = jobs.clock.monotonic();
    const hastened = consumer.close({ graceMs: 0 });
    const summaries = await jobs.run(Promise.all([closed, hastened, consumer.closed]));
    expect(jobs.clock.monotonic() - startedAt).toBeLessThanOrEqual(1_000);
    expect(new Set(summaries).size).toBe(1);
    expect(summaries[0]).toMatchObject({ reason: 'closed', abandoned: 1 });
    expectGone(jobs);
  });

  it('gives "lost" with code "closed" to what is settled afterwards, and sends nothing', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    const { value: message } = await jobs.run(iterator.next());
    await jobs.run(consumer.close({ graceMs: 0 }));
    const calls = jobs.transport.calls.length;
    const settlement = await message?.ack();
    expect(settlement).toMatchObject({ outcome: 'lost', error: { code: 'closed' } });
    expect(await message?.retry()).toBe(settlement);
    expect(jobs.transport.calls).toHaveLength(calls);
    expectGone(jobs);
  });

  it.each<[unknown, new () => Error]>([
    [-1, RangeError],
    [Number.NaN, RangeError],
    ['1', TypeError],
  ])('rejects with graceMs %s, and does not close', async (graceMs, type) => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    const error = await rejection(consumer.close({ graceMs: graceMs as number }));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toMatch(/Cannot close as 'graceMs' must be a number .{2} 0 or more: current value is /);
    expect((await jobs.run(consumer[Symbol.asyncIterator]().next())).value?.body).toBe(1);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('is what `await using` calls', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    let seen: ConsumerSummary | undefined;
    const scope = async (): Promise<void> => {
      await using consumer = jobs.queue.consume();
      void consumer.closed.then((summary) => (seen = summary));
      const { value } = await consumer[Symbol.asyncIterator]().next();
      await value?.ack();
    };
    await jobs.run(scope());
    expect(seen).toMatchObject({ reason: 'closed', acked: 1 });
    expectGone(jobs);
  });

  it.each(['pull', 'ack'] as const)(
    'comes to its end although a transport ignores the signal of a %s',
    async (method) => {
      const jobs = openJobs();
      jobs.push(1);
      const beneath = jobs.broker.transport('jobs');
      let calls = 0;
      const deaf: QueueTransport = {
        ...beneath,
        pull: (request) => {
          calls += 1;
          return method === 'pull' ? new Promise(() => undefined) : beneath.pull(request);
        },
        ack: () => new Promise(() => undefined),
      };
      const consumer = openQueue({ transport: deaf, clock: jobs.clock }).consume();
      const iterator = consumer[Symbol.asyncIterator]();
      const next = iterator.next();
      await jobs.clock.advance(1_000);
      const settlement = method === 'ack' ? (await next).value?.ack() : undefined;
      await jobs.clock.advance(1_000);
      // Beside a pull that is overdue another is sent.
      expect(calls).toBe(method === 'pull' ? 2 : 1);
      const startedAt = jobs.clock.monotonic();
      const summary = await jobs.run(consumer.close({ graceMs: 1_000 }));
      expect(jobs.clock.monotonic() - startedAt).toBeLessThanOrEqual(4_000);
      expect(summary).toMatchObject({ reason: 'closed', unknown: method === 'ack' ? 1 : 0, inFlight: 0 });
      if (method === 'ack') expect(await settlement).toMatchObject({ outcome: 'unknown', error: { code: 'closed' } });
      expect(jobs.clock.pendingTimers).toBe(0);
    },
  );

  it('gives up a hung settle call when it was given a grace', async () => {
    const jobs = openJobs();
    jobs.push(1);
    jobs.transport.hang('ack');
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    const { value: message } = await jobs.run(iterator.next());
    const settled = message?.ack();
    await jobs.clock.advance(100);
    const startedAt = jobs.clock.monotonic();
    await jobs.run(consumer.close({ graceMs: 0 }));
    expect(jobs.clock.monotonic() - startedAt).toBeLessThanOrEqual(3_000);
    expect(await settled).toMatchObject({ outcome: 'unknown' });
    expectGone(jobs);
  });
});

describe("settle: 'manual'", () => {
  it('settles nothing by itself: neither by asking for the next one nor by leaving', async () => {
    const jobs = openJobs({ maxRetries: 10 });
    jobs.push(1, 2, 3);
    const summary = await jobs.run(
      loop(jobs, { settle: 'manual', visibilityTimeoutMs: 2_000, onEvent: vi.fn() }, async (message) => {
        if (message.body === 1) await message.ack();
        return message.body !== 3;
      }),
    );
    expect(jobs.entries('acked')).toHaveLength(1);
    expect(summary).toMatchObject({ delivered: 3, acked: 1, abandoned: 2, inFlight: 0 });
    expect(jobs.entries('retried').filter(({ delaySeconds }) => delaySeconds > 0)).toEqual([]);
    expectGone(jobs);
  });

  it.each(['break', 'throw'])('left by %s waits for nothing in hand, which can be settled still', async (how) => {
    const jobs = openJobs({}, { latencyMs: 20 });
    jobs.push(1, 2);
    const consumer = jobs.queue.consume({ settle: 'manual', minInFlight: 2 });
    let kept: LeasedMessage | undefined;
    const left = (async () => {
      for await (const message of consumer) {
        kept = message;
        if (how === 'throw') throw new Error('enough');
        break;
      }
    })();
    const startedAt = jobs.clock.monotonic();
    await jobs.run(left.catch(() => undefined));
    expect(jobs.clock.monotonic() - startedAt).toBeLessThanOrEqual(60);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ ready: 1, leased: 1 });
    expect(jobs.clock.refedTimers).toBe(0);
    await jobs.clock.advance(10_000);
    expect(await jobs.run(kept?.ack() ?? Promise.reject(new Error('nothing came')))).toMatchObject({
      outcome: 'acked',
    });
    expect(await jobs.run(consumer.closed)).toMatchObject({ reason: 'left', acked: 1, abandoned: 0 });
    expectGone(jobs);
  });

  it('keeps the process for who waits for the end after the loop was left', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume({ settle: 'manual', visibilityTimeoutMs: 2_000, onEvent: vi.fn() });
    const iterator = consumer[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    await jobs.run(Promise.resolve(iterator.return?.()));
    expect(jobs.clock.refedTimers).toBe(0);
    const { closed } = consumer;
    await jobs.clock.advance(0);
    expect(jobs.clock.refedTimers).toBeGreaterThan(0);
    await jobs.run(closed);
  });

  it('does not hand out again a message whose move to another queue outlasts its lease', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const slow = { send: () => jobs.wait(3_000) };
    const options = { settle: 'manual', visibilityTimeoutMs: 2_000, stopWhenEmpty: true } as const;
    const outcomes: Settlement[] = [];
    const summary = await jobs.run(
      loop(jobs, options, async (message) => void outcomes.push(await message.deadLetter(slow))),
    );
    expect(summary).toMatchObject({ delivered: 1, acked: 1, abandoned: 0 });
    expect(outcomes).toMatchObject([{ outcome: 'acked' }]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('left with a message that nobody settles closes when its lease is over', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume({ settle: 'manual', visibilityTimeoutMs: 2_000, onEvent: vi.fn() });
    const iterator = consumer[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    await jobs.run(Promise.resolve(iterator.return?.()));
    expect(await jobs.run(consumer.closed)).toMatchObject({ reason: 'left', abandoned: 1, inFlight: 0 });
    expectGone(jobs);
  });

  it('frees the place of a forgotten message when its lease ends, counts it and says so', async () => {
    const jobs = openJobs({ maxRetries: 10 });
    jobs.push(1);
    const events: ConsumerEvent[] = [];
    const attempts: number[] = [];
    await jobs.run(
      loop(
        jobs,
        { settle: 'manual', visibilityTimeoutMs: 2_000, onEvent: (event) => events.push(event) },
        async (message) => {
          attempts.push(message.attempts);
          if (attempts.length < 3) return true;
          await message.ack();
          return false;
        },
      ),
    );
    expect(attempts).toEqual([1, 2, 3]);
    expect(events.filter(({ type }) => type === 'abandoned')).toHaveLength(2);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('hands out more at once to a reader that settles in time', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 200 }, (_, index) => index));
    let running = 0;
    let most = 0;
    const work = async (message: LeasedMessage): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await jobs.wait(200);
      running -= 1;
      await message.ack();
    };
    const summary = await jobs.run(
      loop(jobs, { settle: 'manual', stopWhenEmpty: true }, (message) => void work(message)),
    );
    expect(summary).toMatchObject({ acked: 200, abandoned: 0 });
    expect(most).toBeGreaterThan(20);
    expectGone(jobs);
  });
});

describe('stopWhenEmpty', () => {
  it('true ends after the first pull of an idle consumer that brought nothing', async () => {
    const jobs = openJobs();
    expect(await jobs.run(loop(jobs, untilEmpty, () => undefined))).toMatchObject({ reason: 'empty', pulls: 1 });
    expect(jobs.clock.monotonic()).toBe(0);
    expectGone(jobs);
  });

  it('true does not end while a message that may come back is in hand', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const summary = await jobs.run(
      loop(jobs, untilEmpty, async (message) => {
        await jobs.wait(3_000);
        if (message.attempts === 1) void message.retry({ delaySeconds: 0 });
      }),
    );
    expect(summary).toMatchObject({ reason: 'empty', delivered: 2, acked: 1, retried: 1 });
  });

  it('{ forMs } ends when nothing came for so long, not earlier', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const late = async (): Promise<void> => {
      await jobs.wait(4_000);
      jobs.push(2);
    };
    const [summary] = await jobs.run(
      Promise.all([loop(jobs, { stopWhenEmpty: { forMs: 5_000 } }, () => undefined), late()]),
    );
    expect(summary).toMatchObject({ reason: 'empty', acked: 2 });
    expect(jobs.clock.monotonic()).toBeGreaterThanOrEqual(9_000);
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(9_600);
    expectGone(jobs);
  });

  it('does not take the word of a pull that another one with messages overtook', async () => {
    const jobs = openJobs<string>({}, { latencyMs: 5, schema: v.string() });
    jobs.push(1);
    const options = { settle: 'manual', minInFlight: 3, batchSize: 1, onInvalid: 'ack', stopWhenEmpty: true } as const;
    const consumer = jobs.queue.consume(options);
    const iterator = consumer[Symbol.asyncIterator]();
    const [first, second] = [iterator.next(), iterator.next(), iterator.next()];
    await jobs.clock.advance(1);
    // What can't be handed out is settled meanwhile, so that several pulls are sent when nothing is in hand.
    consumer.pause();
    await jobs.clock.advance(100);
    jobs.push('again');
    // One of them finds all leased, and its answer comes when something is there again.
    jobs.transport.script = async (call, answer) => {
      const result = await answer();
      if (jobs.transport.of('pull')[2] === call) await jobs.wait(300);
      return result;
    };
    consumer.resume();
    await jobs.run((await jobs.run(first)).value!.retry({ delaySeconds: 0 }));
    const { value } = await jobs.run(second);
    expect(value).toMatchObject({ body: 'again', attempts: 2 });
    await jobs.run(value!.ack());
    expect(await jobs.run(consumer.closed)).toMatchObject({ reason: 'empty', acked: 1, retried: 1 });
  });
});

describe('pause() and resume()', () => {
  it('stops pulling and handing out, and goes on', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    await jobs.run(iterator.next());
    consumer.pause();
    const next = iterator.next();
    jobs.push(2);
    const { pulls } = consumer.stats;
    await jobs.clock.advance(60_000);
    expect(jobs.entries('acked')).toHaveLength(1);
    // One that was under way may still have come back.
    expect(consumer.stats.pulls).toBe(pulls);
    expect(jobs.broker.inspect('jobs').counts.leased).toBe(0);
    consumer.resume();
    expect((await jobs.run(next)).value?.body).toBe(2);
    await jobs.run(Promise.resolve(iterator.return?.()));
    expectGone(jobs);
  });

  it('gives back what is buffered when its lease runs out', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    jobs.push(...Array.from({ length: 100 }, (_, index) => index));
    const consumer = jobs.queue.consume({ visibilityTimeoutMs: 5_000 });
    const iterator = consumer[Symbol.asyncIterator]();
    for (let index = 0; index < 20; index += 1) await jobs.run(iterator.next());
    expect(consumer.stats.buffered).toBeGreaterThan(0);
    consumer.pause();
    await jobs.clock.advance(6_000);
    expect(consumer.stats).toMatchObject({ buffered: 0, dropped: 0 });
    expect(consumer.stats.released).toBeGreaterThan(0);
    await jobs.run(consumer.close({ graceMs: 0 }));
    expectGone(jobs);
  });

  it('hands out nothing that is buffered meanwhile', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    jobs.push(...Array.from({ length: 100 }, (_, index) => index));
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    for (let index = 0; index < 20; index += 1) await jobs.run(iterator.next());
    consumer.pause();
    const { delivered, buffered } = consumer.stats;
    expect(buffered).toBeGreaterThan(0);
    const next = iterator.next();
    await jobs.clock.advance(100);
    expect(consumer.stats.delivered).toBe(delivered);
    consumer.resume();
    expect((await jobs.run(next)).value?.body).toBe(20);
    await jobs.run(consumer.close({ graceMs: 0 }));
    expectGone(jobs);
  });

  it('closes while it is paused', async () => {
    const jobs = openJobs();
    const consumer = jobs.queue.consume();
    const next = consumer[Symbol.asyncIterator]().next();
    consumer.pause();
    await jobs.run(consumer.close());
    expect(await next).toEqual({ done: true, value: undefined });
    expectGone(jobs);
  });
});

describe('message.signal', () => {
  it("aborts when the lease ends, with the reason's code", async () => {
    const jobs = openJobs();
    jobs.push(1);
    await jobs.run(
      loop(jobs, { visibilityTimeoutMs: 10_000 }, async (message) => {
        expect(message.signal).toBe(message.signal);
        expect(message.signal.aborted).toBe(false);
        await jobs.wait(9_999);
        expect(message.signal.aborted).toBe(false);
        await jobs.wait(1);
        await jobs.wait(0);
        expect(message.signal.aborted).toBe(true);
        expect(message.signal.reason).toMatchObject({ name: 'QueueError', code: 'lease-expired' });
        expect(message.leaseRemainingMs).toBeLessThanOrEqual(0);
        return false;
      }),
    );
  });

  it('has aborted when it is first asked for after the end', async () => {
    const jobs = openJobs();
    jobs.push(1);
    await jobs.run(
      loop(jobs, { visibilityTimeoutMs: 10_000 }, async (message) => {
        await jobs.wait(10_000);
        expect(message.signal.aborted).toBe(true);
        return false;
      }),
    );
  });

  it('never aborts after the message was settled', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    await jobs.run(
      loop(jobs, { visibilityTimeoutMs: 1_000, stopWhenEmpty: true }, async (message) => {
        const early = message.body === 1 ? message.signal : undefined;
        await message.ack();
        await jobs.wait(5_000);
        expect((early ?? message.signal).aborted).toBe(false);
      }),
    );
    expect(jobs.entries('acked')).toHaveLength(2);
  });
});

describe('a late settlement', () => {
  it('sends an acknowledgement of finished work after the lease ended, and says so', async () => {
    const jobs = openJobs();
    jobs.push(1);
    let settlement: Settlement | undefined;
    await jobs.run(
      loop(jobs, { visibilityTimeoutMs: 1_000 }, async (message) => {
        await jobs.wait(1_500);
        settlement = await message.ack();
        return false;
      }),
    );
    expect(settlement).toEqual({ outcome: 'acked', late: true });
    expect(jobs.entries('acked')).toMatchObject([{ late: true }]);
  });

  it("says what the broker says when it falls on the lease's very end", async () => {
    const jobs = openJobs();
    jobs.push(1);
    let settlement: Settlement | undefined;
    await jobs.run(
      loop(jobs, { visibilityTimeoutMs: 1_000 }, async (message) => {
        await jobs.wait(1_000);
        settlement = await message.ack();
        return false;
      }),
    );
    const [{ late } = { late: undefined }] = jobs.entries('acked');
    expect(settlement).toEqual({ outcome: 'acked', late });
  });

  it('never sends a late retry', async () => {
    const jobs = openJobs();
    jobs.push(1);
    let settlement: Settlement | undefined;
    const summary = await jobs.run(
      loop(jobs, { visibilityTimeoutMs: 1_000 }, async (message) => {
        await jobs.wait(1_000);
        settlement = await message.retry();
        return false;
      }),
    );
    expect(settlement).toMatchObject({ outcome: 'lost', error: { code: 'lease-expired' } });
    expect(jobs.transport.settled).toEqual([]);
    expect(summary).toMatchObject({ lost: 1, retried: 0 });
  });
});

describe('onInvalid', () => {
  const open = (): Jobs<unknown> => {
    const jobs = openJobs({ maxRetries: 10 });
    jobs.broker.push('jobs', { body: '{broken', contentType: 'json', raw: true });
    jobs.push('fine');
    return jobs;
  };

  it('retries with a growing delay by default, counts, reports, and goes on', async () => {
    const jobs = open();
    const events: ConsumerEvent[] = [];
    const bodies: unknown[] = [];
    const summary = await jobs.run(
      loop(jobs, { ...untilEmpty, onEvent: (event) => events.push(event) }, ({ body }) => void bodies.push(body)),
    );
    expect(bodies).toEqual(['fine']);
    expect(summary).toMatchObject({ invalid: 1, delivered: 1, acked: 1, retried: 0 });
    expect(summary.lastError).toMatchObject({ code: 'undecodable-body' });
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
    expect(events).toMatchObject([
      {
        type: 'invalid',
        message: { attempts: 1, contentType: 'json', body: undefined },
        error: { code: 'undecodable-body' },
      },
    ]);
    expectGone(jobs);
  });

  it("'ack' lets go of it", async () => {
    const jobs = open();
    const summary = await jobs.run(loop(jobs, { ...untilEmpty, onInvalid: 'ack' }, () => undefined));
    expect(summary).toMatchObject({ invalid: 1, acked: 1 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it("'throw' retries it and ends the loop with the error", async () => {
    const jobs = open();
    const consumer = jobs.queue.consume({ onInvalid: 'throw' });
    const work = async (): Promise<void> => {
      for await (const _ of consumer) continue;
    };
    expect(await rejection(jobs.run(work()))).toMatchObject({ code: 'undecodable-body' });
    expect(await consumer.closed).toMatchObject({ reason: 'failed', error: { code: 'undecodable-body' } });
    expect(jobs.entries('retried').some(({ delaySeconds }) => delaySeconds === 2)).toBe(true);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ leased: 0, total: 2 });
    expectGone(jobs);
  });

  it('asks a function, which sees the message and the error', async () => {
    const jobs = open();
    const onInvalid = vi.fn(() => 'ack' as const);
    await jobs.run(loop(jobs, { ...untilEmpty, onInvalid }, () => undefined));
    expect(onInvalid).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ attempts: 1, contentType: 'json', timestamp: new Date(1_000_000) }),
      expect.objectContaining({ code: 'undecodable-body' }),
    );
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('waits for an async function before the consumer ends', async () => {
    const jobs = open();
    let answered = false;
    const onInvalid = async (): Promise<'ack'> => {
      await jobs.wait(2_000);
      answered = true;
      return 'ack';
    };
    const summary = await jobs.run(loop(jobs, { ...untilEmpty, onInvalid }, () => undefined));
    expect(answered).toBe(true);
    expect(summary).toMatchObject({ invalid: 1 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
    expectGone(jobs);
  });

  it("ends with the error when an async function says 'throw' after close() began", async () => {
    const jobs = open();
    const onInvalid = async (): Promise<'retry'> => {
      await jobs.wait(2_000);
      return 'retry';
    };
    const consumer = jobs.queue.consume({ onInvalid });
    const iterator = consumer[Symbol.asyncIterator]();
    await jobs.run(iterator.next()).then(({ value }) => value?.ack());
    await jobs.run(consumer.close());
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
    const calls = jobs.transport.calls.length;
    await jobs.clock.advance(60_000);
    expect(jobs.transport.calls).toHaveLength(calls);
    expectGone(jobs);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new Error('onInvalid failed');
      },
    ],
    ['rejects', () => Promise.reject(new Error('onInvalid failed'))],
  ])('retries when the function %s', async (_, onInvalid) => {
    const jobs = open();
    const summary = await jobs.run(loop(jobs, { ...untilEmpty, onInvalid }, () => undefined));
    expect(summary).toMatchObject({ invalid: 1, acked: 1, lastError: { message: 'onInvalid failed' } });
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
  });

  it.each([
    ['sync', v.object({ n: v.number() })],
    [
      'async',
      v.objectAsync({
        n: v.pipeAsync(
          v.number(),
          v.checkAsync(async (n) => n > 0),
        ),
      }),
    ],
  ])('takes what does not fit a %s schema the same way', async (_, schema) => {
    const jobs = openJobs<{ n: number }>({}, { schema });
    jobs.push({ n: 'x' }, { n: 1 }, 'text');
    const seen: unknown[] = [];
    const errors: unknown[] = [];
    const onEvent = (event: ConsumerEvent): void => {
      if (event.type === 'invalid') errors.push(event.error, event.message.body);
    };
    const summary = await jobs.run(
      loop(jobs, { ...untilEmpty, onInvalid: 'ack', onEvent }, ({ body }) => void seen.push(body)),
    );
    expect(seen).toEqual([{ n: 1 }]);
    expect(summary).toMatchObject({ invalid: 2, acked: 1 });
    expect(errors).toMatchObject([{ code: 'invalid-body' }, { n: 'x' }, { code: 'invalid-body' }, 'text']);
    expect(String(errors[0])).toContain('n: ');
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });
});

describe('onEvent', () => {
  const failing = (onEvent: (event: ConsumerEvent) => void): [Jobs<unknown>, Promise<ConsumerSummary>] => {
    const jobs = openJobs();
    jobs.push(1);
    let failures = 0;
    jobs.transport.script = (call, answer) =>
      call.method === 'pull' && (failures += 1) === 1 ? Promise.reject(queueError('network')) : answer();
    return [jobs, loop(jobs, { ...untilEmpty, onEvent }, () => undefined)];
  };

  it('may throw', async () => {
    const error = new Error('onEvent failed');
    const [jobs, summary] = failing(() => {
      throw error;
    });
    expect(await jobs.run(summary)).toMatchObject({ acked: 1, lastError: error });
  });

  it('may be async and reject', async () => {
    const error = new Error('onEvent failed');
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const [jobs, summary] = failing((): unknown => Promise.reject(error));
    expect(await jobs.run(summary)).toMatchObject({ acked: 1 });
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
