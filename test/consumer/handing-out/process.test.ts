import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import { DeliveredMessage } from '../../../src/consumer/handing-out/delivered-message.ts';
import {
  type ConsumerEvent,
  encodeBody,
  type LeasedMessage,
  type ProcessOptions,
  type QueueError,
  type Settlement,
} from '../../../src/index.ts';
import { openJobs, queueError, rejection } from '../jobs.ts';

const untilEmpty = { stopWhenEmpty: true } as const;

describe('process()', () => {
  it('acknowledges each message when its handler has fulfilled, and not before', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3);
    const seen: unknown[] = [];
    const summary = await jobs.run(
      jobs.queue.process(async ({ id, body }) => {
        await jobs.wait(500);
        expect(jobs.entries('acked').map(({ messageId }) => messageId)).not.toContain(id);
        seen.push(body);
      }, untilEmpty),
    );
    expect(seen).toEqual([1, 2, 3]);
    expect(summary).toMatchObject({ reason: 'empty', delivered: 3, acked: 3, inFlight: 0, buffered: 0, lost: 0 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('runs as many handlers at once as it may, and no more', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 40 }, (_, n) => n));
    let running = 0;
    let most = 0;
    const start = jobs.clock.now();
    await jobs.run(
      jobs.queue.process(
        async () => {
          running += 1;
          most = Math.max(most, running);
          await jobs.wait(1_000);
          running -= 1;
        },
        { ...untilEmpty, concurrency: 8 },
      ),
    );
    expect(most).toBe(8);
    // Five rounds of eight, and what polling adds at the end.
    expect(jobs.clock.now() - start).toBeLessThan(5_500);
  });

  it('gives the event loop a turn after some milliseconds of handlers that compute', async () => {
    const jobs = openJobs({}, { latencyMs: 5 });
    jobs.push(...Array.from({ length: 200 }, (_, n) => n));
    let keptSince: number | undefined;
    let longestMs = 0;
    const compute = (): void => {
      if (keptSince === undefined) {
        keptSince = jobs.clock.now();
        jobs.clock.setTimer(() => {
          keptSince = undefined;
        }, 0);
      }
      // What computes keeps the timers from firing, as a sleep does.
      jobs.clock.suspend(4);
      longestMs = Math.max(longestMs, jobs.clock.now() - keptSince);
    };
    const summary = await jobs.run(jobs.queue.process(compute, { ...untilEmpty, concurrency: 100 }));
    expect(summary).toMatchObject({ delivered: 200, acked: 200 });
    expect(longestMs).toBeGreaterThan(10);
    expect(longestMs).toBeLessThan(50);
  });

  it('gives the event loop a turn after a hundred handlers that end at once', async () => {
    // Hundreds are let through together, when it is known that handlers take no time.
    let open = (): void => undefined;
    const isOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    const gate = v.pipeAsync(
      v.number(),
      v.checkAsync(async (body) => body < 200 || (await isOpen.then(() => true))),
    );
    const jobs = openJobs<number>({}, { latencyMs: 5, schema: gate });
    jobs.push(...Array.from({ length: 1_000 }, (_, n) => n));
    let together = 0;
    let most = 0;
    const end = (): void => {
      if (together === 0) {
        jobs.clock.setTimer(() => {
          together = 0;
        }, 0);
      }
      together += 1;
      most = Math.max(most, together);
    };
    const done = jobs.queue.process(end, untilEmpty);
    await jobs.clock.advance(5_000);
    open();
    expect(await jobs.run(done)).toMatchObject({ delivered: 1_000, acked: 1_000 });
    // The engine's own turn comes first once more.
    expect(most).toBeLessThanOrEqual(200);
  });

  it('retries a message whose handler rejects or throws, with the growing delay, and goes on', async () => {
    const jobs = openJobs();
    jobs.push('rejects', 'throws', 'works');
    const events: ConsumerEvent[] = [];
    const failure = new Error('handler failed');
    const handler = ({ body, attempts }: LeasedMessage): Promise<void> => {
      if (attempts > 1 || body === 'works') return Promise.resolve();
      if (body === 'throws') throw failure;
      return Promise.reject(failure);
    };
    const summary = await jobs.run(
      jobs.queue.process(handler, { stopWhenEmpty: { forMs: 10_000 }, onEvent: (event) => events.push(event) }),
    );
    // random() is 0.5, so that of 2^1 seconds 1.5 are left.
    expect(jobs.entries('retried').map(({ delaySeconds }) => delaySeconds)).toEqual([2, 2]);
    expect(summary).toMatchObject({ delivered: 5, acked: 3, retried: 2, lastError: failure });
    expect(events.map(({ type }) => type)).toEqual(['handlerFailed', 'handlerFailed']);
    expect(events[0]).toMatchObject({ error: failure, message: { attempts: 1 } });
  });

  it.each([
    ['a number', 7, 7],
    [
      'a function of message and error',
      (message: LeasedMessage, error: unknown) => (message.attempts + Number(error)) * 10,
      60,
    ],
    ['a function that gives no delay, in place of which the default stands', () => Number.NaN, 2],
    [
      'a function that throws, in place of which the default stands',
      () => {
        throw new Error('no idea');
      },
      2,
    ],
  ])('takes retryDelaySeconds as %s', async (_, retryDelaySeconds, expected) => {
    const jobs = openJobs();
    jobs.push('x');
    const abort = new AbortController();
    const done = jobs.queue.process(
      () => {
        abort.abort();
        // Whatever is thrown is passed on as it is.
        const reason: unknown = 5;
        throw reason;
      },
      { retryDelaySeconds, signal: abort.signal },
    );
    expect((await jobs.run(done)).reason).toBe('aborted');
    expect(jobs.entries('retried').map(({ delaySeconds }) => delaySeconds)).toEqual([expected]);
  });

  it('lets what the handler settles by hand win, and the first over the later', async () => {
    const jobs = openJobs();
    jobs.push('retried', 'acked');
    const outcomes: Settlement[] = [];
    const abort = new AbortController();
    const done = jobs.queue.process(
      async (message) => {
        const first = message.body === 'acked' ? message.ack() : message.retry({ delaySeconds: 60 });
        outcomes.push(await first, await message.ack());
        if (outcomes.length === 4) abort.abort();
        throw new Error('after it was settled');
      },
      { signal: abort.signal },
    );
    await jobs.run(done);
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['acked', 'acked', 'retried', 'retried']);
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 60 }]);
    expect(jobs.entries('acked')).toHaveLength(1);
  });

  it('hands the handler a signal that aborts when the lease ends, and still sends the ack of finished work', async () => {
    const jobs = openJobs();
    jobs.push('slow');
    const reasons: unknown[] = [];
    const outcomes: Settlement[] = [];
    await jobs.run(
      jobs.queue.process(
        async (message, signal) => {
          expect(signal).toBe(message.signal);
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          await jobs.wait(2_500);
          outcomes.push(await message.ack());
        },
        { ...untilEmpty, visibilityTimeoutMs: 2_000, concurrency: 1 },
      ),
    );
    expect(reasons).toMatchObject([{ name: 'QueueError', code: 'lease-expired' }]);
    expect(outcomes).toEqual([{ outcome: 'acked', late: true }]);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  const mine = new AbortController().signal;
  let given: unknown;
  const handlers = {
    '(message, signal)': (_message: unknown, signal: AbortSignal) => void (given = signal),
    '(...all)': (...all: readonly unknown[]) => void (given = all[1]),
    '(message)': (_message: unknown) => void (given = undefined),
    '(message, ...rest)': (_message: unknown, ...rest: readonly unknown[]) => void (given = rest[0]),
    '(message, signal = mine)': (_message: unknown, signal = mine) => void (given = signal),
    '()': () => void (given = undefined),
    'async ()': async () => {
      await Promise.resolve();
      given = undefined;
    },
    'function ()': function handler(): void {
      // oxlint-disable-next-line prefer-rest-params
      given = arguments[1];
    },
    '(message = mine, signal)': (_message: unknown = mine, signal?: AbortSignal) => void (given = signal),
    'a mock': vi.fn((...all: readonly unknown[]) => void (given = all[1])),
    'a proxy of ()': new Proxy(() => undefined, {
      apply: (_target, _self, all: readonly unknown[]) => void (given = all[1]),
    }),
  };
  it.each([
    ['(message, signal)', expect.any(AbortSignal), 1],
    ['(...all)', expect.any(AbortSignal), 1],
    ['(message)', undefined, 0],
    ['(message, ...rest)', undefined, 0],
    ['(message, signal = mine)', mine, 0],
    ['()', undefined, 0],
    ['async ()', undefined, 0],
    ['function ()', expect.any(AbortSignal), 1],
    ['(message = mine, signal)', expect.any(AbortSignal), 1],
    ['a mock', expect.any(AbortSignal), 1],
    ['a proxy of ()', expect.any(AbortSignal), 1],
  ] as const)('makes a signal only for a handler that may see it: %s', async (form, expected, times) => {
    const asked = vi.spyOn(DeliveredMessage.prototype, 'signal', 'get');
    const jobs = openJobs();
    jobs.push(1);
    await jobs.run(jobs.queue.process(handlers[form], untilEmpty));
    expect(given).toEqual(expected);
    expect(asked).toHaveBeenCalledTimes(times);
  });

  it('never has two handlers of one message: a repeated delivery replaces the lease of the first', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push('long');
    let running = 0;
    const leaseIds = new Set<string>();
    const summary = await jobs.run(
      jobs.queue.process(
        async (message) => {
          running += 1;
          expect(running).toBe(1);
          for (let elapsed = 0; elapsed < 7_000; elapsed += 100) {
            leaseIds.add(message.leaseId);
            await jobs.wait(100);
          }
          running -= 1;
        },
        { ...untilEmpty, visibilityTimeoutMs: 2_000, concurrency: 3, maxRetries: 50 },
      ),
    );
    expect(leaseIds.size).toBeGreaterThan(1);
    expect(summary).toMatchObject({ delivered: 1, acked: 1, swapped: leaseIds.size - 1 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('ends with the error that trying again can not help', async () => {
    const jobs = openJobs();
    const error = queueError('unauthorized', { status: 401 });
    jobs.transport.fail('pull', error);
    expect(await jobs.run(rejection(jobs.queue.process(() => undefined)))).toBe(error);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('waits for its handlers when its signal aborts, and hands out nothing more', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 30 }, (_, n) => n));
    const abort = new AbortController();
    let finished = 0;
    const summary = await jobs.run(
      jobs.queue.process(
        async () => {
          abort.abort();
          await jobs.wait(3_000);
          finished += 1;
        },
        { concurrency: 5, signal: abort.signal },
      ),
    );
    expect(summary.reason).toBe('aborted');
    expect(summary.delivered).toBe(finished);
    expect(summary.acked).toBe(finished);
    expect(jobs.broker.inspect('jobs').counts).toMatchObject({ leased: 0, total: 30 - finished });
  });

  it('abandons a handler that never returns a second after its lease ended', async () => {
    const jobs = openJobs();
    jobs.push('hangs');
    const abort = new AbortController();
    const settlements: Array<Promise<Settlement>> = [];
    const messages: LeasedMessage[] = [];
    const summary = await jobs.run(
      jobs.queue.process(
        (message) => {
          messages.push(message);
          abort.abort();
          return new Promise(() => undefined);
        },
        { visibilityTimeoutMs: 2_000, signal: abort.signal },
      ),
    );
    expect(summary).toMatchObject({ reason: 'aborted', delivered: 1, abandoned: 1, inFlight: 0 });
    for (const message of messages) settlements.push(message.ack());
    expect(await Promise.all(settlements)).toMatchObject([{ outcome: 'lost', error: { code: 'closed' } }]);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it.each([
    [{ concurrency: 0 }, RangeError, "'concurrency' must be an integer of 1 or more: current value is 0"],
    [{ concurrency: 300 }, RangeError, "'concurrency' must be at most 'maxInFlight', 200: current value is 300"],
    [{ retryDelaySeconds: -1 }, RangeError, "'retryDelaySeconds' must be an integer in 0..86400: current value is -1"],
    [{ visibilityTimeoutMs: 5 }, RangeError, "'visibilityTimeoutMs' must be an integer in 100..43200000"],
  ])('refuses %o', async (options, type, text) => {
    const error = await rejection(openJobs().queue.process(() => undefined, options));
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toContain(text);
  });
});

describe('a handler', () => {
  it('that fails with no error at all has its message retried, and an error seen', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const nothing: unknown = undefined;
    const work = ({ attempts }: LeasedMessage): Promise<void> =>
      attempts === 1 ? Promise.reject(nothing) : Promise.resolve();
    const summary = await jobs.run(jobs.queue.process(work, { stopWhenEmpty: { forMs: 60_000 } }));
    expect(summary).toMatchObject({ acked: 1, retried: 1, lastError: expect.any(Error) });
  });

  it('has ended when what it gave has settled, be that a function with a method then', async () => {
    const jobs = openJobs();
    jobs.push('good', 'bad');
    const ended: unknown[] = [];
    const handler = (message: LeasedMessage): unknown =>
      Object.assign(() => undefined, {
        // oxlint-disable-next-line unicorn/no-thenable -- such are what remote procedure calls give
        then: (resolve: () => void, reject: (error: Error) => void) => {
          void jobs.wait(100).then(() => {
            expect(jobs.entries('acked').map(({ messageId }) => messageId)).not.toContain(message.id);
            ended.push(message.body);
            if (message.body === 'bad') reject(new Error('bad'));
            else resolve();
          });
        },
      });
    const summary = await jobs.run(jobs.queue.process(handler, untilEmpty));
    expect(ended).toEqual(['good', 'bad']);
    expect(summary).toMatchObject({ acked: 1, retried: 1 });
  });

  it('has failed when what it gave throws as it is looked at', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(await jobs.run(jobs.queue.process(() => proxy, untilEmpty))).toMatchObject({ acked: 0, retried: 1 });
  });
});

describe('message.deadLetter()', () => {
  it('acknowledges once the push to the other queue is confirmed, whatever else is called meanwhile', async () => {
    const jobs = openJobs();
    const events: ConsumerEvent[] = [];
    const morgue = openJobs();
    jobs.push({ n: 1 });
    const outcomes: Settlement[] = [];
    let pushed: unknown;
    await jobs.run(
      jobs.queue.process(
        async (message) => {
          const queue = {
            send: async (body: unknown) => {
              await jobs.wait(100);
              expect(jobs.entries('acked')).toEqual([]);
              pushed = body;
            },
          };
          const moved = message.deadLetter(queue, { reason: 'no good' });
          void message.retry();
          outcomes.push(await moved, await message.deadLetter(morgue.queue));
        },
        { ...untilEmpty, onEvent: (event) => events.push(event) },
      ),
    );
    expect(pushed).toEqual(encodeBody({ n: 1 }));
    expect(outcomes).toEqual([
      { outcome: 'acked', late: false },
      { outcome: 'acked', late: false },
    ]);
    expect(events).toMatchObject([{ type: 'deadLettered', reason: 'no good' }]);
    expect(morgue.entries('pushed')).toEqual([]);
  });

  it('pushes what was pulled, not what a schema made of it', async () => {
    const schema = v.pipe(
      v.object({ at: v.string() }),
      v.transform(({ at }) => new Map([['at', new Date(at)]])),
    );
    const jobs = openJobs({}, { schema });
    const pushed: unknown[] = [];
    const morgue = { send: async (body: unknown) => void pushed.push(body) };
    jobs.push({ at: '2026-01-02T03:04:05.000Z' });
    const done = jobs.queue.process((message) => {
      expect(message.body.get('at')).toBeInstanceOf(Date);
      return message.deadLetter(morgue);
    }, untilEmpty);
    await jobs.run(done);
    expect(pushed).toEqual([encodeBody({ at: '2026-01-02T03:04:05.000Z' })]);
    expect(jobs.entries('acked')).toHaveLength(1);
  });

  it('can not push bytes: the message stays', async () => {
    const jobs = openJobs();
    const morgue = openJobs();
    jobs.broker.push('jobs', { body: new Uint8Array([1, 2]), contentType: 'bytes' });
    const abort = new AbortController();
    const outcomes: Settlement[] = [];
    const done = jobs.queue.process(
      async (message) => {
        abort.abort();
        outcomes.push(await message.deadLetter(morgue.queue));
      },
      { signal: abort.signal },
    );
    await jobs.run(done);
    expect(outcomes).toMatchObject([{ outcome: 'lost', error: { message: /HTTP push takes/u } }]);
    expect(jobs.entries('retried')).toHaveLength(1);
    expect(morgue.entries('pushed')).toEqual([]);
  });

  it('retries the message when the push fails, and says why', async () => {
    const jobs = openJobs();
    jobs.push('x');
    const error = queueError('queue-unavailable');
    const outcomes: Settlement[] = [];
    const abort = new AbortController();
    const done = jobs.queue.process(
      async (message) => {
        abort.abort();
        outcomes.push(await message.deadLetter({ send: () => Promise.reject(error) }));
      },
      { signal: abort.signal },
    );
    await jobs.run(done);
    expect(outcomes).toEqual([{ outcome: 'lost', error }]);
    expect(jobs.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
  });

  it('reports a push that failed, and retries the message', async () => {
    const jobs = openJobs();
    jobs.push('one');
    const events: ConsumerEvent[] = [];
    const error = queueError('not-found');
    const handler = async (message: LeasedMessage): Promise<void> => {
      if (message.attempts === 1)
        expect(await message.deadLetter({ send: () => Promise.reject(error) })).toEqual({ outcome: 'lost', error });
    };
    const summary = await jobs.run(
      jobs.queue.process(handler, { stopWhenEmpty: { forMs: 10_000 }, onEvent: (event) => events.push(event) }),
    );
    expect(events).toMatchObject([{ type: 'deadLetterFailed', message: { attempts: 1 }, error }]);
    expect(summary).toMatchObject({ retried: 1, acked: 1, lastError: error });
  });

  it.each([undefined, 'a name', {}])('refuses %o for a queue at once, and the message stays', async (queue) => {
    const jobs = openJobs();
    jobs.push('one');
    const handler = (message: LeasedMessage): Promise<unknown> | undefined =>
      message.attempts === 1 ? message.deadLetter(queue as never) : undefined;
    const summary = await jobs.run(jobs.queue.process(handler, { stopWhenEmpty: { forMs: 10_000 } }));
    expect(summary).toMatchObject({ retried: 1, acked: 1 });
    expect(summary.lastError).toBeInstanceOf(TypeError);
    expect(String(summary.lastError)).toContain("'queue' must be a queue of openQueue()");
  });

  it('has a message pushed once, also when nobody waits for a push that outlasts the lease', async () => {
    const jobs = openJobs({ maxRetries: 100 });
    jobs.push('one');
    let sent = 0;
    const morgue = {
      send: async () => {
        await jobs.wait(3_000);
        sent += 1;
      },
    };
    const end = new AbortController();
    let runs = 0;
    const handler = (message: LeasedMessage): void => {
      runs += 1;
      void message.deadLetter(morgue);
    };
    const done = jobs.queue.process(handler, { visibilityTimeoutMs: 1_000, maxRetries: 100, signal: end.signal });
    await jobs.run(jobs.wait(20_000));
    end.abort();
    expect(await jobs.run(done)).toMatchObject({ delivered: 1, acked: 1, inFlight: 0, lost: 0 });
    expect({ runs, sent }).toEqual({ runs: 1, sent: 1 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });
});

describe('a message that is retried by hand while its handler runs on', () => {
  const openHandler = (jobs: ReturnType<typeof openJobs>, runsOnMs: number) => {
    const starts: Array<{ body: unknown; attempts: number; at: number }> = [];
    const handler = async (message: LeasedMessage): Promise<void> => {
      starts.push({ body: message.body, attempts: message.attempts, at: jobs.clock.monotonic() });
      if (message.body !== 'again' || message.attempts > 1) return;
      void message.retry({ delaySeconds: 0 });
      await jobs.wait(runsOnMs);
    };
    return { starts, handler };
  };

  it('uses up no attempts while it waits for that handler', async () => {
    const jobs = openJobs({ maxRetries: 3 });
    jobs.push('again');
    const { starts, handler } = openHandler(jobs, 10_000);
    const end = new AbortController();
    const done = jobs.queue.process(handler, { concurrency: 2, signal: end.signal, visibilityTimeoutMs: 2_000 });
    await jobs.run(jobs.wait(60_000));
    end.abort();
    await jobs.run(done);
    expect(jobs.entries('removed')).toEqual([]);
    expect(jobs.entries('acked')).toHaveLength(1);
    expect(starts).toHaveLength(2);
  });

  it('keeps no idle handler from other messages', async () => {
    const jobs = openJobs({ maxRetries: 100 });
    jobs.push('again');
    const { starts, handler } = openHandler(jobs, 100_000);
    const end = new AbortController();
    const done = jobs.queue.process(handler, { concurrency: 2, signal: end.signal, maxRetries: 100 });
    await jobs.run(jobs.wait(2_000));
    const others = Array.from({ length: 20 }, (_, n) => `m${n}`);
    jobs.push(...others);
    const pushedAt = jobs.clock.monotonic();
    await jobs.run(jobs.wait(15_000));
    const seen = starts.filter(({ body }) => body !== 'again');
    expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(others));
    expect(seen).toHaveLength(20);
    expect((seen[0]?.at ?? Infinity) - pushedAt).toBeLessThanOrEqual(10_000);
    end.abort();
    await jobs.run(done);
  });
});

describe('the delay that a function gives', () => {
  const delayOf = async (delay: unknown): Promise<{ delaySeconds: unknown; events: ConsumerEvent[] }> => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    const events: ConsumerEvent[] = [];
    const abort = new AbortController();
    const closed = jobs.queue.process(() => Promise.reject(new Error('no')), {
      retryDelaySeconds: () => delay as number,
      signal: abort.signal,
      onEvent: (event) => void events.push(event),
    });
    await jobs.clock.advance(100);
    abort.abort();
    await jobs.run(closed);
    return { delaySeconds: jobs.transport.settled[0]?.retries[0]?.delaySeconds, events };
  };

  it.each([
    [5 ** 2 + 22.2, 47],
    [0.4, 1],
    [-3, 0],
    [1e9, 86_400],
    [Infinity, 86_400],
  ])('is rounded and brought into its range: %d is %i', async (given, delaySeconds) => {
    const { delaySeconds: sent, events } = await delayOf(given);
    expect(sent).toBe(delaySeconds);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['handlerFailed']));
  });

  it.each([Number.NaN, '5', undefined])('is the default, and told of, when it is no number: %s', async (given) => {
    const { delaySeconds, events } = await delayOf(given);
    expect(delaySeconds).toBe(2);
    expect(events.at(-1)).toMatchObject({
      type: 'callbackFailed',
      callback: 'retryDelaySeconds',
      message: { attempts: 1 },
    });
  });
});

describe('a handler that never ends', () => {
  /** Of 100 messages, every tenth hangs. */
  async function hang(options: ProcessOptions) {
    const jobs = openJobs<number>({ maxRetries: 3, deadLetterQueue: 'dead' });
    jobs.push(...Array.from({ length: 100 }, (_, body) => body));
    const events: ConsumerEvent[] = [];
    const reasons: unknown[] = [];
    const done = new Set<number>();
    const abort = new AbortController();
    const closed = jobs.queue.process(
      async ({ body, signal }) => {
        if (body % 10 === 0) {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          await new Promise(() => undefined);
        }
        done.add(body);
      },
      { ...options, signal: abort.signal, onEvent: (event) => void events.push(event) },
    );
    await jobs.clock.advance(1_000_000);
    const seen = { done: done.size, events, reasons, jobs };
    abort.abort();
    await jobs.run(closed);
    expect(jobs.clock.pendingTimers).toBe(0);
    return seen;
  }

  it('is told of when all are past their leases', async () => {
    const { done, events } = await hang({});
    expect(done).toBeLessThan(90);
    expect(events.filter(({ type }) => type === 'overdue')).toHaveLength(10);
    expect(events.filter(({ type }) => type === 'stalled')).toEqual([{ type: 'stalled', handlers: 10 }]);
  });

  it('gives its place to others, and its message a retry, after handlerTimeoutMs', async () => {
    const { done, events, reasons } = await hang({ handlerTimeoutMs: 10_000 });
    expect(done).toBe(90);
    const failures = events.filter((event) => event.type === 'handlerFailed');
    expect(failures.map(({ error }) => (error as QueueError).code)).toEqual(
      Array.from({ length: 40 }, () => 'timeout'),
    );
    expect(reasons.slice(0, 40)).toEqual(failures.map(({ error }) => error));
    expect(events.some(({ type }) => type === 'stalled')).toBe(false);
  });

  it('may end late, which changes nothing', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    let runs = 0;
    const summary = await jobs.run(
      jobs.queue.process(
        async () => {
          runs += 1;
          await jobs.wait(runs === 1 ? 5_000 : 10);
        },
        { handlerTimeoutMs: 1_000, retryDelaySeconds: 1, stopWhenEmpty: { forMs: 20_000 }, onEvent: () => undefined },
      ),
    );
    expect(summary).toMatchObject({ acked: 1, retried: 1, delivered: 2 });
  });

  it.each([0, -1, Number.NaN, '5'])('takes no %s for handlerTimeoutMs', async (handlerTimeoutMs) => {
    const jobs = openJobs();
    const error = await rejection(jobs.queue.process(() => 1, { handlerTimeoutMs: handlerTimeoutMs as number }));
    expect(error).toMatchObject({ message: expect.stringContaining("'handlerTimeoutMs' must be") });
  });
});
