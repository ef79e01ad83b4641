import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createBroker } from '../../src/broker.ts';
import { type ConsumerEvent, type LeasedMessage, openQueue } from '../../src/index.ts';
import { type PushHandlerOptions, toQueueHandler } from '../../src/workers.ts';
import { pushedBatch } from './pushed.ts';
import { numbers } from '../numbers.ts';

const random = (): number => 0.5;

describe('toQueueHandler()', () => {
  it('settles each message for itself: acknowledged when its handler fulfils, retried with a delay when it rejects', async () => {
    const events: ConsumerEvent[] = [];
    const batch = pushedBatch('a', 'b', 'c');
    const queue = toQueueHandler<string>(
      async ({ body }) => {
        if (body === 'b') throw new Error('no');
      },
      { random, onEvent: (event) => void events.push(event) },
    );
    await queue(batch, {}, {});
    expect(batch.told).toEqual({ m0: 'ack', m1: { retryIn: 2 }, m2: 'ack' });
    expect(events).toMatchObject([{ type: 'handlerFailed', message: { id: 'm1', attempts: 1 } }]);
  });

  it('retries after `retryDelaySeconds`', async () => {
    const batch = pushedBatch(10, 20);
    const fail = async (): Promise<never> => {
      throw new Error('no');
    };
    await toQueueHandler<number>(fail, { retryDelaySeconds: ({ body }) => body })(batch, {}, {});
    expect(batch.told).toEqual({ m0: { retryIn: 10 }, m1: { retryIn: 20 } });
  });

  it('settles its neighbours beside an invalid message whose body has no form in JSON', async () => {
    const batch = pushedBatch({ n: 1 }, { at: new Map() }, { n: 2 });
    const handled: number[] = [];
    const schema = z.object({ n: z.number() });
    await toQueueHandler(({ body }) => void handled.push(body.n), { schema, onInvalid: 'ack' })(batch, {}, {});
    expect(handled).toEqual([1, 2]);
    expect(batch.told).toEqual({ m0: 'ack', m1: 'ack', m2: 'ack' });
  });

  it('refuses a batch of messages that are none, before it takes any', async () => {
    const batch = { queue: 'jobs', messages: [...pushedBatch('a').messages, { id: 'b' }] } as never;
    const called = (async () => toQueueHandler(() => undefined)(batch, {}, {}))();
    await expect(called).rejects.toThrow("'batch.messages' must be a list of messages that have 'id' and 'attempts'");
  });

  it('leaves what was settled by hand', async () => {
    const batch = pushedBatch('ack', 'retry');
    const queue = toQueueHandler<string>(async (message) => {
      if (message.body === 'retry') void message.retry({ delaySeconds: 7 });
      else {
        expect(await message.ack()).toEqual({ outcome: 'acked', late: false });
        throw new Error('too late');
      }
    });
    await queue(batch, {}, {});
    expect(batch.told).toEqual({ m0: 'ack', m1: { retryIn: 7 } });
  });

  it.each([1, 3, 10, 100])('has at most `concurrency` handlers run at once, and all of a batch: %i', async (most) => {
    const batch = pushedBatch(...numbers(100));
    let running = 0;
    let atOnce = 0;
    const queue = toQueueHandler(
      async () => {
        running += 1;
        atOnce = Math.max(atOnce, running);
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
        running -= 1;
      },
      { concurrency: most },
    );
    await queue(batch, {}, {});
    expect(Object.values(batch.told)).toEqual(numbers(100).map(() => 'ack'));
    expect(atOnce).toBeLessThanOrEqual(most);
    expect(atOnce).toBeGreaterThan(most / 4);
  });

  it('gives handlers the message, its signal, and what the platform gave', async () => {
    const given: unknown[] = [];
    const env = { KEY: 1 };
    const ctx = { waitUntil: () => undefined };
    const batch = pushedBatch({ n: 1 });
    await toQueueHandler<{ n: number }, typeof env>((message, signal, context) => {
      given.push(message.body.n, message.attempts, message.contentType, message.timestamp, signal.aborted, context);
    })(batch, env, ctx);
    expect(given).toEqual([1, 1, 'json', new Date(1_000), false, { env, ctx }]);
    expect(batch.told).toEqual({ m0: 'ack' });
  });

  it('judges bodies by a schema and decodes them, and does with what is invalid as `onInvalid` says', async () => {
    const schema = z.object({ n: z.coerce.number() });
    const seen: unknown[] = [];
    const batch = pushedBatch({ n: '1' }, { x: 1 }, '{"n":3}');
    const onInvalid = ({ body }: { readonly body: unknown }): 'ack' | 'retry' => (body === null ? 'retry' : 'ack');
    await toQueueHandler(({ body }) => void seen.push(body), { schema, onInvalid })(batch, {}, {});
    expect(seen).toEqual([{ n: 1 }]);
    expect(batch.told).toEqual({ m0: 'ack', m1: 'ack', m2: 'ack' });
    const texts = pushedBatch('{"n":3}', { n: 4 });
    await toQueueHandler(({ body }) => void seen.push(body), { schema, decode: 'json' })(texts, {}, {});
    expect(seen).toEqual([{ n: 1 }, { n: 3 }, { n: 4 }]);
  });

  it("retries what is not settled and rejects for `onInvalid: 'throw'`", async () => {
    const batch = pushedBatch('a', 'b', 'c');
    const queue = toQueueHandler(() => undefined, { schema: z.string().max(0), onInvalid: 'throw', concurrency: 1 });
    await expect(queue(batch, {}, {})).rejects.toMatchObject({ code: 'invalid-body' });
    expect(Object.keys(batch.told)).toHaveLength(3);
    expect(Object.values(batch.told)).not.toContain('ack');
  });

  it('moves dead letters to another queue, and waits for that though the handler does not', async () => {
    const broker = createBroker();
    const dead = openQueue(broker.queue('dead'));
    const batch = pushedBatch({ n: 1 }, 'text', new Map());
    const queue = toQueueHandler((message: LeasedMessage) => void message.deadLetter(dead, { reason: 'bad' }), {
      random,
    });
    await queue(batch, {}, {});
    expect(broker.inspect('dead').messages.map(({ body }) => body)).toEqual([{ n: 1 }, 'text']);
    expect(batch.told).toEqual({ m0: 'ack', m1: 'ack', m2: { retryIn: 2 } });
  });

  it('ends a handler that takes too long: its signal aborts, its message is retried', async () => {
    const batch = pushedBatch('a');
    let reason: unknown;
    const queue = toQueueHandler(
      (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
          });
        }),
      { handlerTimeoutMs: 20, retryDelaySeconds: 5 },
    );
    await queue(batch, {}, {});
    expect(batch.told).toEqual({ m0: { retryIn: 5 } });
    expect(reason).toMatchObject({ code: 'timeout' });
  });

  it.each([
    ['an observable', () => of(1)],
    ['an async generator', () => (async function* generate() {})()],
    ['a generator', () => (function* generate() {})()],
    ['a stream', () => new ReadableStream()],
  ])('takes %s, which nobody runs, for a failure', async (_, handler) => {
    const batch = pushedBatch('a');
    const events: ConsumerEvent[] = [];
    await toQueueHandler(handler, { random, onEvent: (event) => void events.push(event) })(batch, {}, {});
    expect(batch.told).toEqual({ m0: { retryIn: 2 } });
    expect(events).toMatchObject([{ type: 'handlerFailed', error: expect.any(TypeError) }]);
  });

  it('takes an empty batch', async () => {
    expect(await toQueueHandler(() => undefined)(pushedBatch(), {}, {})).toBeUndefined();
  });

  it('refuses a batch that was taken, and what is none', async () => {
    const batch = pushedBatch('a');
    const queue = toQueueHandler(() => undefined);
    await queue(batch, {}, {});
    await expect(queue(batch, {}, {})).rejects.toThrow(/^Cannot handle a batch that was taken before/);
    await expect(queue([] as never, {}, {})).rejects.toThrow(/^Cannot handle a batch as 'batch' must be the batch/);
  });

  it.each([
    [{ visibilityTimeoutMs: 1_000 }, /'visibilityTimeoutMs'.* allowed are 'concurrency', 'retryDelaySeconds'/],
    [{ stopWhenEmpty: true }, /'stopWhenEmpty'.*allowed/],
    [{ signal: new AbortController().signal }, /'signal'.*allowed/],
    [{ concurrency: 101 }, /'concurrency' must be an integer in 1\.\.100/],
    [{ retryDelaySeconds: -1 }, /'retryDelaySeconds'/],
    [{ schema: {} }, /'schema' must be a Standard Schema/],
    [{ onInvalid: 'drop' }, /'onInvalid'/],
  ])('refuses %j', (options, text) => {
    expect(() => toQueueHandler(() => undefined, options as PushHandlerOptions)).toThrow(text);
  });
});
