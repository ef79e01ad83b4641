import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import { createBroker } from '../../src/broker.ts';
import {
  type ConsumeOptions,
  type ContentType,
  type Consumer,
  type ConsumerEvent,
  type ConsumerSummary,
  type LeasedMessage,
  openQueue,
  type Queue,
  type QueueError,
  type QueueTransport,
  type Settlement,
} from '../../src/index.ts';
import { decodeV8, toWritable } from '../../src/node.ts';

const broker = createBroker();
const options = { queueId: 'q', accountId: 'a', apiToken: 't' } as const;

describe('openQueue()', () => {
  it('takes what a broker gives, with a type argument or without', () => {
    expectTypeOf(openQueue({ ...broker.queue('x') })).toEqualTypeOf<Queue>();
    expectTypeOf(openQueue<{ n: number }>({ ...broker.queue('x') })).toEqualTypeOf<Queue<{ n: number }>>();
    expectTypeOf(openQueue(broker.queue('x'))).toEqualTypeOf<Queue>();
  });

  it('takes what a broker on a socket gives', async () => {
    const server = await broker.listen();
    expectTypeOf(openQueue<string>({ ...server.queue('x') })).toEqualTypeOf<Queue<string>>();
  });

  it('takes a transport', () => {
    const transport: QueueTransport = broker.transport('x');
    expectTypeOf(openQueue<string>({ transport })).toEqualTypeOf<Queue<string>>();
    // @ts-expect-error a transport stands for the connection
    openQueue({ transport, queueId: 'q' });
  });

  it('infers the body from the schema: its output', () => {
    const schema = v.pipe(
      v.object({ at: v.string() }),
      v.transform(({ at }) => new Date(at)),
    );
    expectTypeOf(openQueue({ ...options, schema })).toEqualTypeOf<Queue<Date, { at: string }>>();
    expectTypeOf(openQueue({ ...broker.queue('x'), schema })).toEqualTypeOf<Queue<Date, { at: string }>>();
    expectTypeOf(openQueue({ ...options, schema: v.string() })).toEqualTypeOf<Queue<string>>();
  });

  it('sends what the schema takes, not what it makes of that', () => {
    const queue = openQueue({ ...options, schema: v.object({ n: v.pipe(v.string(), v.transform(Number)) }) });
    expectTypeOf(queue.send).parameter(0).toEqualTypeOf<{ n: string }>();
    expectTypeOf(toWritable(queue).write).toBeCallableWith({ n: '5' });
    // @ts-expect-error that is what comes out of it
    void queue.send({ n: 5 });
    // @ts-expect-error and here as well
    void queue.sendBatch([{ body: { n: 5 } }]);
    // @ts-expect-error and here
    toWritable(queue).write({ n: 5 });
  });

  it('sends what it gives where a schema does not tell what it takes', () => {
    const schema = { '~standard': { version: 1, vendor: 'x', validate: () => ({ value: 1 }) } } as const;
    expectTypeOf(openQueue({ ...options, schema })).toEqualTypeOf<Queue<number>>();
  });

  it('infers the body from how it is decoded', () => {
    expectTypeOf(openQueue({ ...options, decode: 'raw' })).toEqualTypeOf<Queue<string | Uint8Array, unknown>>();
    expectTypeOf(openQueue({ ...broker.queue('x'), decode: 'text' })).toEqualTypeOf<Queue<string, unknown>>();
    expectTypeOf(openQueue({ ...options, decode: 'json' })).toEqualTypeOf<Queue>();
    expectTypeOf(openQueue<{ n: number }>({ ...options, decode: 'json' })).toEqualTypeOf<Queue<{ n: number }>>();
    const sizes = openQueue({
      ...options,
      decode: (raw, message) => {
        expectTypeOf(raw).toEqualTypeOf<string | Uint8Array>();
        expectTypeOf(message.contentType).toEqualTypeOf<ContentType>();
        return raw.length;
      },
    });
    expectTypeOf(sizes).toEqualTypeOf<Queue<number, unknown>>();
    expectTypeOf(openQueue<Date>({ ...options, decode: () => new Date() })).toEqualTypeOf<Queue<Date, unknown>>();
    expectTypeOf(openQueue({ ...options, decode: decodeV8 })).toEqualTypeOf<Queue>();
    const decode = (raw: string | Uint8Array): number => raw.length;
    expectTypeOf(openQueue({ ...options, decode, schema: v.string() })).toEqualTypeOf<Queue<string>>();
    // @ts-expect-error there is no such way
    openQueue({ ...options, decode: 'bytes' });
  });

  it('refuses a schema that does not go with the type argument', () => {
    // @ts-expect-error a number is not a string
    const queue = openQueue<string>({ ...options, schema: v.number() });
    expectTypeOf(queue).not.toBeAny();
  });

  it('needs the id of the queue', () => {
    // @ts-expect-error without it there is no queue
    expectTypeOf(openQueue({ apiToken: 't' })).not.toBeAny();
  });

  it('takes its options exactly', () => {
    // @ts-expect-error undefined is not the same as absent
    openQueue({ ...options, random: undefined });
    // @ts-expect-error there is no such option
    expectTypeOf(openQueue({ ...options, queueNamed: 'x' })).not.toBeAny();
  });
});

describe('Queue', () => {
  const queue = openQueue<{ n: number }>(options);

  it('gives typed messages to for await', async () => {
    for await (const message of queue) {
      expectTypeOf(message).toEqualTypeOf<LeasedMessage<{ n: number }>>();
      expectTypeOf(message.body).toEqualTypeOf<{ n: number }>();
    }
    for await (const { body } of queue.consume({ stopWhenEmpty: { forMs: 1 } })) {
      expectTypeOf(body.n).toEqualTypeOf<number>();
    }
    for await (const { body } of openQueue(options)) expectTypeOf(body).toBeUnknown();
  });

  it('takes only bodies of its type', () => {
    expectTypeOf(queue.send({ n: 1 })).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error no string
    void queue.send('text');
    void queue.sendBatch([{ body: { n: 1 }, delaySeconds: 1 }]);
    // @ts-expect-error no string
    void queue.sendBatch([{ body: 'text' }]);
    // @ts-expect-error HTTP push takes text and json
    void queue.send({ n: 1 }, { contentType: 'bytes' });
  });

  it('gives a consumer without any', () => {
    const consumer = queue.consume();
    expectTypeOf(consumer).toEqualTypeOf<Consumer<{ n: number }>>();
    expectTypeOf(consumer.close()).toEqualTypeOf<Promise<ConsumerSummary>>();
    expectTypeOf(consumer.closed).toEqualTypeOf<Promise<ConsumerSummary>>();
    expectTypeOf<ConsumerSummary['error']>().toBeUnknown();
    expectTypeOf<ConsumerSummary['lastError']>().toBeUnknown();
    const iterator = consumer[Symbol.asyncIterator]();
    expectTypeOf(iterator.next()).resolves.toEqualTypeOf<IteratorResult<LeasedMessage<{ n: number }>, undefined>>();
    type Value = Extract<Awaited<ReturnType<typeof iterator.next>>, { done: true }>['value'];
    expectTypeOf<Value>().not.toBeAny();
  });

  it('takes the options of a consumer exactly', () => {
    // @ts-expect-error undefined is not the same as absent
    queue.consume({ batchSize: undefined });
    // @ts-expect-error there is no such way
    queue.consume({ settle: 'never' });
    expectTypeOf<ConsumeOptions>().toExtend<{ readonly maxRetries?: number }>();
    // @ts-expect-error readonly
    ({} as ConsumeOptions).batchSize = 1;
  });
});

describe('Settlement', () => {
  it('narrows by its outcome', async () => {
    const settlement = await ({} as LeasedMessage).ack();
    expectTypeOf(settlement).toEqualTypeOf<Settlement>();
    if (settlement.outcome === 'acked' || settlement.outcome === 'retried') {
      expectTypeOf(settlement.late).toEqualTypeOf<boolean>();
      expectTypeOf(settlement).not.toHaveProperty('error');
    }
    if (settlement.outcome === 'lost' || settlement.outcome === 'unknown') {
      expectTypeOf(settlement.error).toEqualTypeOf<QueueError>();
      expectTypeOf(settlement).not.toHaveProperty('late');
    }
  });
});

describe('ConsumerEvent', () => {
  it('narrows by its type', () => {
    const event = {} as ConsumerEvent;
    expectTypeOf(event).not.toBeAny();
    if (event.type === 'slowAnswer') expectTypeOf(event.tookMs).toEqualTypeOf<number>();
    if (event.type === 'invalid') expectTypeOf(event.message.body).toBeUnknown();
    if (event.type === 'unsettled') expectTypeOf(event.settlement).toEqualTypeOf<Settlement>();
  });
});
