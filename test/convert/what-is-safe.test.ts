import * as streams from 'node:stream';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { from as ix } from 'ix/asynciterable';
import { flatMap } from 'ix/asynciterable/operators';
import { from, lastValueFrom, mergeMap } from 'rxjs';
import { buffer, parallelMap, transform } from 'streaming-iterables';
import { describe, expect, it } from 'vitest';
import type { Consumer, LeasedMessage } from '../../src/index.ts';
import { openTwoQueues } from './two-queues.ts';

type Work = (message: LeasedMessage) => Promise<void>;
type Read = (consumer: Consumer, work: Work) => Promise<unknown>;

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

async function each(messages: AsyncIterable<LeasedMessage>, work: Work): Promise<void> {
  for await (const message of messages) await work(message);
}

function worked(work: Work): (message: LeasedMessage) => Promise<LeasedMessage> {
  return async (message) => {
    await work(message);
    return message;
  };
}

async function* passOn(messages: AsyncIterable<LeasedMessage>): AsyncGenerator<LeasedMessage> {
  for await (const message of messages) yield message;
}

/** How readers fare. `none`: nothing was acknowledged before its work had ended. `early`: something was. */
const readers: ReadonlyArray<readonly [reader: string, byDefault: 'none' | 'early', read: Read]> = [
  ['`for await`, and generators around it', 'none', (consumer, work) => each(passOn(consumer), work)],
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
    (consumer, work) =>
      Readable.from(consumer)
        .map(work, { concurrency: 3 })
        .forEach(() => undefined),
  ],
  ['`pipeline(queue, transform, …)`', 'early', (consumer, work) => pipeline(consumer, working(work), ending())],
  [
    '`pipeline(queue, async function (messages) { … })`',
    'none',
    (consumer, work) => pipeline(consumer, async (messages) => each(messages, work)),
  ],
  [
    '`compose(queue, transform)`',
    'early',
    (consumer, work) => each(compose(consumer, working(work)), () => Promise.resolve()),
  ],
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
  [
    '`rxjs.from(queue).pipe(mergeMap(work))`',
    'none',
    (consumer, work) => lastValueFrom(from(consumer).pipe(mergeMap(work)), { defaultValue: undefined }),
  ],
  [
    'streaming-iterables: `parallelMap(n, work, queue)`',
    'early',
    (consumer, work) => each(parallelMap(3, worked(work), consumer), () => Promise.resolve()),
  ],
  [
    'streaming-iterables: `transform(n, work, queue)`',
    'early',
    (consumer, work) => each(transform(3, worked(work), consumer), () => Promise.resolve()),
  ],
  ['streaming-iterables: `buffer(n, queue)`', 'early', (consumer, work) => each(buffer(3, consumer), work)],
  [
    'IxJS: `from(queue).pipe(flatMap(work, n))`',
    'early',
    (consumer, work) =>
      each(
        ix(consumer).pipe(
          flatMap(async (message) => {
            await work(message);
            return [message];
          }, 3),
        ),
        () => Promise.resolve(),
      ),
  ],
  ['IxJS: `from(queue)` and `for await`', 'none', (consumer, work) => each(ix(consumer), work)],
];

describe('readers of a queue', () => {
  const count = 12;

  /** How many messages were acknowledged before their work had ended. */
  async function earlyAcks(settle: 'auto' | 'manual', read: Read): Promise<number> {
    const queues = openTwoQueues();
    queues.fill(count);
    const done = new Map<string, number>();
    const consumer = queues.jobs.consume({ settle, stopWhenEmpty: true });
    const reading = read(consumer, async (message) => {
      await queues.wait(50);
      done.set(message.id, queues.clock.now());
      void message.ack();
    });
    await queues.run(reading);
    expect(done.size).toBe(count);
    expect(queues.entries('delivered')).toHaveLength(count);
    expect(queues.entries('acked')).toHaveLength(count);
    return queues.entries('acked').filter(({ messageId, at }) => at < (done.get(messageId) ?? Infinity)).length;
  }

  it.each(readers)('%s: early acknowledgements by default: %s', async (_, byDefault, read) => {
    const early = await earlyAcks('auto', read);
    expect(early > 0).toBe(byDefault === 'early');
  });

  it.each(readers)("%s: no early acknowledgement with settle: 'manual'", async (_, __, read) => {
    expect(await earlyAcks('manual', read)).toBe(0);
  });

  it('are in README.md, as they fare', () => {
    const lines = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8').split('\n');
    const rows = lines.map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\||\|$/g, '').trim()));
    for (const [reader, byDefault] of readers) {
      const row = rows.find(([first]) => first === reader);
      expect(row?.slice(0, 3)).toEqual([reader, byDefault === 'none' ? 'safe' : '**acknowledges early**', 'safe']);
    }
  });
});
