import { describe, expect, it } from 'vitest';
import { createBroker } from '../../src/broker.ts';
import { openQueue, type Queue } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';
import { toReadableStream, toWritableStream } from '../../src/web.ts';

// As JavaScript has them.
const misspelt = (options: object): never => options as never;

const open = (): Queue => openQueue({ transport: createBroker({ queues: { jobs: {} } }).transport('jobs') });

const calls: readonly (readonly [call: string, wrong: string, allowed: string, make: (queue: Queue) => unknown])[] = [
  ['consume', 'lease', 'visibilityTimeoutMs', (queue) => queue.consume(misspelt({ lease: 1 }))],
  ['consume', 'key', 'ordered', (queue) => queue.consume(misspelt({ key: () => 'a' }))],
  ['consume', 'breaker.failure', 'failures', (queue) => queue.consume(misspelt({ breaker: { failure: 1 } }))],
  ['consume', 'rate.per', 'perMs', (queue) => queue.consume(misspelt({ rate: { limit: 1, per: 1 } }))],
  [
    'consume',
    'stopWhenEmpty.for',
    'forMs',
    (queue) => queue.consume(misspelt({ stopWhenEmpty: { forMs: 1, for: 1 } })),
  ],
  ['consume', 'concurency', 'concurrency', (queue) => queue.process(() => undefined, misspelt({ concurency: 1 }))],
  ['consume', 'size', 'handlerTimeoutMs', (queue) => queue.process(() => undefined, misspelt({ size: 1 }))],
  ['consume', 'sise', 'size', (queue) => queue.processBatches(() => undefined, misspelt({ sise: 1 }))],
  ['consume', 'concurrency', 'maxWaitMs', (queue) => queue.batches(misspelt({ concurrency: 1 }))],
  ['consume', 'concurrency', 'maxInFlight', (queue) => toObservable(queue, misspelt({ concurrency: 1 }))],
  ['consume', 'highWaterMark', 'maxInFlight', (queue) => toReadable(queue, misspelt({ highWaterMark: 1 }))],
  ['consume', 'highWaterMark', 'maxInFlight', (queue) => toReadableStream(queue, misspelt({ highWaterMark: 1 }))],
  ['settle', 'maxInFlight', 'concurrency', () => settleMap(() => [], misspelt({ maxInFlight: 1 }))],
  ['write', 'linger', 'lingerMs', (queue) => toWritable(queue, misspelt({ linger: 1 }))],
  ['write', 'linger', 'lingerMs', (queue) => toWritableStream(queue, misspelt({ linger: 1 }))],
  ['close', 'grace', 'graceMs', (queue) => queue.consume().close(misspelt({ grace: 1 }))],
  ['send', 'delay', 'delaySeconds', (queue) => queue.send(1, misspelt({ delay: 1 }))],
  ['send a batch', 'delay', 'delaySeconds', (queue) => queue.sendBatch([{ body: 1 }], misspelt({ delay: 1 }))],
  ['open a queue', 'token', 'apiToken', () => openQueue(misspelt({ queueId: 'a', token: 'secret' }))],
];

describe('an option that nobody reads', () => {
  it.each(calls)('is refused by what cannot %s: %s', async (action, wrong, allowed, make) => {
    const failure: unknown = await Promise.resolve()
      .then(() => make(open()))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect(String(failure)).toContain(`Cannot ${action} as there is no option named '${wrong}': there are `);
    expect(String(failure).split(': there are ')[1]).toContain(allowed);
    expect(String(failure)).not.toContain('secret');
  });

  it('is refused by retry() and deadLetter(), which decide nothing then', async () => {
    const queue = open();
    await queue.send(1);
    const consumer = queue.consume({ stopWhenEmpty: true });
    for await (const message of consumer) {
      expect(() => message.retry(misspelt({ delay: 1 }))).toThrow("no option named 'delay': there are delaySeconds");
      expect(() => message.deadLetter(queue, misspelt({ why: 1 }))).toThrow("no option named 'why': there are reason");
    }
    expect(consumer.stats).toMatchObject({ acked: 1, retried: 0 });
  });
});
