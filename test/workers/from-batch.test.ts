import { from, lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { settleMap } from '../../src/rxjs.ts';
import { toReadableStream } from '../../src/web.ts';
import { type BatchSourceOptions, fromBatch, type PushedBatch } from '../../src/workers.ts';
import { pushedBatch } from './pushed.ts';
import { numbers } from '../numbers.ts';

const random = (): number => 0.5;

describe('fromBatch(), in a loop', () => {
  it('acknowledges a message when the next one is asked for, and ends when all are settled', async () => {
    const batch = pushedBatch('a', 'b', 'c');
    const seen: unknown[] = [];
    for await (const { body, id } of fromBatch<string>(batch)) {
      expect(batch.told[id]).toBeUndefined();
      seen.push(body);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(batch.told).toEqual({ m0: 'ack', m1: 'ack', m2: 'ack' });
  });

  it.each(['break', 'throw'])(
    'retries the message in hand and gives back the rest when it is left by %s',
    async (how) => {
      const batch = pushedBatch('a', 'b', 'c', 'd');
      const loop = async (): Promise<void> => {
        for await (const { body } of fromBatch(batch, { random })) {
          if (body === 'a') continue;
          if (how === 'throw') throw new Error('left');
          break;
        }
      };
      await loop().catch(() => undefined);
      const given = { retryIn: 0 };
      expect(batch.told).toEqual({ m0: 'ack', m1: { retryIn: 2 }, m2: given, m3: given });
    },
  );

  it('settles nothing by itself with `settle: manual`, and ends when all are', async () => {
    const batch = pushedBatch('a', 'b');
    for await (const message of fromBatch(batch, { settle: 'manual' })) {
      expect(batch.told).toEqual(message.body === 'a' ? {} : { m0: 'ack' });
      await (message.body === 'a' ? message.ack() : message.retry());
    }
    expect(batch.told).toEqual({ m0: 'ack', m1: 'retry' });
  });

  it('takes a schema and `onInvalid`', async () => {
    const batch = pushedBatch(1, 'x', 2);
    const seen: number[] = [];
    const options: BatchSourceOptions<number> = { schema: z.number(), onInvalid: 'ack' };
    for await (const { body } of fromBatch(batch, options)) seen.push(body);
    expect(seen).toEqual([1, 2]);
    expect(batch.told).toEqual({ m0: 'ack', m1: 'ack', m2: 'ack' });
  });

  it('retries what nobody settled when it is closed', async () => {
    const batch = pushedBatch('a', 'b');
    const consumer = fromBatch(batch, { settle: 'manual' });
    await consumer[Symbol.asyncIterator]().next();
    await consumer.close({ graceMs: 0 });
    expect(batch.told).toEqual({ m0: { retryIn: 0 }, m1: { retryIn: 0 } });
  });

  it('gives an empty batch as an empty one', async () => {
    for await (const message of fromBatch(pushedBatch())) expect.fail(message.id);
  });
});

describe('fromBatch(), by others', () => {
  it('is observable, with work side by side, and completes when all is settled', async () => {
    const batch = pushedBatch(...numbers(20));
    let running = 0;
    let atOnce = 0;
    const work = settleMap<number, number>(
      async ({ body }) => {
        running += 1;
        atOnce = Math.max(atOnce, running);
        await new Promise((resolve) => {
          setTimeout(resolve, 2);
        });
        running -= 1;
        if (body === 7) throw new Error('no');
        return body;
      },
      { concurrency: 5, retryDelaySeconds: 9 },
    );
    const results = await lastValueFrom(from(fromBatch<number>(batch)).pipe(work, toArray()));
    expect(results.toSorted((one, other) => one - other)).toEqual(numbers(20).filter((body) => body !== 7));
    expect(batch.told).toEqual(Object.fromEntries(numbers(20).map((n) => [`m${n}`, n === 7 ? { retryIn: 9 } : 'ack'])));
    expect(atOnce).toBe(5);
  });

  it('gives back what an observer has left', async () => {
    const batch = pushedBatch(...numbers(5));
    const consumer = fromBatch<number>(batch);
    await lastValueFrom(
      from(consumer).pipe(
        settleMap(async ({ body }) => body, { concurrency: 1 }),
        take(2),
      ),
    );
    await consumer.closed;
    expect(Object.keys(batch.told)).toHaveLength(5);
    expect(Object.values(batch.told).filter((told) => told === 'ack')).toHaveLength(2);
  });

  it('is readable as a stream', async () => {
    const batch = pushedBatch('a', 'b');
    for await (const message of toReadableStream(fromBatch(batch)) as unknown as AsyncIterable<{ ack(): unknown }>) {
      message.ack();
    }
    expect(batch.told).toEqual({ m0: 'ack', m1: 'ack' });
  });
});

describe('what fromBatch() refuses', () => {
  it('is a batch that was taken, and what is none', () => {
    const batch = pushedBatch('a');
    fromBatch(batch);
    expect(() => fromBatch(batch)).toThrow(/^Cannot read a batch that was taken before/);
    expect(() => fromBatch(undefined as unknown as PushedBatch)).toThrow(TypeError);
  });

  it('is an option of consumers that pull', () => {
    const options = { visibilityTimeoutMs: 30_000 } as BatchSourceOptions;
    const text = /^Cannot read a batch with 'visibilityTimeoutMs'.* allowed are 'settle', 'onInvalid'/;
    expect(() => fromBatch(pushedBatch('a'), options)).toThrow(text);
  });

  it('leaves a batch to others when an option is wrong', () => {
    const batch = pushedBatch('a');
    expect(() => fromBatch(batch, { settle: 'never' as never })).toThrow(/'settle'/);
    expect(() => fromBatch(batch)).not.toThrow();
  });
});
