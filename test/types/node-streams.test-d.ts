import {
  addAbortSignal,
  finished as onFinished,
  PassThrough,
  pipeline as startPipeline,
  Readable,
  Writable,
} from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { from } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { type Envelope, envelope, type Forward, forward, type LeasedMessage, openQueue } from '../../src/index.ts';
import { type MessageReadable, type QueueWritable, toReadable, toWritable, type WritableItem } from '../../src/node.ts';

interface Job {
  readonly kind: 'work' | 'rest';
}

const queue = openQueue<Job>({ queueId: 'q', accountId: 'a', apiToken: 't' });
const anyQueue = openQueue({ queueId: 'q', accountId: 'a', apiToken: 't' });

describe('toReadable()', () => {
  const readable = toReadable(queue);

  it('has the type of the queue, or of the consumer', () => {
    expectTypeOf(readable).toEqualTypeOf<MessageReadable<Job>>();
    expectTypeOf(toReadable(queue.consume())).toEqualTypeOf<MessageReadable<Job>>();
    expectTypeOf(toReadable(anyQueue)).toEqualTypeOf<MessageReadable>();
  });

  it('gives typed messages, however it is read', async () => {
    for await (const message of readable) expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>();
    for await (const message of readable.iterator({ destroyOnReturn: false })) {
      expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>();
    }
    expectTypeOf(readable.read()).toEqualTypeOf<LeasedMessage<Job> | null>();
    expectTypeOf(readable.read(1)).toEqualTypeOf<LeasedMessage<Job> | null>();
    const next = readable[Symbol.asyncIterator]().next();
    expectTypeOf(next).resolves.toEqualTypeOf<IteratorResult<LeasedMessage<Job>, undefined>>();
    readable.on('data', (message) => expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>());
    readable.once('data', (message) => expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>());
  });

  it('gives typed messages to whatever takes an async iterable', () => {
    expectTypeOf(readable).toExtend<AsyncIterable<LeasedMessage<Job>>>();
    const collect = <Item>(items: AsyncIterable<Item>): readonly Item[] => [items] as never;
    expectTypeOf(collect(readable)).toEqualTypeOf<readonly LeasedMessage<Job>[]>();
    from(readable).subscribe((message) => expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>());
  });

  it('refuses other bodies', async () => {
    // @ts-expect-error there is no such kind
    for await (const { body } of readable) expectTypeOf(body.kind === 'play').toBeBoolean();
    // @ts-expect-error null, when there is none
    expectTypeOf(readable.read().id).toBeString();
    // @ts-expect-error a queue of jobs
    const other: MessageReadable<string> = readable;
    expectTypeOf(other).not.toBeAny();
    expectTypeOf(readable).toExtend<MessageReadable>();
  });

  it('is a stream of Node', async () => {
    expectTypeOf(readable).toExtend<Readable>();
    expectTypeOf(readable).toExtend<NodeJS.ReadableStream>();
    expectTypeOf(addAbortSignal(AbortSignal.abort(), readable)).toEqualTypeOf<MessageReadable<Job>>();
    expectTypeOf(Readable.toWeb(readable)).not.toBeAny();
    expectTypeOf(new Readable().wrap(readable)).toEqualTypeOf<Readable>();
    const composed: PassThrough = readable.compose(new PassThrough());
    expectTypeOf(composed).not.toBeAny();
    await finished(readable);
    onFinished(readable, () => undefined);
  });

  it('takes listeners of every event, and gives itself back', () => {
    const chained = readable
      .on('end', () => undefined)
      .on('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>())
      .once('close', () => undefined)
      .once('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>())
      .on('of its own', (value: number) => value);
    expectTypeOf(chained).toEqualTypeOf<MessageReadable<Job>>();
  });
});

describe('toWritable()', () => {
  const writable = toWritable(queue);
  const message = {} as LeasedMessage<string>;

  it('has the type of the queue', () => {
    expectTypeOf(writable).toEqualTypeOf<QueueWritable<Job>>();
    expectTypeOf(toWritable(anyQueue, { ordered: true })).toEqualTypeOf<QueueWritable>();
    expectTypeOf<WritableItem<Job>>().toEqualTypeOf<Job | Envelope<Job> | Forward<Job>>();
  });

  it('takes bodies, envelopes, and what messages become', () => {
    expectTypeOf(writable.write({ kind: 'work' })).toEqualTypeOf<boolean>();
    writable.write(envelope({ kind: 'work' }, { delaySeconds: 1 }));
    writable.write(forward(message, []));
    writable.write(forward(message, [{ kind: 'work' }, { kind: 'rest' }]));
    writable.write(forward(message, [envelope({ kind: 'work' })]));
    writable.write(forward<Job>(message, [{ kind: 'work' }, envelope({ kind: 'rest' })]));
    writable.write(forward([message, {} as LeasedMessage<number>], [{ kind: 'work' }]));
    const item: Forward<{ kind: 'work' }> = forward(message, [{ kind: 'work' }]);
    writable.write(item);
    writable.write({ kind: 'work' }, (error) => expectTypeOf(error).toEqualTypeOf<Error | null | undefined>());
    writable.write({ kind: 'work' }, 'utf8', () => undefined);
    expectTypeOf(writable.end()).toEqualTypeOf<QueueWritable<Job>>();
    writable.end(() => undefined);
    writable.end({ kind: 'work' });
    writable.end(envelope({ kind: 'work' }), () => undefined);
    writable.end(forward(message, [{ kind: 'rest' }]), 'utf8', () => undefined);
    writable.write(forward(message, [message]));
    writable.write(forward([message], [envelope(message, { delaySeconds: 1 }), message]));
  });

  it('refuses what the queue does not take', () => {
    // @ts-expect-error no text
    writable.write('work');
    // @ts-expect-error there is no such kind
    writable.write({ kind: 'play' });
    // @ts-expect-error nor in an envelope
    writable.write(envelope({ kind: 'play' }));
    // @ts-expect-error nor in a group
    writable.write(forward(message, [{ kind: 'play' }]));
    // @ts-expect-error nor in an envelope in a group
    writable.write(forward(message, [envelope('work')]));
    // @ts-expect-error a leased message is not its body
    writable.write({} as LeasedMessage<Job>);
    // @ts-expect-error null needs an envelope, and a queue that takes it
    writable.write(null);
    // @ts-expect-error no text
    writable.end('work');
    // @ts-expect-error there is no such kind
    writable.end(forward(message, [{ kind: 'play' }]), () => undefined);
    // @ts-expect-error a queue of jobs takes no text
    const other: QueueWritable<string> = writable;
    expectTypeOf(other).not.toBeAny();
    expectTypeOf(writable).toExtend<QueueWritable<{ kind: 'work' }>>();
  });

  it('takes everything where the queue is of any type', () => {
    const open = toWritable(anyQueue);
    expectTypeOf(open.write(1)).toEqualTypeOf<boolean>();
    open.write(null);
    open.write(forward(message, ['text', envelope(null)]));
    open.end({ kind: 'play' });
  });

  it('is a stream of Node', async () => {
    expectTypeOf(writable).toExtend<Writable>();
    expectTypeOf(writable).toExtend<NodeJS.WritableStream>();
    expectTypeOf(Writable.toWeb(writable)).not.toBeAny();
    await finished(writable);
  });
});

describe('a pipeline', () => {
  const readable = toReadable(queue);
  const writable = toWritable(openQueue<string>({ queueId: 'r', accountId: 'a', apiToken: 't' }));

  it('types the messages of its stages', async () => {
    await pipeline(
      readable,
      async function* (messages) {
        for await (const message of messages) {
          expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>();
          yield forward(message, [message.body.kind]);
        }
      },
      writable,
    );
    await pipeline(readable, async (messages) => {
      for await (const message of messages) expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>();
    });
  });

  it('takes the streams in all its forms', async () => {
    await pipeline(readable, writable);
    await pipeline(readable, new PassThrough({ objectMode: true }), writable, { end: true });
    await pipeline([readable, new PassThrough({ objectMode: true }), writable]);
    expectTypeOf(startPipeline(readable, writable, () => undefined)).toEqualTypeOf<QueueWritable<string>>();
    expectTypeOf(readable.pipe(new PassThrough({ objectMode: true })).pipe(writable)).toEqualTypeOf<
      QueueWritable<string>
    >();
  });
});
