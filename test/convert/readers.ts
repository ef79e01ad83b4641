import * as streams from 'node:stream';
import { Duplex, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Consumer, LeasedMessage } from '../../src/index.ts';
import { toReadableStream } from '../../src/web.ts';

/** The work on a message, which ends by acknowledging it. */
export type Work = (message: LeasedMessage) => Promise<void>;

/** Reads all messages and does the work on each; resolves when it is done. */
export type Read = (consumer: Consumer, work: Work) => Promise<unknown>;

/**
 * How a reader fares by default. `none`: nothing is acknowledged before its work has ended. `early`: something is.
 * `refused`: it doesn't take the queue.
 */
export type Fares = 'none' | 'early' | 'refused';

/** How many messages a reader takes before it works on them. */
export const gathered = 4;

export type Reader = readonly [
  reader: string,
  byDefault: Fares,
  read: Read,
  /**
   * Whether it gathers, and so needs `minInFlight` with `settle: 'manual'`; or hands on a message only when the next one
   * has come, and so keeps the last one.
   */
  gathers?: 'gathers' | 'keeps the last',
];

// Experimental, and so not among the types.
const { compose } = streams as unknown as {
  compose(source: AsyncIterable<LeasedMessage>, transform: Transform): AsyncIterable<LeasedMessage>;
};

/** Does the work in a Node stream. */
function working(work: Work): Transform {
  return new Transform({
    objectMode: true,
    transform: (message: LeasedMessage, _, callback) =>
      void (async () => {
        await work(message);
        callback(null, message);
      })(),
  });
}

function ending(): Writable {
  return new Writable({ objectMode: true, write: (_message, _encoding, callback) => callback() });
}

export async function each(messages: AsyncIterable<LeasedMessage>, work: Work): Promise<void> {
  for await (const message of messages) await work(message);
}

/** Asks for the results of a reader, which does the work itself. */
export async function drain(results: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of results);
}

export function worked(work: Work): (message: LeasedMessage) => Promise<LeasedMessage> {
  return async (message) => {
    await work(message);
    return message;
  };
}

export async function* passOn(messages: AsyncIterable<LeasedMessage>): AsyncGenerator<LeasedMessage> {
  for await (const message of messages) yield message;
}

async function* delegate(messages: AsyncIterable<LeasedMessage>): AsyncGenerator<LeasedMessage> {
  yield* messages;
}

/** Those of the language, of Node and of the web. */
export const readersOfPlatforms: readonly Reader[] = [
  ['`for await`, and generators around it', 'none', (consumer, work) => each(passOn(consumer), work)],
  ['`for await` over a generator of `yield* queue`', 'none', (consumer, work) => each(delegate(consumer), work)],
  [
    '`for await` with handlers that nobody awaits',
    'early',
    async (consumer, work) => {
      const works: Promise<void>[] = [];
      for await (const message of consumer) works.push(work(message));
      await Promise.all(works);
    },
  ],
  [
    '`for await` that gathers, and works on many at once',
    'early',
    async (consumer, work) => {
      let messages: LeasedMessage[] = [];
      for await (const message of consumer) {
        messages.push(message);
        if (messages.length < gathered) continue;
        await Promise.all(messages.map(work));
        messages = [];
      }
    },
    'gathers',
  ],
  [
    'calls of `next()` that overlap',
    'none',
    async (consumer, work) => {
      const iterator = consumer[Symbol.asyncIterator]();
      const read = async (): Promise<void> => {
        for (let result = await iterator.next(); result.done !== true; result = await iterator.next())
          await work(result.value);
      };
      await Promise.all([read(), read(), read()]);
    },
  ],
  ['`Readable.from(queue)`', 'early', (consumer, work) => each(Readable.from(consumer), work)],
  [
    '`Readable.from(queue).map(work, { concurrency })`',
    'early',
    (consumer, work) => drain(Readable.from(consumer).map(work, { concurrency: 3 })),
  ],
  ['`Duplex.from(queue)`', 'early', (consumer, work) => each(Duplex.from(consumer), work)],
  ['`pipeline(queue, transform, …)`', 'early', (consumer, work) => pipeline(consumer, working(work), ending())],
  [
    '`pipeline(queue, async function (messages) { … })`',
    'none',
    (consumer, work) => pipeline(consumer, async (messages) => each(messages, work)),
  ],
  ['`compose(queue, transform)`', 'early', (consumer, work) => drain(compose(consumer, working(work)))],
  [
    '`ReadableStream.from(queue)` and `for await`',
    'none',
    (consumer, work) => each(ReadableStream.from<LeasedMessage>(consumer), work),
  ],
  [
    '`ReadableStream.from(queue).pipeThrough(…).pipeTo(…)`',
    'early',
    (consumer, work) =>
      ReadableStream.from<LeasedMessage>(consumer)
        .pipeThrough(new TransformStream<LeasedMessage, LeasedMessage>())
        .pipeTo(new WritableStream({ write: work })),
  ],
  ['`toReadableStream(queue)`', 'none', (consumer, work) => each(toReadableStream(consumer), work)],
];
