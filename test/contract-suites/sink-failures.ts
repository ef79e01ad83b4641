import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../../bench/heap.ts';
import type { ConsumerEvent } from '../../src/consumer/events.ts';
import { type Consumer, forward, type Forward, type Forwardable, type LeasedMessage } from '../../src/index.ts';
import type { SinkOptions } from '../../src/node.ts';
import { openTwoQueues, type TwoQueues } from '../convert/two-queues.ts';
import type { SinkUnderTest, Writer } from './sink.ts';

/** Leased messages in hand, and the consumer they are of. */
interface InHand {
  readonly queues: TwoQueues;
  readonly consumer: Consumer;
  readonly messages: readonly LeasedMessage[];
  /** The ids of the messages whose failure was told, as often as it was. */
  readonly told: () => string[];
}

async function inHand(count: number): Promise<InHand> {
  const queues = openTwoQueues();
  const events: ConsumerEvent[] = [];
  queues.fill(count);
  const consumer = queues.jobs.consume({
    settle: 'manual',
    minInFlight: count,
    visibilityTimeoutMs: 600_000,
    onEvent: (event) => void events.push(event),
  });
  const iterator = consumer[Symbol.asyncIterator]();
  const messages: LeasedMessage[] = [];
  for (let nth = 0; nth < count; nth += 1) messages.push((await queues.run(iterator.next())).value!);
  const told = (): string[] =>
    events.flatMap((event) => (event.type === 'handlerFailed' ? [event.message.id] : [])).toSorted();
  return { queues, consumer, messages, told };
}

/** Expects a consumer to end long before the leases of what it had handed out. */
async function expectClosable({ queues, consumer }: InHand): Promise<void> {
  const startedAt = queues.clock.now();
  await queues.run(consumer.close());
  expect(queues.clock.now() - startedAt).toBeLessThan(3_000);
}

function ids(messages: ReadonlyArray<{ readonly id: string }>): string[] {
  return messages.map(({ id }) => id).toSorted();
}

function retried({ entries }: TwoQueues): string[] {
  return entries('retried')
    .map(({ messageId }) => messageId)
    .toSorted();
}

/** Collects garbage until it shows. */
async function collected(isSeen: () => boolean): Promise<void> {
  for (let times = 0; times < 100 && !isSeen(); times += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What every sink has to do when several of its items fail, or one in a way that nobody foresaw. */
export function describeSinkFailures(sink: SinkUnderTest): void {
  describe(`${sink.name}, as every sink that fails,`, () => {
    /** Writes all at once and closes; gives why closing failed. */
    async function writeAll(queues: TwoQueues, writer: Writer, items: Iterable<unknown>): Promise<unknown> {
      for (const item of items) void writer.write(item).catch(() => undefined);
      const [closed] = await queues.run(Promise.allSettled([writer.close()]));
      await queues.clock.advance(100);
      return closed.status === 'rejected' ? closed.reason : undefined;
    }

    it.each<[string, SinkOptions | undefined]>([
      ['nobody takes them', undefined],
      ['onRejected throws', { onRejected: () => Promise.reject(new Error('no place for it')) }],
    ])('retries the messages of every item that failed when %s, and tells of each', async (_, options) => {
      const hand = await inHand(4);
      const { queues, messages, told } = hand;
      const [one, two, three, four] = messages as [LeasedMessage, LeasedMessage, LeasedMessage, LeasedMessage];
      const items = [forward(one, [1n]), forward(two, ['a']), forward(three, [2n]), forward(four, [undefined])];
      const error = await writeAll(queues, sink.open(queues.out, options), items);
      expect(String(error)).toMatch(options === undefined ? /Cannot push item 0 of the stream/ : /no place for it/);
      expect(queues.bodies('out')).toEqual(['a']);
      expect(queues.entries('acked')).toMatchObject([{ messageId: two.id }]);
      expect(retried(queues)).toEqual(ids([one, three, four]));
      expect(told()).toEqual(ids([one, three, four]));
      await expectClosable(hand);
    });

    it('gives every item that failed to onRejected, also after it threw for one', async () => {
      const { queues, messages } = await inHand(3);
      const items = messages.map((message) => forward(message, [1n]));
      const rejected: unknown[] = [];
      const onRejected = (item: unknown): void => {
        rejected.push(item);
        throw new Error(`no place for ${items.indexOf(item as Forward<bigint>)}`);
      };
      const error = await writeAll(queues, sink.open(queues.out, { onRejected }), items);
      expect(rejected).toEqual(items);
      expect(error).toEqual(new Error('no place for 0'));
    });

    it('retries the messages of all batches when none can be pushed', async () => {
      const hand = await inHand(9);
      const { queues, messages, told } = hand;
      queues.outCalls.faults = () => 'unauthorized';
      const long = 'x'.repeat(100_000);
      await writeAll(
        queues,
        sink.open(queues.out),
        messages.map((message) => forward(message, [long])),
      );
      expect(retried(queues)).toEqual(ids(messages));
      expect(told()).toEqual(ids(messages));
      await expectClosable(hand);
    });

    it('retries what waits for no answer of onRejected; and what does, when it is broken off', async () => {
      const hand = await inHand(2);
      const { queues, messages } = hand;
      const onRejected = (item: unknown): unknown =>
        (item as Forward).messages[0] === messages[0] ? new Promise(() => undefined) : undefined;
      const writer = sink.open(queues.out, { onRejected });
      for (const message of messages) void writer.write(forward(message, [1n])).catch(() => undefined);
      await queues.clock.advance(1_000);
      expect(retried(queues)).toEqual(ids(messages.slice(1)));
      await queues.run(writer.destroy(new Error('enough')).catch(() => undefined));
      await expectClosable(hand);
      expect(retried(queues)).toEqual(ids(messages));
    });

    it('waits for no dead letter queue that refuses what onRejected moves there', async () => {
      const hand = await inHand(2);
      const { queues, messages } = hand;
      queues.jobsCalls.refuses = () => true;
      const onRejected = (item: unknown): unknown =>
        Promise.all(
          (item as Forward<bigint>).messages.map((message) => (message as LeasedMessage).deadLetter(queues.jobs)),
        );
      const items = messages.map((message) => forward(message, [1n]));
      expect(await writeAll(queues, sink.open(queues.out, { onRejected }), items)).toBeUndefined();
      expect(retried(queues)).toEqual(ids(messages));
      await expectClosable(hand);
    });

    it.each<unknown>([undefined, null, 0, '', false])(
      'takes %j that onRejected throws for no success',
      async (nothing) => {
        const hand = await inHand(1);
        const { queues, messages } = hand;
        const onRejected = (): Promise<never> => Promise.reject(nothing);
        const writer = sink.open(queues.out, { onRejected });
        const write = writer.write(forward(messages[0]!, [1n]));
        const [written, closed] = await queues.run(Promise.allSettled([write, writer.close()]));
        expect([written.status, closed.status]).toEqual(['rejected', 'rejected']);
        await expectClosable(hand);
      },
    );

    it.each<unknown>([undefined, null, 0])('takes a push that rejects with %j for no confirmation', async (nothing) => {
      const hand = await inHand(2);
      const { queues, messages } = hand;
      queues.outCalls.push = () => Promise.reject(nothing);
      queues.outCalls.bulkPush = () => Promise.reject(nothing);
      const items = messages.map((message) => forward(message, ['a']));
      const writer = sink.open(queues.out, { onRejected: () => undefined });
      expect(await writeAll(queues, writer, items)).toMatchObject({ code: 'transport-failed' });
      expect(retried(queues)).toEqual(ids(messages));
      expect(queues.entries('acked')).toEqual([]);
      await expectClosable(hand);
    });

    it('gives an item whose reading throws to onRejected, and goes on', async () => {
      const hand = await inHand(2);
      const { queues, messages } = hand;
      const hostile = (what: unknown): unknown => {
        let reads = 0;
        return {
          get again() {
            reads += 1;
            if (reads > 1) throw what;
            return null;
          },
        };
      };
      const items = [
        forward(messages[0]!, [hostile(new Error('read it once'))]),
        forward(messages[1]!, [hostile(undefined)]),
      ];
      const rejected: unknown[] = [];
      const writer = sink.open(queues.out, { onRejected: (item, error) => void rejected.push(item, error) });
      expect(await writeAll(queues, writer, [...items, 'next'])).toBeUndefined();
      expect(rejected).toEqual([items[0], expect.any(TypeError), items[1], expect.any(TypeError)]);
      expect(queues.bodies('out')).toEqual(['next']);
      expect(retried(queues)).toEqual(ids(messages));
      await expectClosable(hand);
    });

    it.each<[string, (messages: readonly Forwardable[]) => unknown]>([
      ['a message twice', ([one, two]) => [one, one, two]],
      ['what is no message', ([one, two]) => [one, null, {}, two]],
      ['no messages at all', () => undefined],
    ])('gives a made-up group of %s to onRejected, and retries what it can', async (_, made) => {
      const hand = await inHand(2);
      const { queues, messages, told } = hand;
      const group = forward<unknown>([], ['a']);
      const item = { ...group, messages: made(messages) };
      const rejected: unknown[] = [];
      const onRejected = (given: unknown, error: unknown): void => void rejected.push(given, error);
      expect(await writeAll(queues, sink.open(queues.out, { onRejected }), [item, 'next'])).toBeUndefined();
      expect(rejected).toEqual([item, expect.any(TypeError)]);
      expect(queues.bodies('out')).toEqual(['next']);
      const taken = item.messages === undefined ? [] : messages;
      expect(retried(queues)).toEqual(ids(taken));
      expect(told()).toEqual(ids(taken));
      if (taken.length === 0) for (const message of messages) void message.ack();
      await expectClosable(hand);
    });

    it('settles the others when a message can not be asked to', async () => {
      const hand = await inHand(2);
      const { queues, messages } = hand;
      // A proxy has none of the private parts of what is behind it.
      const broken = (): LeasedMessage => new Proxy(messages[0]!, {});
      const items = [forward([broken(), messages[1]!], ['a']), forward<unknown>(broken(), [1n]), 'next'];
      expect(await writeAll(queues, sink.open(queues.out, { onRejected: () => undefined }), items)).toBeUndefined();
      expect(queues.entries('acked')).toMatchObject([{ messageId: messages[1]!.id }]);
      expect(queues.bodies('out')).toEqual(['a', 'next']);
      void messages[0]!.ack();
      await expectClosable(hand);
    });

    it.each<[string, (writer: Writer, queues: TwoQueues) => Promise<unknown>]>([
      // A Node stream fails when it is written to after its end.
      ['closed', (writer) => writer.close().catch(() => undefined)],
      ['broken off', (writer) => writer.destroy(new Error('enough')).catch(() => undefined)],
      [
        'failed',
        async (writer) => {
          void writer.write(1n).catch(() => undefined);
          await writer.close().catch(() => undefined);
        },
      ],
    ])('retries, once, what is written when it has %s, and as it does', async (_, end) => {
      const hand = await inHand(3);
      const { queues, messages, told } = hand;
      const [before, meanwhile, after] = messages as [LeasedMessage, LeasedMessage, LeasedMessage];
      const writer = sink.open(queues.out, { lingerMs: 1_000 });
      const write = (message: LeasedMessage): unknown => writer.write(forward(message, ['a'])).catch(() => undefined);
      write(before);
      const ended = end(writer, queues);
      write(meanwhile);
      await queues.run(ended);
      write(after);
      await queues.clock.advance(1_000);
      const acked = queues.entries('acked').map(({ messageId }) => messageId);
      expect(acked).toEqual(queues.bodies('out').length === 0 ? [] : [before.id]);
      const failed = ids(messages.filter(({ id }) => !acked.includes(id)));
      expect(retried(queues)).toEqual(failed);
      expect(told()).toEqual(failed);
      await expectClosable(hand);
      queues.expectGone();
    });

    it.each<[string, (writer: Writer) => Promise<unknown>]>([
      ['closed', (writer) => writer.close()],
      ['broken off', (writer) => writer.destroy(new Error('enough')).catch(() => undefined)],
      ['failed', (writer) => writer.write(1n).catch(() => undefined)],
    ])('acknowledges nothing that a handler which does not wait writes when it has %s', async (_, end) => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out);
      await queues.run(end(writer));
      queues.fill(1);
      const controller = new AbortController();
      const processing = queues.jobs.process(
        (message) => {
          void writer.write(forward(message, ['a'])).catch(() => undefined);
        },
        { signal: controller.signal },
      );
      await queues.clock.advance(1_000);
      expect(queues.entries('acked')).toEqual([]);
      expect(queues.entries('retried')).toHaveLength(1);
      controller.abort();
      await queues.run(processing);
    });

    it('pushes what was written last, of a stream that everybody has forgotten', async () => {
      const hand = await inHand(1);
      const { queues, messages } = hand;
      void sink.open(queues.out).write(forward(messages[0]!, ['a']));
      await queues.clock.advance(100);
      expect(queues.entries('acked')).toHaveLength(1);
      await expectClosable(hand);
    });

    it('retries what waits for an answer that never comes, of a stream that everybody has forgotten', async () => {
      const hand = await inHand(1);
      const { queues, messages } = hand;
      const forget = async (): Promise<void> => {
        const writer = sink.open(queues.out, { onRejected: () => new Promise(() => undefined) });
        void writer.write(forward(messages[0]!, [1n])).catch(() => undefined);
        await queues.clock.advance(1_000);
      };
      await forget();
      await collected(() => hand.told().length > 0);
      await expectClosable(hand);
      expect(retried(queues)).toEqual(ids(messages));
    });

    it('ends, whatever becomes of it, when the consumer has closed meanwhile', async () => {
      const { queues, consumer, messages } = await inHand(2);
      const writer = sink.open(queues.out, { lingerMs: 10, onRejected: () => queues.wait(20_000) });
      void writer.write(forward(messages[0]!, [1n]));
      void writer.write(forward(messages[1]!, ['a']));
      queues.outCalls.latencyMs = 20_000;
      const summary = await queues.run(consumer.close({ graceMs: 0 }));
      expect(summary).toMatchObject({ abandoned: 2, inFlight: 0 });
      await queues.run(writer.close());
      expect([queues.entries('acked'), queues.entries('retried')]).toEqual([[], []]);
      queues.expectGone();
    });
  });
}
