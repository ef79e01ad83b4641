import { describe, expect, it } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { forward, openQueue, type Queue, type QueueOptions } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { surfaces } from './context-surfaces.ts';
import { Recorder } from './observed.ts';

function open(options: Partial<QueueOptions<string>> = {}) {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {}, done: {} } });
  const recorder = new Recorder();
  const opening = (name: string): Queue<string> =>
    openQueue<string>({
      transport: broker.transport(name),
      queueName: name,
      clock,
      observer: recorder,
      ...options,
    } as QueueOptions<string>);
  const push = (count: number): string[] =>
    Array.from({ length: count }, (_, n) => broker.push('jobs', { body: `${n}` }));
  return { clock, broker, recorder, queue: opening('jobs'), opening, push };
}

describe.each(Object.entries(surfaces))('an observer of %s', (_, surface) => {
  it('is told of the work on each message once, of its begin and of its end', async () => {
    const { clock, queue, recorder, push } = open();
    const ids = push(12);
    let handled = 0;
    const { stop } = surface(queue, async (message, done) => {
      handled += 1;
      await message.ack();
      done?.();
    });
    for (let turns = 0; handled < 12 && turns < 1_000; turns += 1) await clock.advance(20);
    await clock.runUntil(stop());
    expect(recorder.processed.flat().toSorted()).toEqual(ids.toSorted());
    for (const { start, ends } of recorder.of('process')) {
      const { length } = start['messages'] as string[];
      expect(ends).toEqual([{ acks: length, retries: 0, abandoned: 0, durationMs: expect.any(Number) as number }]);
    }
    for (const { name, ends } of recorder.told) expect([name, ends.length]).toEqual([name, 1]);
  });
});

describe('an observer', () => {
  it('is told of the handle, of each consumer, and of what it does', async () => {
    const { clock, queue, recorder, push } = open();
    push(3);
    await clock.runUntil(queue.process(() => undefined, { stopWhenEmpty: true }));
    expect(recorder.opened).toEqual(['jobs']);
    const [consumer] = recorder.consumers;
    expect(consumer?.queue.name).toBe('jobs');
    expect(consumer?.stats()).toMatchObject({ acked: 3, inFlight: 0 });
    await consumer?.closed;
    const pulls = recorder.of('receive');
    const answers = pulls.flatMap(({ ends }) => ends);
    expect(pulls[0]?.start).toMatchObject({ visibilityTimeoutMs: 30_000, batchSize: expect.any(Number) as number });
    expect(answers.flatMap(({ messages }) => messages)).toMatchObject([{ attempts: 1 }, { attempts: 1 }, {}]);
    expect(answers[0]).toMatchObject({ backlogCount: 3 });
    expect(answers.at(-1)).toMatchObject({ backlogCount: 0, messages: [] });
    const settled = recorder.of('settle').flatMap(({ start }) => start['messages'] as object[]);
    expect(settled).toHaveLength(3);
    expect(settled[0]).toEqual({ id: expect.any(String) as string, attempts: 1, kind: 'ack' });
  });

  it('is told why work fails, in what runs it', async () => {
    const { clock, queue, recorder, push } = open();
    push(1);
    const failure = new Error('no');
    const running = queue.process(
      ({ attempts }) => {
        if (attempts === 1) throw failure;
      },
      { stopWhenEmpty: { forMs: 10_000 }, retryDelaySeconds: 1 },
    );
    await clock.runUntil(running);
    const [failed, repeated] = recorder.of('process');
    expect(failed?.ends).toMatchObject([{ error: failure, acks: 0, retries: 1 }]);
    expect(repeated?.ends[0]).not.toHaveProperty('error');
    expect(recorder.of('process').map(({ start, runs }) => [start['isRun'], runs])).toEqual([
      [true, 1],
      [true, 1],
    ]);
    expect(recorder.events).toMatchObject([{ type: 'handlerFailed', error: failure }]);
  });

  it('is told just what onEvent is told', async () => {
    const { clock, queue, recorder, push } = open();
    push(5);
    const events: unknown[] = [];
    const running = queue.process(
      ({ attempts }) => {
        if (attempts < 3) throw new Error('no');
      },
      { stopWhenEmpty: { forMs: 10_000 }, retryDelaySeconds: 1, onEvent: (event) => void events.push(event) },
    );
    await clock.runUntil(running);
    expect(events).toHaveLength(10);
    expect(recorder.events).toEqual(events);
  });

  it('is told of work that nobody waits for any longer, once', async () => {
    const { clock, queue, recorder, push } = open();
    push(2);
    const ends: (() => void)[] = [];
    const processor = queue.process(() => new Promise<void>((resolve) => ends.push(resolve)), { concurrency: 2 });
    await clock.advance(1_000);
    expect(recorder.of('process').map(({ ends: { length } }) => length)).toEqual([0, 0]);
    await clock.runUntil(processor.close({ graceMs: 0 }));
    for (const end of ends) end();
    await clock.advance(60_000);
    expect(recorder.of('process').map(({ ends: told }) => told)).toMatchObject([
      [{ abandoned: 1 }],
      [{ abandoned: 1 }],
    ]);
  });

  it('is told of work of code that can not be seen when its lease ends', async () => {
    const { clock, queue, recorder, push } = open();
    push(1);
    const consumer = queue.consume({ settle: 'manual' });
    const reading = (async () => {
      for await (const _ of consumer);
    })();
    await clock.advance(31_000);
    expect(recorder.of('process')[0]?.ends).toMatchObject([{ abandoned: 1, acks: 0, retries: 0 }]);
    await clock.runUntil(consumer.close());
    await reading;
  });

  it('is told of a batch as one', async () => {
    const { clock, queue, recorder, push } = open();
    push(4);
    const options = { size: 4, maxWaitMs: 0, concurrency: 1, stopWhenEmpty: true } as const;
    const running = queue.processBatches(({ messages }) => void messages[0]?.retry({ delaySeconds: 30 }), {
      ...options,
      stopWhenEmpty: { forMs: 1 },
    });
    await clock.runUntil(running);
    const [first] = recorder.of('process');
    expect(first?.start).toMatchObject({ isBatch: true, isRun: true });
    const [end] = first?.ends ?? [];
    expect(end).toMatchObject({ retries: 1, acks: (recorder.processed[0]?.length ?? 0) - 1 });
  });

  it('is told of each send, and of how many messages were not confirmed', async () => {
    const { clock, queue, recorder } = open();
    await clock.runUntil(Promise.all([queue.send('a'), queue.send('b')]));
    await clock.runUntil(queue.sendBatch([{ body: 'c' }, { body: 'd' }]));
    await expect(queue.send(undefined as unknown as string)).rejects.toThrow(TypeError);
    await expect(queue.sendBatch([{ body: 'e' }, { body: Number.NaN as unknown as string }])).rejects.toThrow(
      TypeError,
    );
    expect(
      recorder.of('send').map(({ start, ends: [end] }) => [start['messages'], start['isBatch'], end?.['failed']]),
    ).toEqual([
      [1, false, 0],
      [1, false, 0],
      [2, true, 0],
      [1, false, 1],
      [2, true, 2],
    ]);
    for (const { ends } of recorder.told) expect(ends).toHaveLength(1);
  });

  it('is told of what is written to a sink', async () => {
    const { clock, queue, opening, recorder, push } = open();
    push(6);
    const readable = toReadable(queue);
    const writable = toWritable(opening('done'));
    readable.on('data', (message) => void writable.write(forward(message, [message.body, 'more'])));
    for (let turns = 0; recorder.of('send').length < 6 && turns < 1_000; turns += 1) await clock.advance(20);
    await clock.advance(1_000);
    readable.destroy();
    await clock.advance(2_000);
    expect(recorder.of('send').map(({ start, ends }) => [start['messages'], ends.length, ends[0]?.['failed']])).toEqual(
      Array.from({ length: 6 }, () => [2, 1, 0]),
    );
    expect(recorder.of('process').map(({ ends }) => ends[0]?.['acks'])).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('harms nobody by what it throws', async () => {
    const no = (): never => {
      throw new Error('no');
    };
    const observer = { open: no, consume: no, event: no, send: no, receive: no, process: no, settle: no };
    const { clock, queue } = open({ observer });
    await clock.runUntil(queue.send('a'));
    const summary = await clock.runUntil(
      queue.process(
        ({ attempts }) => {
          if (attempts === 1) throw new Error('the work');
        },
        { stopWhenEmpty: { forMs: 10_000 }, retryDelaySeconds: 1 },
      ),
    );
    expect(summary).toMatchObject({ acked: 1, retried: 1, reason: 'empty' });
    expect(String(summary.lastError)).toContain('the work');
  });

  it.each([null, 'loud', {}, { process: true }, [{}], [{ send: () => undefined }, 7]])('can not be %j', (observer) => {
    expect(() => open({ observer } as never)).toThrow(
      /^Cannot open a queue as 'observer' must be an Observer, or several: current value is /,
    );
  });

  it('adds nothing to a body that is moved as it came', async () => {
    const broker = createBroker({ queues: { jobs: {}, dead: {} } });
    const inject = (body: unknown): unknown => ({ ...(body as object), added: true });
    const observer = { send: () => ({ inject, end: () => undefined }) };
    const dead = openQueue({ transport: broker.transport('dead'), observer });
    broker.push('jobs', { body: { id: 1 } });
    const queue = openQueue({ transport: broker.transport('jobs') });
    await queue.process((message) => message.deadLetter(dead), { stopWhenEmpty: true });
    await dead.send({ id: 2 });
    expect(broker.inspect('dead').messages.map(({ body }) => body)).toEqual([{ id: 1 }, { id: 2, added: true }]);
  });
});
