import { describe, expect, it } from 'vitest';
import { createBroker } from '../../src/broker.ts';
import { envelope, type LeasedMessage, openQueue, type Queue } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';
import { toReadableStream, toWritableStream } from '../../src/web.ts';

/** Everything that takes options, called with what is none. */
const calls: Readonly<Record<string, (queue: Queue, options: never) => unknown>> = {
  consume: (queue, options) => queue.consume(options),
  process: (queue, options) => queue.process(() => undefined, options),
  batches: (queue, options) => queue.batches(options),
  processBatches: (queue, options) => queue.processBatches(() => undefined, options),
  send: (queue, options) => queue.send('body', options),
  sendBatch: (queue, options) => queue.sendBatch([{ body: 'body' }], options),
  close: (queue, options) => queue.consume().close(options),
  toReadable: (queue, options) => toReadable(queue, options),
  toWritable: (queue, options) => toWritable(queue, options),
  toReadableStream: (queue, options) => toReadableStream(queue, options),
  toWritableStream: (queue, options) => toWritableStream(queue, options),
  toObservable: (queue, options) => toObservable(queue, options),
  envelope: (_, options) => envelope('body', options),
  settleMap: (_, options) => settleMap(() => [], options),
};

describe.each(Object.entries(calls))('%s, given what is no options', (_, call) => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [30, '30'],
    ['auto', "'auto'"],
  ])('says so of %o', async (options, shown) => {
    const queue = openQueue(createBroker().queue('jobs'));
    const called = async (): Promise<unknown> => call(queue, options as never);
    await expect(called()).rejects.toThrow(`as 'options' must be an object: current value is ${shown}`);
    await expect(called()).rejects.toThrow(TypeError);
    expect(await queue.metrics()).toMatchObject({ backlogCount: 0 });
  });
});

describe.each<[string, (message: LeasedMessage, queue: Queue) => unknown]>([
  ['retry', (message) => message.retry(30 as never)],
  ['deadLetter', (message, queue) => message.deadLetter(queue, null as never)],
])('%s(), given what is no options', (_, settle) => {
  it('throws at once, and leaves the message as it was', async () => {
    const queue = openQueue(createBroker().queue('jobs'));
    await queue.send('body');
    for await (const message of queue.consume({ stopWhenEmpty: true })) {
      expect(() => settle(message, queue)).toThrow(TypeError);
      expect(() => settle(message, queue)).toThrow("'options' must be an object");
      expect(await message.ack()).toEqual({ outcome: 'acked', late: false });
    }
    expect(await queue.metrics()).toMatchObject({ backlogCount: 0 });
  });
});
