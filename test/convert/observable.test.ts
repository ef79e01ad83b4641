import {
  filter,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  of,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerEvent, LeasedMessage } from '../../src/index.ts';
import { settleMap, type SettleMapOptions, toObservable } from '../../src/rxjs.ts';
import { openTwoQueues, type TwoQueues } from './two-queues.ts';

const untilEmpty = { stopWhenEmpty: true } as const;

let warn = vi.fn<typeof console.warn>();

beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

describe('settleMap()', () => {
  /** Works on all messages of a queue. */
  function workOff<Result>(
    queues: TwoQueues,
    project: Parameters<typeof settleMap<unknown, Result>>[0],
    options?: SettleMapOptions,
  ): Promise<Result[]> {
    const messages = toObservable(queues.jobs, { visibilityTimeoutMs: 10_000, ...untilEmpty });
    return queues.run(lastValueFrom(messages.pipe(settleMap(project, options), toArray())));
  }

  it('acknowledges a message when its work completes, and passes on the results', async () => {
    const queues = openTwoQueues();
    queues.fill(50);
    const ends = new Map<string, number>();
    const results = await workOff(queues, async (message) => {
      await queues.wait(20);
      ends.set(message.id, queues.clock.now());
      return Number(message.body) * 2;
    });
    expect(results.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 50 }).map((_, index) => index * 2),
    );
    expect(queues.entries('acked')).toHaveLength(50);
    for (const { messageId, at } of queues.entries('acked')) expect(at).toBeGreaterThanOrEqual(ends.get(messageId)!);
    queues.expectGone();
  });

  it('acknowledges when the last of many results was given, or none at all', async () => {
    const queues = openTwoQueues();
    queues.fill(3);
    const results = await workOff(queues, ({ body }) => of(...Array.from({ length: Number(body) }, () => body)));
    expect(results).toEqual([1, 2, 2]);
    expect(queues.entries('acked')).toHaveLength(3);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no'))],
    ['errors', () => throwError(() => new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('retries a message whose work %s, tells onEvent, and goes on', async (_, work) => {
    const queues = openTwoQueues();
    queues.fill(3);
    const events: ConsumerEvent[] = [];
    const messages = toObservable(queues.jobs, {
      stopWhenEmpty: { forMs: 5_000 },
      onEvent: (event) => void events.push(event),
    });
    const results = messages.pipe(
      settleMap((message) => (message.body === 1 && message.attempts === 1 ? work() : of(message.body))),
      toArray(),
    );
    expect(await queues.run(lastValueFrom(results))).toEqual([0, 2, 1]);
    expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
    expect(events).toMatchObject([{ type: 'handlerFailed', error: new Error('no') }]);
  });

  it.each([
    [7, 7],
    [(message: LeasedMessage) => message.attempts * 11, 11],
    [() => Number.NaN, 2],
    [
      () => {
        throw new Error('no');
      },
      2,
    ],
  ])('takes retryDelaySeconds %s', async (retryDelaySeconds, delaySeconds) => {
    const queues = openTwoQueues();
    queues.fill(1);
    await workOff(queues, ({ attempts }) => (attempts === 1 ? throwError(() => new Error('no')) : of(1)), {
      retryDelaySeconds,
    });
    expect(queues.entries('retried')).toMatchObject([{ delaySeconds }]);
  });

  it.each([
    [
      () => {
        throw new Error('no delay');
      },
      'no delay',
    ],
    [() => Number.NaN, "Cannot retry as 'retryDelaySeconds()' must be a number: current value is NaN"],
  ])('tells in lastError why retryDelaySeconds %s failed', async (retryDelaySeconds, message) => {
    const queues = openTwoQueues();
    queues.fill(1);
    const consumer = queues.jobs.consume(untilEmpty);
    const project = ({ attempts }: LeasedMessage): Promise<number> =>
      attempts === 1 ? Promise.reject(new Error('no')) : Promise.resolve(attempts);
    const results = toObservable(consumer).pipe(settleMap(project, { retryDelaySeconds }));
    expect(await queues.run(lastValueFrom(results, { defaultValue: 0 }))).toBe(0);
    expect((await queues.run(consumer.closed)).lastError).toMatchObject({ message });
    queues.expectGone();
  });

  it('asks for no delay where the work has settled by hand', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    const retryDelaySeconds = vi.fn<() => number>(() => 9);
    await workOff(
      queues,
      async (message) => {
        if (message.attempts > 1) return;
        void message.retry({ delaySeconds: 3 });
        throw new Error('no');
      },
      { retryDelaySeconds },
    );
    expect(retryDelaySeconds).not.toHaveBeenCalled();
    expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 3 }]);
  });

  it('lets a settlement by hand win', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    await workOff(queues, async (message) => {
      void message.retry({ delaySeconds: 3 });
    });
    expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 3 }]);
    expect(queues.entries('acked')).toEqual([]);
  });

  it.each([1, 4])('works on %i at once', async (concurrency) => {
    const queues = openTwoQueues();
    queues.fill(30);
    let running = 0;
    let most = 0;
    await workOff(
      queues,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await queues.wait(10);
        running -= 1;
      },
      { concurrency },
    );
    expect(most).toBe(concurrency);
  });

  it('begins no work on a message whose lease ended while it waited for its turn', async () => {
    const queues = openTwoQueues();
    queues.fill(60);
    const left: number[] = [];
    const messages = toObservable(queues.jobs, { visibilityTimeoutMs: 1_000, onEvent: () => undefined, ...untilEmpty });
    let works = 0;
    const work = settleMap(
      async (message: LeasedMessage) => {
        left.push(message.leaseRemainingMs);
        works += 1;
        // The window has grown when the handler suddenly stalls.
        await queues.wait(works === 20 ? 1_500 : 10);
      },
      { concurrency: 1 },
    );
    await queues.run(lastValueFrom(messages.pipe(work, toArray())));
    expect(Math.min(...left)).toBeGreaterThan(0);
    expect(queues.entries('expired').length).toBeGreaterThan(1);
    expect(queues.broker.isEmpty('jobs')).toBe(true);
  });

  it('aborts the signals of running work on unsubscribe, and gives all its messages back at once', async () => {
    const queues = openTwoQueues();
    queues.fill(100);
    const signals: AbortSignal[] = [];
    let finished = 0;
    const subscription = toObservable(queues.jobs)
      .pipe(
        settleMap(
          ({ signal }) => {
            signals.push(signal);
            finished += 1;
            return finished <= 20 ? of(1) : NEVER;
          },
          { concurrency: 5 },
        ),
      )
      .subscribe();
    await queues.clock.advance(1_000);
    subscription.unsubscribe();
    expect(signals.slice(20).map(({ aborted }) => aborted)).toEqual([true, true, true, true, true]);
    await queues.clock.advance(100);
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 80, leased: 0, delayed: 0 });
    queues.expectGone();
  });

  it('acknowledges the message whose result ends the stream', async () => {
    const queues = openTwoQueues();
    queues.fill(10);
    const first = firstValueFrom(from(queues.jobs).pipe(settleMap(async ({ body }) => body)));
    expect(await queues.run(first)).toBe(0);
    await queues.clock.advance(100);
    expect(queues.entries('acked')).toHaveLength(1);
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 9, leased: 0 });
  });

  it('gives back the message whose result ends the stream although its work goes on', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    const work = settleMap(() => of(1, 2).pipe(mergeMap((result) => (result === 1 ? of(1) : NEVER))));
    expect(await queues.run(firstValueFrom(from(queues.jobs).pipe(work)))).toBe(1);
    await queues.clock.advance(100);
    expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 0 }]);
  });

  it.each([
    [() => settleMap(1 as never), /'project' must be a function/],
    [() => settleMap(() => of(1), { concurrency: 0 }), /'concurrency' must be an integer of 1 or more/],
    [() => settleMap(() => of(1), { retryDelaySeconds: -1 }), /'retryDelaySeconds' must be an integer in 0..86400/],
  ])('refuses wrong arguments at once: %s', (make, message) => {
    expect(make).toThrow(message);
  });
});

describe('rxjs.from()', () => {
  it('of a queue settles nothing by itself', async () => {
    const queues = openTwoQueues();
    queues.fill(30);
    const seen: unknown[] = [];
    const subscription = from(queues.jobs)
      .pipe(mergeMap(async (message) => seen.push(message.body)))
      .subscribe();
    await queues.clock.advance(5_000);
    subscription.unsubscribe();
    await queues.clock.advance(5_000);
    expect(seen.length).toBeGreaterThan(0);
    expect(queues.entries('acked')).toEqual([]);
    queues.expectGone();
  });

  it('of a queue, with mergeMap(fn, 1) and ack() in fn: no early ack, at most the bound leased', async () => {
    const queues = openTwoQueues();
    queues.fill(50);
    const ends = new Map<string, number>();
    const consumer = queues.jobs.consume();
    const unstarted: number[] = [];
    const bounds: number[] = [];
    queues.jobsCalls.faults = (method) => {
      if (method === 'pull') {
        unstarted.push(consumer.stats.buffered);
        bounds.push(Math.max(1, 4 * ends.size));
      }
      return undefined;
    };
    const work = from(consumer).pipe(
      mergeMap(async (message) => {
        await queues.wait(20);
        ends.set(message.id, queues.clock.now());
        await message.ack();
      }, 1),
      take(50),
    );
    await queues.run(lastValueFrom(work));
    expect(queues.entries('acked')).toHaveLength(50);
    for (const { messageId, at } of queues.entries('acked')) expect(at).toBeGreaterThanOrEqual(ends.get(messageId)!);
    expect(queues.entries('delivered')).toHaveLength(50);
    // Before the first has ended one is asked for, then at most four for each that has.
    const asked = queues.jobsCalls.of('pull').map(({ ask }, index) => ask + (unstarted[index] ?? 0));
    expect(asked.length).toBeGreaterThan(3);
    asked.forEach((count, index) => expect(count).toBeLessThanOrEqual(bounds[index] ?? 0));
  });

  it('of a consumer, with filter() that forgets to settle, goes on after the lease, counts, and warns once', async () => {
    const queues = openTwoQueues();
    queues.fill(20);
    const consumer = queues.jobs.consume({ visibilityTimeoutMs: 1_000 });
    const seen: number[] = [];
    from(consumer)
      .pipe(filter(({ body, attempts }) => Number(body) % 2 === 1 || attempts > 1))
      .subscribe((message) => {
        seen.push(Number(message.body));
        void message.ack();
      });
    await queues.clock.advance(60_000);
    expect(new Set(seen).size).toBe(20);
    expect(consumer.stats).toMatchObject({ abandoned: 10, acked: 20, inFlight: 0 });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(/settleMap\(\)/);
    await queues.run(consumer.close());
    queues.expectGone();
  });

  it('of a consumer completes when that closes, and can be done once', async () => {
    const queues = openTwoQueues();
    queues.fill(3);
    const consumer = queues.jobs.consume();
    const all = lastValueFrom(
      from(consumer).pipe(
        settleMap(async ({ body }) => body),
        toArray(),
      ),
    );
    await queues.clock.advance(100);
    await expect(lastValueFrom(from(consumer))).rejects.toThrow(/twice/);
    expect(() => consumer[Symbol.asyncIterator]()).toThrow(TypeError);
    expect(await queues.run(consumer.close())).toMatchObject({ reason: 'closed', acked: 3 });
    expect(await all).toEqual([0, 1, 2]);
  });

  it('of a consumer that closes lets what gathers messages give what it has', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    const consumer = queues.jobs.consume();
    const all = lastValueFrom(from(consumer).pipe(toArray()));
    await queues.clock.advance(100);
    const closed = consumer.close();
    const [message] = await queues.run(all);
    void message?.ack();
    const startedAt = queues.clock.now();
    expect(await queues.run(closed)).toMatchObject({ acked: 1, abandoned: 0 });
    expect(queues.clock.now() - startedAt).toBeLessThan(100);
  });

  it('of a batch consumer gives batches', async () => {
    const queues = openTwoQueues();
    queues.fill(25);
    const sizes: number[] = [];
    const batches = from(queues.jobs.batches({ size: 10, maxWaitMs: 100, ...untilEmpty })).pipe(
      mergeMap(async (batch) => {
        sizes.push(batch.messages.length);
        await batch.ackAll();
      }),
    );
    await queues.run(lastValueFrom(batches));
    expect(sizes).toEqual([10, 10, 5]);
    expect(queues.broker.isEmpty('jobs')).toBe(true);
  });

  it('of a queue that can not be read errors', async () => {
    const queues = openTwoQueues();
    queues.jobsCalls.faults = () => 'unauthorized';
    const error = await queues.run(lastValueFrom(from(queues.jobs)).catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code: 'unauthorized' });
  });

  it('can be left within the first message', async () => {
    const queues = openTwoQueues();
    queues.fill(10);
    const message = await queues.run(firstValueFrom(from(queues.jobs)));
    const settlement = message.ack();
    await queues.clock.advance(2_000);
    expect(await settlement).toEqual({ outcome: 'acked', late: false });
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 9, leased: 0 });
    queues.expectGone();
  });
});

describe('unsubscribing', () => {
  it('gives back what a pull under way brings', async () => {
    const queues = openTwoQueues();
    queues.fill(10);
    queues.jobsCalls.latencyMs = 400;
    const subscription = toObservable(queues.jobs, { minInFlight: 10 }).subscribe();
    await queues.clock.advance(100);
    expect(queues.jobsCalls.underWay).toBe(1);
    subscription.unsubscribe();
    await queues.clock.advance(300);
    expect(queues.broker.inspect('jobs').counts.leased).toBeGreaterThan(0);
    await queues.clock.advance(1_000);
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 10, leased: 0 });
    queues.expectGone();
  });
});

describe('toObservable()', () => {
  it('is cold: it pulls for each subscription, and not before', async () => {
    const queues = openTwoQueues();
    queues.fill(4);
    const results = toObservable(queues.jobs, untilEmpty).pipe(
      settleMap(async ({ body }) => body),
      take(2),
      toArray(),
    );
    await queues.clock.advance(1_000);
    expect(queues.jobsCalls.calls).toEqual([]);
    expect(await queues.run(lastValueFrom(results))).toEqual([0, 1]);
    await queues.clock.advance(100);
    expect(await queues.run(lastValueFrom(results))).toEqual([2, 3]);
  });

  it('takes a consumer, which has its options', async () => {
    const queues = openTwoQueues();
    queues.fill(2);
    const consumer = queues.jobs.consume(untilEmpty);
    expect(() => toObservable(consumer, { maxInFlight: 3 })).toThrow(/give them to consume\(\)/);
    await queues.run(lastValueFrom(toObservable(consumer).pipe(settleMap(async () => 1))));
    expect(consumer.stats.acked).toBe(2);
  });

  it('takes nothing else', () => {
    expect(() => toObservable(from([1]) as never)).toThrow(/'source' must be a queue of openQueue\(\) or a consumer/);
  });

  it('paces by what is settled in time', async () => {
    const queues = openTwoQueues();
    queues.fill(200);
    const out: number[] = [];
    let inHand = 0;
    const settled = toObservable(queues.jobs, { visibilityTimeoutMs: 1_000, maxInFlight: 20, ...untilEmpty }).pipe(
      mergeMap(async (message) => {
        inHand += 1;
        out.push(inHand);
        await queues.wait(50);
        inHand -= 1;
        await message.ack();
      }),
    );
    await queues.run(lastValueFrom(settled));
    expect(out[0]).toBe(1);
    expect(Math.max(...out)).toBe(20);
  });

  it('can be mixed with what never ends', async () => {
    const queues = openTwoQueues();
    queues.fill(3);
    const values = toObservable(queues.jobs).pipe(
      settleMap(({ body }) =>
        interval(10).pipe(
          take(2),
          map((tick) => `${String(body)}.${tick}`),
        ),
      ),
      take(6),
      toArray(),
    );
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const all = lastValueFrom(values);
    for (let turn = 0; turn < 20; turn += 1) {
      await queues.clock.advance(10);
      await vi.advanceTimersByTimeAsync(10);
    }
    vi.useRealTimers();
    expect((await all).toSorted()).toEqual(['0.0', '0.1', '1.0', '1.1', '2.0', '2.1']);
  });
});

describe("the method '@@observable'", () => {
  it('is there where nothing defines Symbol.observable, and is not listed', () => {
    const { jobs } = openTwoQueues();
    for (const target of [jobs, jobs.consume(), jobs.batches()]) {
      expect(target).toHaveProperty('@@observable');
      expect(Object.keys(target)).not.toContain('@@observable');
    }
  });

  it('is there under Symbol.observable, once something has defined that', () => {
    const { jobs } = openTwoQueues();
    const targets = [jobs, jobs.consume(), jobs.batches(), (jobs as unknown as Interop)['@@observable']()];
    const observable = Symbol('observable');
    expect(targets.filter((target) => observable in target)).toEqual([]);
    Object.defineProperty(Symbol, 'observable', { value: observable, configurable: true });
    try {
      for (const target of targets) {
        expect(observable in target).toBe(true);
        expect(Reflect.get(target, observable)).toBe((target as unknown as Interop)['@@observable']);
        expect(Reflect.get(target, Symbol('observable'))).toBeUndefined();
      }
    } finally {
      Reflect.deleteProperty(Symbol, 'observable');
    }
  });

  interface Interop {
    '@@observable'(): { subscribe(observer: unknown): { closed: boolean; unsubscribe(): void } };
  }

  it('gives what any library can subscribe to, with a function or an observer', async () => {
    const queues = openTwoQueues();
    queues.fill(2);
    const seen: unknown[] = [];
    const consumer = queues.jobs.consume() as unknown as Interop;
    const subscription = consumer['@@observable']().subscribe((message: LeasedMessage) => {
      seen.push(message.body);
      void message.ack();
    });
    await queues.clock.advance(100);
    expect(seen).toEqual([0, 1]);
    expect(subscription.closed).toBe(false);
    subscription.unsubscribe();
    expect(subscription.closed).toBe(true);
    await queues.clock.advance(1_000);
    queues.expectGone();
    const again = (queues.jobs as unknown as Interop)['@@observable']();
    expect((again as unknown as Interop)['@@observable']()).toBe(again);
  });

  it('tells an observer of the end', async () => {
    const queues = openTwoQueues();
    const complete = vi.fn<() => void>();
    const consumer = queues.jobs.consume(untilEmpty);
    const subscription = (consumer as unknown as Interop)['@@observable']().subscribe({ complete });
    await queues.run(consumer.closed);
    expect(complete).toHaveBeenCalledTimes(1);
    expect(subscription.closed).toBe(true);
  });

  it('lets what an observer throws reach the host, and goes on', async () => {
    const queues = openTwoQueues();
    queues.fill(2);
    const uncaught = vi.fn<(error: unknown) => void>();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', uncaught);
    const seen: unknown[] = [];
    const consumer = queues.jobs.consume(untilEmpty);
    (consumer as unknown as Interop)['@@observable']().subscribe({
      next(message: LeasedMessage) {
        seen.push(message.body);
        void message.ack();
        throw new Error(`no ${String(message.body)}`);
      },
    });
    await queues.run(consumer.closed);
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
    expect(seen).toEqual([0, 1]);
    expect(uncaught.mock.calls.map(([error]) => (error as Error).message)).toEqual(['no 0', 'no 1']);
  });
});
