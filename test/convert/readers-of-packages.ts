import { Effect, Stream } from 'effect';
import highland from 'highland';
import itBatch from 'it-batch';
import itParallel from 'it-parallel';
import { asyncBatch, asyncBuffer, asyncMap } from 'iter-tools';
import { from as ix, merge } from 'ix/asynciterable';
import { buffer as ixBuffer, flatMap, map as ixMap } from 'ix/asynciterable/operators';
import pMap, { pMapIterable } from 'p-map';
import PQueue from 'p-queue';
import * as rxjs from 'rxjs';
import * as rxjs6 from 'rxjs6';
import { mergeMap as mergeMap6 } from 'rxjs6/operators';
import * as rxjs8 from 'rxjs8';
import { batch, buffer, parallelMap, transform } from 'streaming-iterables';
import { Readable as StreamxReadable } from 'streamx';
import type { LeasedMessage } from '../../src/index.ts';
import { drain, each, gathered, passOn, type Reader, worked } from './readers.ts';

async function* asWork(messages: AsyncIterable<LeasedMessage>, work: (message: LeasedMessage) => Promise<void>) {
  for await (const message of messages) yield () => work(message);
}

const none = { defaultValue: undefined };

/** Those of RxJS and of what is made to work with async iterables. */
export const readersOfPackages: readonly Reader[] = [
  [
    'RxJS 7: `from(queue).pipe(mergeMap(work))`',
    'none',
    (consumer, work) => rxjs.lastValueFrom(rxjs.from(consumer).pipe(rxjs.mergeMap(work)), none),
  ],
  [
    'RxJS 6: `from(queue).pipe(mergeMap(work))`',
    'none',
    (consumer, work) =>
      rxjs6
        .from(consumer as unknown as Promise<LeasedMessage>)
        .pipe(mergeMap6(work))
        .toPromise(),
  ],
  [
    'RxJS 8: `from(queue).pipe(mergeMap(work))`',
    'none',
    (consumer, work) => rxjs8.lastValueFrom(rxjs8.from(consumer).pipe(rxjs8.mergeMap(work)), none),
  ],
  [
    'RxJS: `from(generator around the queue).pipe(mergeMap(work))`',
    'early',
    (consumer, work) => rxjs.lastValueFrom(rxjs.from(passOn(consumer)).pipe(rxjs.mergeMap(work)), none),
  ],
  [
    'p-map: `pMap(queue, work, { concurrency: 1 })`',
    'none',
    (consumer, work) => pMap(consumer, work, { concurrency: 1 }),
  ],
  [
    'p-map: `pMap(queue, work, { concurrency })`',
    'early',
    (consumer, work) => pMap(consumer, work, { concurrency: 3 }),
  ],
  [
    'p-map: `pMapIterable(queue, work, { concurrency })`',
    'early',
    (consumer, work) => drain(pMapIterable(consumer, worked(work), { concurrency: 3 })),
  ],
  [
    'p-queue: `for await … void tasks.add(work)`',
    'early',
    async (consumer, work) => {
      const tasks = new PQueue({ concurrency: 3 });
      for await (const message of consumer) void tasks.add(() => work(message));
      await tasks.onIdle();
    },
  ],
  [
    'p-queue: `for await … await tasks.onSizeLessThan(n)`',
    'early',
    async (consumer, work) => {
      const tasks = new PQueue({ concurrency: 3 });
      for await (const message of consumer) {
        await tasks.onSizeLessThan(2);
        void tasks.add(() => work(message));
      }
      await tasks.onIdle();
    },
  ],
  [
    'effect: `Stream.fromAsyncIterable(queue, …)`, `runForEach`',
    'none',
    (consumer, work) =>
      Effect.runPromise(
        Stream.fromAsyncIterable(consumer, (error) => error).pipe(
          Stream.runForEach((message) => Effect.promise(() => work(message))),
        ),
      ),
  ],
  [
    'effect: `Stream.mapEffect(work)`',
    'none',
    (consumer, work) =>
      Effect.runPromise(
        Stream.fromAsyncIterable(consumer, (error) => error).pipe(
          Stream.mapEffect((message) => Effect.promise(() => work(message))),
          Stream.runDrain,
        ),
      ),
  ],
  [
    'effect: `Stream.mapEffect(work, { concurrency })`',
    'early',
    (consumer, work) =>
      Effect.runPromise(
        Stream.fromAsyncIterable(consumer, (error) => error).pipe(
          Stream.mapEffect((message) => Effect.promise(() => work(message)), { concurrency: 3 }),
          Stream.runDrain,
        ),
      ),
  ],
  [
    'streamx: `Readable.from(queue)`',
    'early',
    (consumer, work) => each(StreamxReadable.from(consumer) as AsyncIterable<LeasedMessage>, work),
  ],
  ['IxJS: `from(queue)` and `for await`', 'none', (consumer, work) => each(ix(consumer), work)],
  ['IxJS: `from(queue).pipe(map(work))`', 'none', (consumer, work) => drain(ix(consumer).pipe(ixMap(worked(work))))],
  [
    'IxJS: `from(queue).pipe(flatMap(work, n))`',
    'early',
    (consumer, work) => drain(ix(consumer).pipe(flatMap(async (message) => [await worked(work)(message)], 3))),
  ],
  ['IxJS: `merge(queue)`, even of one', 'early', (consumer, work) => each(merge(consumer), work)],
  [
    'IxJS: `from(queue).pipe(buffer(n))`',
    'early',
    async (consumer, work) => {
      for await (const messages of ix(consumer).pipe(ixBuffer<LeasedMessage>(gathered)))
        await Promise.all(messages.map(work));
    },
    'gathers',
  ],
  [
    'streaming-iterables: `parallelMap(1, work, queue)`',
    'none',
    (consumer, work) => drain(parallelMap(1, worked(work), consumer)),
  ],
  [
    'streaming-iterables: `parallelMap(n, work, queue)`',
    'early',
    (consumer, work) => drain(parallelMap(3, worked(work), consumer)),
  ],
  [
    'streaming-iterables: `transform(n, work, queue)`',
    'early',
    (consumer, work) => drain(transform(3, worked(work), consumer)),
  ],
  ['streaming-iterables: `buffer(n, queue)`', 'early', (consumer, work) => each(buffer(3, consumer), work)],
  [
    'streaming-iterables: `batch(n, queue)`',
    'early',
    async (consumer, work) => {
      for await (const messages of batch(gathered, consumer)) await Promise.all(messages.map(work));
    },
    'gathers',
  ],
  ['iter-tools: `asyncMap(work, queue)`', 'none', (consumer, work) => drain(asyncMap(worked(work), consumer))],
  ['iter-tools: `asyncBuffer(n, queue)`', 'none', (consumer, work) => each(asyncBuffer(gathered, consumer), work)],
  [
    'iter-tools: `asyncBatch(n, queue)`',
    'early',
    async (consumer, work) => {
      // Its types say that a batch is an Iterable.
      for await (const messages of asyncBatch(gathered, consumer))
        await each(messages as unknown as AsyncIterable<LeasedMessage>, work);
    },
    'keeps the last',
  ],
  [
    'it-parallel: `parallel(tasks, { concurrency: 1 })`',
    'early',
    (consumer, work) => drain(itParallel(asWork(consumer, work), { concurrency: 1 })),
  ],
  [
    'it-parallel: `parallel(tasks, { concurrency })`',
    'early',
    (consumer, work) => drain(itParallel(asWork(consumer, work), { concurrency: 3 })),
  ],
  [
    'it-batch: `batch(queue, n)`',
    'early',
    async (consumer, work) => {
      for await (const messages of itBatch(consumer, gathered)) await Promise.all(messages.map(work));
    },
    'gathers',
  ],
  ['highland: `highland(queue)`', 'refused', async (consumer) => highland(consumer)],
];
