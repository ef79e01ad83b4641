import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { envelope, forward, type LeasedMessage } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { openTwoQueues } from './two-queues.ts';

describe('gathering', () => {
  it('is told of an empty queue while the leases of what it has gathered last', async () => {
    const queues = openTwoQueues();
    queues.fill(5);
    const gather = async function* (messages: AsyncIterable<LeasedMessage>): AsyncGenerator {
      let pair: LeasedMessage[] = [];
      for await (const message of messages) {
        pair.push(message);
        if (pair.length < 2) continue;
        yield forward(pair, ['two']);
        pair = [];
      }
      yield forward(pair, ['one']);
    };
    const source = toReadable(queues.jobs, { stopWhenEmpty: true, minInFlight: 4, visibilityTimeoutMs: 10_000 });
    await queues.run(pipeline(source, gather, toWritable(queues.out)));
    expect(queues.entries('acked')).toHaveLength(5);
    expect(queues.entries('delivered')).toHaveLength(5);
    expect(queues.clock.monotonic()).toBeLessThan(6_000);
    queues.expectGone();
  });
});

describe('toReadable()', () => {
  it('asks for one message at a time, and has no buffer of its own', async () => {
    const queues = openTwoQueues();
    queues.fill(10);
    const stream = toReadable(queues.jobs);
    expect([stream.readableHighWaterMark, stream.readableObjectMode]).toEqual([0, true]);
    stream.on('readable', () => undefined);
    await queues.clock.advance(1_000);
    expect(stream.readableLength).toBeLessThanOrEqual(1);
    stream.destroy();
    await queues.run(once(stream, 'close'));
    queues.expectGone();
  });

  it('gives back what it had been given and nobody read', async () => {
    const queues = openTwoQueues();
    queues.fill(10);
    const stream = toReadable(queues.jobs);
    stream.on('readable', () => undefined);
    await queues.clock.advance(1_000);
    expect(stream.readableLength).toBe(1);
    stream.destroy();
    await queues.run(once(stream, 'close'));
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 10, leased: 0 });
    queues.expectGone();
  });

  it.each([
    ['flows', (stream: Readable, take: (message: unknown) => void) => stream.on('data', take).resume()],
    ['is read', (stream: Readable, take: (message: unknown) => void) => queueMicrotask(() => take(stream.read()))],
  ])('gives nobody what it has given back, though it %s when it is destroyed', async (_, read) => {
    const queues = openTwoQueues();
    queues.fill(1);
    const taken: unknown[] = [];
    const stream = toReadable(queues.jobs);
    stream.on('readable', () => undefined);
    await queues.clock.advance(1_000);
    expect(stream.readableLength).toBe(1);
    stream.removeAllListeners('readable');
    read(stream, (message) => taken.push(message));
    stream.destroy();
    await queues.run(once(stream, 'close'));
    expect(taken.filter((message) => message !== null)).toEqual([]);
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 1, leased: 0 });
    queues.expectGone();
  });

  it('does not pull before it is read', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    toReadable(queues.jobs);
    await queues.clock.advance(60_000);
    expect(queues.jobsCalls.calls).toEqual([]);
  });

  it("is destroyed by what a 'data' listener throws, whose message is retried", async () => {
    const queues = openTwoQueues();
    queues.fill(3);
    const stream = toReadable(queues.jobs, { visibilityTimeoutMs: 60_000 });
    const failure = new Error('the listener fails');
    let count = 0;
    stream.on('data', (message) => {
      count += 1;
      if (count === 2) throw failure;
      void message.ack();
    });
    const [error] = await queues.run(once(stream, 'error'));
    expect(error).toBe(failure);
    if (!stream.closed) await queues.run(once(stream, 'close'));
    expect(count).toBe(2);
    await queues.clock.advance(1_000);
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 2, leased: 0 });
    queues.expectGone();
  });

  it('is destroyed by a signal that has aborted before', async () => {
    const queues = openTwoQueues();
    const stream = toReadable(queues.jobs, { signal: AbortSignal.abort() });
    await expect(queues.run(finished(stream))).rejects.toMatchObject({ name: 'AbortError' });
    queues.expectGone();
  });

  it('takes a consumer, whose close() ends the stream when the rest is written', async () => {
    const queues = openTwoQueues();
    queues.fill(100);
    const consumer = queues.jobs.consume();
    async function* move(messages: AsyncIterable<LeasedMessage>): AsyncGenerator {
      for await (const message of messages) {
        await queues.wait(10);
        yield forward(message, [message.body]);
      }
    }
    const moving = pipeline(toReadable(consumer), move, toWritable(queues.out));
    await queues.clock.advance(300);
    const [summary] = await queues.run(Promise.all([consumer.close(), moving]));
    expect(summary).toMatchObject({ reason: 'closed', abandoned: 0, lost: 0, inFlight: 0 });
    expect(summary.acked).toBeGreaterThan(10);
    expect(queues.bodies('out')).toHaveLength(summary.acked);
    expect(queues.bodies('jobs')).toHaveLength(100 - summary.acked);
    queues.expectGone();
  });
});

describe('toWritable()', () => {
  it('calls back in order, each write once', async () => {
    const queues = openTwoQueues();
    const stream = toWritable(queues.out);
    const called: number[] = [];
    for (let id = 0; id < 250; id += 1) stream.write({ id }, () => called.push(id));
    await queues.run(new Promise<void>((resolve) => void stream.end(resolve)));
    expect(called).toEqual(Array.from({ length: 250 }).map((_, id) => id));
  });

  it('takes every form of write() and end()', async () => {
    const queues = openTwoQueues();
    const stream = toWritable(queues.out);
    await queues.run(
      Promise.all([
        new Promise<void>((resolve) => void stream.write(1, 'utf8', () => resolve())),
        new Promise<void>((resolve) => void stream.write(2, () => resolve())),
      ]),
    );
    await queues.run(new Promise<void>((resolve) => void stream.end(3, 'utf8', resolve)));
    expect(queues.bodies('out')).toEqual([1, 2, 3]);
    queues.expectGone();
    const other = toWritable(queues.out);
    await queues.run(new Promise<void>((resolve) => void other.end(4, resolve)));
    expect(queues.bodies('out')).toEqual([1, 2, 3, 4]);
  });

  it('refuses null as any of Node’s streams does, and pushes it in an envelope', async () => {
    const queues = openTwoQueues();
    const stream = toWritable(queues.out);
    expect(() => stream.write(null)).toThrow(expect.objectContaining({ code: 'ERR_STREAM_NULL_VALUES' }));
    const other = toWritable(queues.out);
    other.end(envelope(null));
    await queues.run(finished(other));
    expect(queues.bodies('out')).toEqual([null]);
  });

  it('refuses a write after the end as any of Node’s streams does, and retries its messages', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    const iterator = queues.jobs.consume({ settle: 'manual' })[Symbol.asyncIterator]();
    const { value: message } = await queues.run(iterator.next());
    const stream = toWritable(queues.out);
    stream.end();
    const failed = new Promise((resolve) => void stream.write(forward(message!, [1]), resolve));
    stream.on('error', () => undefined);
    expect(await queues.run(failed)).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    await queues.clock.advance(100);
    expect(queues.entries('retried')).toHaveLength(1);
    await queues.run(iterator.return!());
    queues.expectGone();
  });

  it('leaves its writer’s own cork() as it is', async () => {
    const queues = openTwoQueues();
    const stream = toWritable(queues.out);
    stream.cork();
    stream.write(1);
    stream.write(2);
    await queues.clock.advance(1_000);
    expect(queues.outCalls.calls).toEqual([]);
    stream.uncork();
    await queues.clock.advance(100);
    expect(queues.bodies('out')).toEqual([1, 2]);
    stream.end();
    await queues.run(finished(stream));
  });

  it('is flushed by pipeline()', async () => {
    const queues = openTwoQueues();
    await queues.run(
      pipeline(Readable.from(Array.from({ length: 1_000 }, (_, id) => ({ id }))), toWritable(queues.out)),
    );
    expect(queues.bodies('out')).toHaveLength(1_000);
    expect(queues.outCalls.of('push').length).toBeLessThanOrEqual(12);
    queues.expectGone();
  });

  it('retries what a pipeline had in hand when that fails, and acknowledges nothing that was not pushed', async () => {
    const queues = openTwoQueues();
    queues.fill(60);
    let count = 0;
    async function* poisoned(messages: AsyncIterable<LeasedMessage>): AsyncGenerator {
      for await (const message of messages) {
        count += 1;
        if (count === 40) throw new Error('poison');
        yield forward(message, [message.body]);
      }
    }
    const moving = pipeline(
      toReadable(queues.jobs),
      poisoned,
      new PassThrough({ objectMode: true }),
      toWritable(queues.out),
    );
    await expect(queues.run(moving)).rejects.toThrow('poison');
    await queues.clock.advance(60_000);
    const pushed = queues.bodies('out');
    expect(queues.entries('acked')).toHaveLength(pushed.length);
    expect(queues.bodies('jobs')).toHaveLength(60 - pushed.length);
    queues.expectGone();
  });
});

describe('a pipeline whose sink fails for several items', () => {
  it('lets its consumer close at once: every message is retried', async () => {
    const queues = openTwoQueues();
    queues.fill(4);
    const consumer = queues.jobs.consume({ minInFlight: 4, visibilityTimeoutMs: 600_000 });
    const source = toReadable(consumer);
    const spoil = async function* (messages: AsyncIterable<LeasedMessage>): AsyncGenerator {
      for await (const message of messages) yield forward(message, [1n]);
    };
    const failure = pipeline(source, spoil, toWritable(queues.out, { lingerMs: 100 })).catch((error: unknown) => error);
    await queues.clock.advance(50);
    const startedAt = queues.clock.now();
    await queues.run(consumer.close());
    expect(queues.clock.now() - startedAt).toBeLessThan(3_000);
    expect(await queues.run(failure)).toBeInstanceOf(TypeError);
    expect(queues.entries('retried')).toHaveLength(4);
    queues.expectGone();
  });
});

describe('toWritable() at its end', () => {
  it('reports a message whose group could not be pushed once, and none whose group was', async () => {
    const queues = openTwoQueues();
    queues.fill(2);
    const failed: string[] = [];
    const source = toReadable(queues.jobs, {
      minInFlight: 2,
      onEvent: (event) => event.type === 'handlerFailed' && failed.push(event.message.id),
    });
    const messages: LeasedMessage[] = [];
    source.on('data', (message: LeasedMessage) => messages.push(message));
    await queues.clock.advance(1_000);
    const [good, bad] = messages;
    if (good === undefined || bad === undefined) throw new Error('Two messages should have come');
    const sink = toWritable(queues.out);
    const failing = finished(sink);
    sink.write(forward(good, ['fine']));
    sink.write(forward(bad, [10n]));
    await expect(queues.run(failing)).rejects.toThrow(TypeError);
    await queues.clock.advance(1_500);
    expect(queues.entries('acked').map(({ messageId }) => messageId)).toEqual([good.id]);
    expect(failed).toEqual([bad.id]);
    source.destroy();
    await queues.clock.advance(60_000);
    queues.expectGone();
  });

  it('waits half a second for onRejected when it is destroyed', async () => {
    const queues = openTwoQueues();
    const sink = toWritable(queues.out, { onRejected: () => new Promise<void>(() => undefined) });
    sink.write(10n);
    await queues.clock.advance(1_000);
    sink.destroy();
    await queues.clock.advance(499);
    expect(sink.closed).toBe(false);
    await queues.clock.advance(1);
    expect(sink.closed).toBe(true);
    queues.expectGone();
  });

  it.each(['for await', 'process'] as const)(
    'settles what %s hands on without waiting, and only when that is pushed or refused',
    async (surface) => {
      const queues = openTwoQueues();
      queues.fill(6);
      const refused: unknown[] = [];
      const sink = toWritable(queues.out, { onRejected: (item) => void refused.push(item) });
      const handOn = (message: LeasedMessage): void => {
        const isTooLarge = message.body === 3 && message.attempts === 1;
        sink.write(forward(message, [isTooLarge ? 'x'.repeat(130_000) : message.body]));
      };
      const loop = async (): Promise<void> => {
        for await (const message of queues.jobs.consume({ stopWhenEmpty: { forMs: 20_000 } })) handOn(message);
      };
      await queues.run<unknown>(
        surface === 'process' ? queues.jobs.process(handOn, { stopWhenEmpty: { forMs: 20_000 } }) : loop(),
      );
      expect(refused).toHaveLength(1);
      expect(new Set(queues.bodies('out'))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
      expect(queues.bodies('out')).toHaveLength(6);
      expect(queues.entries('retried')).toHaveLength(1);
      expect(queues.entries('acked')).toHaveLength(6);
      expect(queues.bodies('jobs')).toEqual([]);
      await queues.run(finished(sink.end()));
      queues.expectGone();
    },
  );
});
