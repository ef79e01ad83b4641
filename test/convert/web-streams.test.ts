import { describe, expect, it } from 'vitest';
import { forward } from '../../src/index.ts';
import { toReadableStream, toWritableStream } from '../../src/web.ts';
import { openTwoQueues } from './two-queues.ts';

describe('toReadableStream()', () => {
  it('does not pull before it is read', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    toReadableStream(queues.jobs);
    await queues.clock.advance(60_000);
    expect(queues.jobsCalls.calls).toEqual([]);
  });

  it('answers reads that wait side by side in order', async () => {
    const queues = openTwoQueues();
    queues.fill(4);
    const reader = toReadableStream(queues.jobs, { minInFlight: 4 }).getReader();
    const reads = await queues.run(Promise.all([1, 2, 3, 4].map(() => reader.read())));
    expect(reads.map(({ value }) => value?.body)).toEqual([0, 1, 2, 3]);
    await queues.run(reader.cancel());
    queues.expectGone();
  });

  it('gives back a message that came for a reader who had gone', async () => {
    const queues = openTwoQueues();
    queues.fill(3);
    const stream = toReadableStream(queues.jobs);
    const reader = stream.getReader();
    const read = reader.read().catch(() => 'released');
    await queues.clock.advance(1);
    reader.releaseLock();
    expect(await read).toBe('released');
    await queues.clock.advance(100);
    expect(queues.broker.inspect('jobs').counts.leased).toBe(1);
    await queues.run(stream.cancel());
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ ready: 3, leased: 0 });
    queues.expectGone();
  });

  it('can be cancelled while nobody reads, and twice', async () => {
    const queues = openTwoQueues();
    const stream = toReadableStream(queues.jobs);
    await queues.run(stream.cancel());
    await expect(queues.run(stream.cancel())).resolves.toBeUndefined();
    queues.expectGone();
  });

  it('takes a consumer, whose close() ends a pipe when the rest is written', async () => {
    const queues = openTwoQueues();
    queues.fill(100);
    const consumer = queues.jobs.consume();
    const transform = new TransformStream({
      transform: async (message, controller) => {
        await queues.wait(10);
        controller.enqueue(forward(message, [message.body]));
      },
    });
    const moving = toReadableStream(consumer).pipeThrough(transform).pipeTo(toWritableStream(queues.out));
    await queues.clock.advance(300);
    const [summary] = await queues.run(Promise.all([consumer.close(), moving]));
    expect(summary).toMatchObject({ reason: 'closed', abandoned: 0, lost: 0, inFlight: 0 });
    expect(queues.bodies('out')).toHaveLength(summary.acked);
    expect(queues.bodies('jobs')).toHaveLength(100 - summary.acked);
    queues.expectGone();
  });
});

describe('toWritableStream()', () => {
  it('fails later writes, and closing, with the failure', async () => {
    const queues = openTwoQueues();
    queues.outCalls.faults = () => 'unauthorized';
    const writer = toWritableStream(queues.out).getWriter();
    const closed = writer.closed.catch((error: unknown) => error);
    await expect(queues.run(writer.write(1))).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(queues.run(writer.write(2))).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await closed).toMatchObject({ code: 'unauthorized' });
    queues.expectGone();
  });

  it('fails a pipe, which cancels its source', async () => {
    const queues = openTwoQueues();
    queues.fill(20);
    queues.outCalls.faults = () => 'unauthorized';
    const transform = new TransformStream({
      transform: (message, controller) => controller.enqueue(forward(message, [message.body])),
    });
    const moving = toReadableStream(queues.jobs).pipeThrough(transform).pipeTo(toWritableStream(queues.out));
    await expect(queues.run(moving)).rejects.toMatchObject({ code: 'unauthorized' });
    await queues.clock.advance(60_000);
    expect(queues.entries('acked')).toEqual([]);
    expect(queues.broker.inspect('jobs').counts).toMatchObject({ leased: 0, total: 20 });
    queues.expectGone();
  });

  it('goes on with another writer', async () => {
    const queues = openTwoQueues();
    const stream = toWritableStream(queues.out);
    const first = stream.getWriter();
    await queues.run(first.write(1));
    first.releaseLock();
    const second = stream.getWriter();
    await queues.run(Promise.all([second.write(2), second.close()]));
    expect(queues.bodies('out')).toEqual([1, 2]);
    queues.expectGone();
  });

  it.each(['releaseLock', 'abort'] as const)(
    'settles a write that is under way also when another one is refused after %s()',
    async (how) => {
      const queues = openTwoQueues();
      queues.outCalls.latencyMs = 100;
      const writer = toWritableStream(queues.out).getWriter();
      const fate = (written: Promise<void>): Promise<string> =>
        written.then(
          () => 'written',
          () => 'failed',
        );
      const first = fate(writer.write('first'));
      await queues.clock.advance(50);
      void Promise.resolve(writer[how]()).catch(() => undefined);
      expect(await fate(writer.write('second'))).toBe('failed');
      expect(await queues.run(Promise.race([first, queues.wait(60_000)]))).toMatch(/written|failed/);
      expect(queues.bodies('out')).toEqual(['first']);
    },
  );

  it('retries at once what is forwarded after it was closed', async () => {
    const queues = openTwoQueues();
    queues.fill(1);
    const reader = toReadableStream(queues.jobs).getReader();
    const { value: message } = await queues.run(reader.read());
    if (message === undefined) throw new Error('A message should have come');
    const writer = toWritableStream(queues.out).getWriter();
    await queues.run(writer.close());
    await expect(writer.write(forward(message, [1]))).rejects.toBeInstanceOf(Error);
    await queues.clock.advance(1_000);
    expect(queues.entries('retried')).toHaveLength(1);
    await queues.run(reader.cancel());
    queues.expectGone();
  });

  it.each<[string, (writer: WritableStreamDefaultWriter) => Promise<unknown>]>([
    ['closed', (writer) => writer.close()],
    ['aborted', (writer) => writer.abort(new Error('enough'))],
  ])('retries what a pipe, or whoever makes a writer of its own, writes while it is %s', async (_, end) => {
    const queues = openTwoQueues();
    queues.outCalls.latencyMs = 100;
    queues.fill(1);
    const consumer = queues.jobs.consume({ settle: 'manual', visibilityTimeoutMs: 600_000 });
    const { value: message } = await queues.run(consumer[Symbol.asyncIterator]().next());
    const writer = new WritableStreamDefaultWriter<unknown>(toWritableStream(queues.out));
    for (const promise of [writer.closed, writer.ready]) promise.catch(() => undefined);
    void writer.write('first').catch(() => undefined);
    await queues.clock.advance(50);
    void writer.write('second').catch(() => undefined);
    const ended = end(writer).catch(() => undefined);
    await expect(writer.write(forward(message!, ['a']))).rejects.toThrow();
    await queues.run(ended);
    const startedAt = queues.clock.now();
    await queues.run(consumer.close());
    expect(queues.clock.now() - startedAt).toBeLessThan(3_000);
    expect(queues.entries('retried')).toHaveLength(1);
    queues.expectGone();
  });
});

describe('a pipe whose sink fails for several items', () => {
  it('lets its consumer close at once: every message is retried', async () => {
    const queues = openTwoQueues();
    queues.fill(4);
    const consumer = queues.jobs.consume({ minInFlight: 4, visibilityTimeoutMs: 600_000 });
    const spoil = new TransformStream({
      transform: (message, controller) => controller.enqueue(forward(message, [1n])),
    });
    const failure = toReadableStream(consumer)
      .pipeThrough(spoil)
      .pipeTo(toWritableStream(queues.out, { lingerMs: 100 }))
      .catch((error: unknown) => error);
    await queues.clock.advance(50);
    const startedAt = queues.clock.now();
    await queues.run(consumer.close());
    expect(queues.clock.now() - startedAt).toBeLessThan(3_000);
    expect(await queues.run(failure)).toBeInstanceOf(TypeError);
    expect(queues.entries('retried')).toHaveLength(4);
    queues.expectGone();
  });
});
