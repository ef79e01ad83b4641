import { setTimeout as sleep } from 'node:timers/promises';
import { GCProfiler } from 'node:v8';
import { lastValueFrom, Subscription, take, type TeardownLogic } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { measure, surfaces } from '../../bench/drain-million.ts';
import { freeTransport, makeMessages } from '../../bench/free-transport.ts';
import { collectGarbage } from '../../bench/heap.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { openQueue, type Queue } from '../../src/index.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';

describe.each(Object.entries(surfaces))('%s', (_, drain) => {
  // bench/drain-million.ts is the same with a million. What held on to each message would take more than twice as much here.
  it('keeps its memory flat while it drains 60 000 messages', async () => {
    const { handled, heapGrowthBytes } = await measure(drain, 60_000);
    expect(handled).toBe(60_000);
    expect(heapGrowthBytes).toBeLessThan(5_000_000);
  });
});

describe('what is done with', () => {
  const count = 60_000;

  /** Settles and gives after 2 ms, so that messages are held for a while. */
  function slowQueue(): Queue {
    let left = count;
    const { pull, ack } = freeTransport((asked) => {
      const given = Math.min(asked, left);
      const wasEarly = left > 0.9 * count;
      left -= given;
      // Once, so that all that is there grows old.
      if (wasEarly && left <= 0.9 * count) collectGarbage();
      return makeMessages(given);
    });
    const late =
      <Request, Result>(call: (request: Request) => Promise<Result>) =>
      async (request: Request): Promise<Result> => {
        await sleep(2);
        return call(request);
      };
    return openQueue({ transport: { pull: late(pull), ack: late(ack) } as Partial<QueueTransport> as QueueTransport });
  }

  /** By how much the space of what has lived for long grew at the collections of what is young, in bytes a message. */
  async function promoted(drain: (queue: Queue) => Promise<unknown>): Promise<number> {
    const profiler = new GCProfiler();
    profiler.start();
    await drain(slowQueue());
    let grewBy = 0;
    for (const { gcType, beforeGC, afterGC } of profiler.stop()?.statistics ?? []) {
      const [before = 0, after = 0] = [beforeGC, afterGC].map(
        ({ heapSpaceStatistics }) =>
          heapSpaceStatistics.find(({ spaceName }) => spaceName === 'old_space')?.spaceUsedSize,
      );
      if (gcType === 'Scavenge') grewBy += after - before;
    }
    expect(grewBy).toBeGreaterThan(0);
    return grewBy / count;
  }

  // The ids that are remembered come to about 70. Where each table of a set holds on to the next, it is more than 250.
  it.each<[string, (queue: Queue) => Promise<unknown>]>([
    ['process()', (queue) => queue.process(() => undefined, { concurrency: 200, stopWhenEmpty: true })],
    ['settled by hand', (queue) => queue.process((m) => m.ack(), { concurrency: 200, stopWhenEmpty: true })],
    [
      'settleMap()',
      (queue) =>
        lastValueFrom(toObservable(queue, { stopWhenEmpty: true }).pipe(settleMap(() => [1], { concurrency: 9 }))),
    ],
    [
      'for await',
      async (queue) => {
        for await (const _ of queue.consume({ stopWhenEmpty: true }));
      },
    ],
  ])('is collected while it is young: %s', async (_, drain) => {
    expect(await promoted(drain)).toBeLessThan(150);
  });
});

describe('settleMap()', () => {
  // RxJS keeps them in arrays of its own, which may be in the memory for long after the work.
  it('has what ends the work on a message hold nothing of that once it is over', async () => {
    const teardowns: TeardownLogic[] = [];
    const messages: WeakRef<object>[] = [];
    const { add } = Subscription.prototype;
    vi.spyOn(Subscription.prototype, 'add').mockImplementation(function note(this: Subscription, teardown) {
      teardowns.push(teardown);
      add.call(this, teardown);
    });
    const transport = freeTransport((asked) => makeMessages(Math.min(asked, 100)));
    await lastValueFrom(
      toObservable(openQueue({ transport })).pipe(
        settleMap(async (message) => void messages.push(new WeakRef(message))),
        take(100),
      ),
    );
    vi.restoreAllMocks();
    await sleep(10);
    collectGarbage();
    expect(teardowns.length).toBeGreaterThan(100);
    expect(messages.filter((message) => message.deref() !== undefined).length).toBeLessThan(10);
  });
});
