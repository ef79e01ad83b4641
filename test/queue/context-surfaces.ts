import { Writable } from 'node:stream';
import { from, Observable, type Subscription } from 'rxjs';
import type { ConsumerControl, LeasedMessage, MessageBatch, Queue } from '../../src/index.ts';
import { toReadable } from '../../src/node.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';
import { toReadableStream } from '../../src/web.ts';

/**
 * Works on one message, and settles it by hand.
 *
 * @param done - called at the end, in the context that the work has then, as what is made of callbacks does
 */
export type Work = (message: LeasedMessage<string>, done?: () => void) => Promise<void>;

/** What steers a surface, and how it is stopped. */
export interface Started extends Pick<ConsumerControl, 'pause' | 'resume'> {
  stop(): Promise<unknown>;
}

/** Starts a surface in the context of whoever calls. */
export type Surface = (queue: Queue<string>, work: Work) => Started;

const options = { settle: 'manual', maxInFlight: 2 } as const;

async function loop(items: AsyncIterable<LeasedMessage<string>>, work: Work): Promise<void> {
  for await (const message of items) await work(message);
}

async function batchLoop(batches: AsyncIterable<MessageBatch<string>>, work: Work): Promise<void> {
  for await (const { messages } of batches) await all(messages, work);
}

const all = (messages: readonly LeasedMessage<string>[], work: Work): Promise<unknown> =>
  Promise.all(messages.map((message) => work(message)));

function control(consumer: ConsumerControl, stop: () => Promise<unknown> | void = () => undefined): Started {
  return {
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
    stop: async () => {
      await stop();
      await consumer.close();
    },
  };
}

/** An inner that completes where its work ends, as one made of callbacks does. */
function innerOf(work: Work): (message: LeasedMessage<string>) => Observable<never> {
  return (message) => new Observable((subscriber) => void work(message, () => subscriber.complete()));
}

function observing(subscribe: (messages: Observable<LeasedMessage<string>>, work: Work) => Subscription): Surface {
  return (queue, work) => {
    const consumer = queue.consume(options);
    const subscription = subscribe(toObservable(consumer), work);
    return control(consumer, () => subscription.unsubscribe());
  };
}

export const surfaces: Readonly<Record<string, Surface>> = {
  'process()': (queue, work) => control(queue.process((message) => work(message), { concurrency: 1 })),
  'process(), side by side': (queue, work) => control(queue.process((message) => work(message), { concurrency: 3 })),
  'processBatches()': (queue, work) =>
    control(queue.processBatches(({ messages }) => all(messages, work), { size: 2, maxWaitMs: 0, concurrency: 2 })),
  'for await': (queue, work) => {
    const consumer = queue.consume();
    void loop(consumer, work);
    return control(consumer);
  },
  'batches()': (queue, work) => {
    const consumer = queue.batches({ size: 2, maxWaitMs: 0 });
    void batchLoop(consumer, work);
    return control(consumer);
  },
  'toObservable()': observing((messages, work) => messages.subscribe((message) => void work(message))),
  'rxjs.from(consumer)': (queue, work) => {
    const consumer = queue.consume(options);
    const subscription = from(consumer).subscribe((message) => void work(message));
    return control(consumer, () => subscription.unsubscribe());
  },
  'settleMap()': observing((messages, work) =>
    messages.pipe(settleMap((message) => work(message), { concurrency: 1 })).subscribe(),
  ),
  'settleMap() of callbacks': observing((messages, work) =>
    messages.pipe(settleMap(innerOf(work), { concurrency: 1 })).subscribe(),
  ),
  'toReadable()': (queue, work) => {
    const consumer = queue.consume(options);
    const stream = toReadable(consumer);
    void loop(stream, work);
    return control(consumer);
  },
  "toReadable() with on('data')": (queue, work) => {
    const consumer = queue.consume(options);
    toReadable(consumer).on('data', (message) => void work(message));
    return control(consumer);
  },
  'toReadable() that is paused meanwhile': (queue, work) => {
    const consumer = queue.consume(options);
    const stream = toReadable(consumer);
    stream.on('data', (message) => {
      stream.pause();
      void work(message, () => stream.resume());
    });
    return control(consumer);
  },
  'toReadable() into a slow Writable': (queue, work) => {
    const consumer = queue.consume(options);
    toReadable(consumer).pipe(
      new Writable({ objectMode: true, highWaterMark: 1, write: (message, _, done) => void work(message, done) }),
    );
    return control(consumer);
  },
  'toReadableStream()': (queue, work) => {
    const consumer = queue.consume(options);
    void loop(toReadableStream(consumer), work);
    return control(consumer);
  },
};
