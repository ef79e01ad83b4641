import { describe, expectTypeOf, it } from 'vitest';
import { envelope, forward, type Forward, type LeasedMessage, openQueue } from '../../src/index.ts';
import { toReadableStream, toWritableStream, type WritableItem } from '../../src/web.ts';

interface Job {
  readonly kind: 'work' | 'rest';
}

const queue = openQueue<Job>({ queueId: 'q', accountId: 'a', apiToken: 't' });

describe('toReadableStream()', () => {
  it('gives typed messages, however it is read', async () => {
    const stream = toReadableStream(queue);
    expectTypeOf(stream).toEqualTypeOf<ReadableStream<LeasedMessage<Job>>>();
    expectTypeOf(toReadableStream(queue.consume())).toEqualTypeOf<ReadableStream<LeasedMessage<Job>>>();
    for await (const message of stream) expectTypeOf(message).toEqualTypeOf<LeasedMessage<Job>>();
    const { value } = await stream.getReader().read();
    expectTypeOf(value).toEqualTypeOf<LeasedMessage<Job> | undefined>();
    // @ts-expect-error a queue of jobs
    const other: ReadableStream<LeasedMessage<string>> = stream;
    expectTypeOf(other).not.toBeAny();
  });
});

describe('toWritableStream()', () => {
  const message = {} as LeasedMessage<string>;

  it('takes bodies, envelopes, and what messages become', async () => {
    const stream = toWritableStream(queue);
    expectTypeOf(stream).toEqualTypeOf<WritableStream<WritableItem<Job>>>();
    const writer = stream.getWriter();
    await writer.write({ kind: 'work' });
    await writer.write(envelope({ kind: 'work' }));
    await writer.write(forward(message, []));
    await writer.write(forward(message, [{ kind: 'work' }, { kind: 'rest' }]));
    await writer.write(forward(message, [message]));
    await writer.write(forward([message], [envelope(message, { delaySeconds: 1 }), message]));
    await writer.write(forward<Job>([message], [{ kind: 'work' }, envelope({ kind: 'rest' })]));
    // @ts-expect-error there is no such kind
    await writer.write({ kind: 'play' });
    // @ts-expect-error nor in an envelope
    await writer.write(envelope({ kind: 'play' }));
    // @ts-expect-error nor in a group
    await writer.write(forward(message, [{ kind: 'play' }]));
    // @ts-expect-error a leased message is not its body
    await writer.write({} as LeasedMessage<Job>);
  });

  it('takes what a transform makes of the messages, if the queue does', async () => {
    const work = new TransformStream<LeasedMessage<Job>, Forward<{ kind: 'work' }>>();
    const moving = toReadableStream(queue).pipeThrough(work).pipeTo(toWritableStream(queue));
    expectTypeOf(moving).toEqualTypeOf<Promise<void>>();
    const play = new TransformStream<LeasedMessage<Job>, Forward<{ kind: 'play' }>>();
    // @ts-expect-error there is no such kind
    await toReadableStream(queue).pipeThrough(play).pipeTo(toWritableStream(queue));
  });
});
