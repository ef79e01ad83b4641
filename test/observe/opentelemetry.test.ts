import { setImmediate as nextTurn } from 'node:timers/promises';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { mergeMap, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { openQueue, QueueError, type Queue, type QueueOptions } from '../../src/index.ts';
import { attribute, metric } from '../../src/observe/opentelemetry-names.ts';
import { contextOf, inField, observeWithOpenTelemetry, type OpenTelemetryOptions } from '../../src/opentelemetry.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';
import { histogramOf, Telemetry } from './telemetry.ts';

interface Job {
  readonly n: number;
}

let telemetry: Telemetry;

beforeEach(() => {
  telemetry = new Telemetry();
});

afterEach(() => telemetry[Symbol.dispose]());

function open(options: OpenTelemetryOptions = {}, more: Partial<QueueOptions<Job>> = {}) {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  const { tracerProvider, meterProvider } = telemetry;
  const observer = observeWithOpenTelemetry({ tracerProvider, meterProvider, ...options });
  const queue: Queue<Job> = openQueue<Job>({
    transport: broker.transport('jobs'),
    queueName: 'jobs',
    clock,
    observer,
    ...more,
  } as QueueOptions<Job>);
  const push = (count: number): string[] =>
    Array.from({ length: count }, (_, n) => broker.push('jobs', { body: { n }, contentType: 'json' }));
  return { clock, broker, queue, push };
}

const once = { stopWhenEmpty: { forMs: 5_000 }, retryDelaySeconds: 1 } as const;

describe('the names', () => {
  const constants = new Set(Object.values(conventions));

  it.each([...Object.values(attribute), ...Object.values(metric)])('are those of the conventions: %s', (name) => {
    expect(constants).toContain(name);
  });
});

describe('observeWithOpenTelemetry()', () => {
  it('makes a span of the work on each message, which holds what the work does', async () => {
    const { clock, queue, push } = open();
    const [id] = push(1);
    await clock.runUntil(
      queue.process(async () => {
        telemetry.note('before');
        await nextTurn();
        telemetry.note('after');
      }, once),
    );
    const [process, ...more] = telemetry.of('process');
    expect(more).toEqual([]);
    expect(process).toMatchObject({ name: 'process jobs', kind: SpanKind.CONSUMER, parentSpanContext: undefined });
    expect(process?.attributes).toEqual({
      'messaging.system': 'cloudflare_queues',
      'messaging.destination.name': 'jobs',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': id,
      'messaging.cloudflare_queues.message.delivery_attempts': 1,
      'messaging.cloudflare_queues.message.settled_as': 'ack',
    });
    for (const name of ['before', 'after'])
      expect(telemetry.spans.find((span) => span.name === name)?.parentSpanContext?.spanId).toBe(
        process?.spanContext().spanId,
      );
  });

  it('makes spans of pulls and of settlements', async () => {
    const { clock, queue, push } = open();
    push(3);
    await clock.runUntil(queue.process(() => undefined, once));
    const received = telemetry.of('receive');
    expect(received[0]).toMatchObject({ name: 'receive jobs', kind: SpanKind.CLIENT });
    const counts = received.map(({ attributes }) => Number(attributes['messaging.batch.message_count']));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(counts.at(-1)).toBe(0);
    const settled = telemetry.of('settle');
    expect(settled[0]).toMatchObject({ name: 'settle jobs', kind: SpanKind.CLIENT });
    const settlements = settled.map(({ attributes }) => Number(attributes['messaging.batch.message_count']));
    expect(settlements.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it('tells of what fails, by its code or its name', async () => {
    const { clock, queue, push } = open();
    push(1);
    const failures: readonly unknown[] = [new QueueError('slow', { code: 'timeout' }), new RangeError('no'), undefined];
    await clock.runUntil(
      queue.process(({ attempts }) => {
        if (attempts <= 3) throw failures[attempts - 1];
      }, once),
    );
    const spans = telemetry.of('process');
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual([
      'timeout',
      'RangeError',
      '_OTHER',
      undefined,
    ]);
    expect(spans.map(({ status }) => status.code)).toEqual([
      SpanStatusCode.ERROR,
      SpanStatusCode.ERROR,
      SpanStatusCode.ERROR,
      SpanStatusCode.UNSET,
    ]);
    expect(spans[1]?.events[0]?.attributes).toMatchObject({ 'exception.message': 'no' });
    expect(spans.map(({ attributes }) => attributes['messaging.cloudflare_queues.message.delivery_attempts'])).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('tells of work that is not waited for', async () => {
    const { clock, queue, push } = open();
    push(1);
    const processor = queue.process(() => new Promise(() => undefined));
    await clock.advance(500);
    await clock.runUntil(processor.close({ graceMs: 0 }));
    expect(telemetry.of('process')).toMatchObject([{ attributes: { 'error.type': 'abandoned' } }]);
  });

  it('has the span in which the consumer was opened for the parent', async () => {
    const { clock, queue, push } = open();
    push(30);
    await telemetry.within('opened', async (span) => {
      const running = queue.process(async (message) => {
        await telemetry.within('a stranger', async () => {
          await nextTurn();
          await message.ack();
        });
      }, once);
      await context.with(context.active(), () => clock.runUntil(running));
      const parents = telemetry.of('process').map(({ parentSpanContext }) => parentSpanContext?.spanId);
      expect(parents).toEqual(Array.from({ length: 30 }, () => span.spanContext().spanId));
    });
  });

  it('begins a trace for each message where there is none', async () => {
    const { clock, queue, push } = open();
    push(20);
    await clock.runUntil(queue.process(async (message) => void (await message.ack()), once));
    const traces = telemetry.of('process').map((span) => span.spanContext().traceId);
    expect(new Set(traces).size).toBe(20);
    expect(telemetry.of('process').every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(true);
  });

  it('runs what settleMap() begins later in the span of its own message', async () => {
    const { clock, queue, push } = open();
    push(12);
    const seen: (readonly [string, string | undefined])[] = [];
    const subscription = toObservable(queue)
      .pipe(
        settleMap(
          (message) =>
            of(message).pipe(
              mergeMap(async ({ id }) => {
                await nextTurn();
                seen.push([id, trace.getActiveSpan()?.spanContext().spanId]);
              }),
            ),
          { concurrency: 1 },
        ),
      )
      .subscribe();
    for (let turns = 0; seen.length < 12 && turns < 500; turns += 1) await clock.advance(20);
    await clock.advance(500);
    subscription.unsubscribe();
    const spans = new Map(telemetry.of('process').map((span) => [span.attributes['messaging.message.id'], span]));
    expect(spans.size).toBe(12);
    for (const [id, spanId] of seen) expect(spanId).toBe(spans.get(id)?.spanContext().spanId);
  });

  it('gives the context of a message that a loop has in hand', async () => {
    const { clock, queue, push } = open();
    push(2);
    const reading = (async () => {
      for await (const message of queue.consume({ stopWhenEmpty: true })) {
        expect(trace.getActiveSpan()).toBeUndefined();
        context.with(contextOf(message), () => telemetry.note(message.id));
      }
    })();
    await clock.runUntil(reading);
    for (const { attributes, spanContext } of telemetry.of('process').map((span) => ({
      attributes: span.attributes,
      spanContext: span.spanContext(),
    }))) {
      const noted = telemetry.spans.find(({ name }) => name === attributes['messaging.message.id']);
      expect(noted?.parentSpanContext?.spanId).toBe(spanContext.spanId);
    }
    expect(contextOf({})).toBe(context.active());
  });

  describe('without propagation', () => {
    it('sends bodies as they are, in spans of a client', async () => {
      const { clock, queue, broker } = open();
      await telemetry.within('opened', () => clock.runUntil(queue.send({ n: 1 })));
      expect(broker.inspect('jobs').messages[0]?.body).toEqual({ n: 1 });
      expect(telemetry.of('send')).toMatchObject([{ name: 'send jobs', kind: SpanKind.CLIENT }]);
      expect(telemetry.of('send')[0]?.parentSpanContext).toBeDefined();
    });
  });

  describe('with propagation', () => {
    const propagation = inField('_trace');

    it('has what was sent followed by the work on it', async () => {
      const { clock, queue } = open({ propagation });
      await telemetry.within('opened', () => clock.runUntil(queue.send({ n: 1 })));
      await clock.runUntil(queue.process(() => undefined, once));
      const [send] = telemetry.of('send');
      const [process] = telemetry.of('process');
      expect(send?.kind).toBe(SpanKind.PRODUCER);
      expect(process?.parentSpanContext).toMatchObject({ spanId: send?.spanContext().spanId });
      expect(process?.spanContext().traceId).toBe(send?.spanContext().traceId);
      expect(process?.links).toMatchObject([{ context: { spanId: send?.spanContext().spanId } }]);
      const [receive] = telemetry.of('receive');
      expect(receive?.links).toMatchObject([{ context: { spanId: send?.spanContext().spanId } }]);
    });

    it('links it only where the consumer was opened in a span', async () => {
      const { clock, queue } = open({ propagation });
      await clock.runUntil(queue.send({ n: 1 }));
      await telemetry.within('opened', async (span) => {
        await clock.runUntil(queue.process(() => undefined, once));
        const [process] = telemetry.of('process');
        expect(process?.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
        expect(process?.links).toMatchObject([{ context: { spanId: telemetry.of('send')[0]?.spanContext().spanId } }]);
      });
    });

    it('makes a span of the creation of each of several messages, and links them', async () => {
      const { clock, queue } = open({ propagation });
      await clock.runUntil(queue.sendBatch([{ body: { n: 1 } }, { body: { n: 2 } }]));
      await clock.runUntil(queue.processBatches(() => undefined, { ...once, size: 2, maxWaitMs: 0 }));
      const [send] = telemetry.of('send');
      const created = telemetry.of('create').map((span) => span.spanContext().spanId);
      expect(send).toMatchObject({ kind: SpanKind.CLIENT, attributes: { 'messaging.batch.message_count': 2 } });
      expect(send?.links.map((link) => link.context.spanId)).toEqual(created);
      expect(telemetry.of('create')).toMatchObject([{ kind: SpanKind.PRODUCER }, { kind: SpanKind.PRODUCER }]);
      const linked = telemetry.of('process').flatMap(({ links }) => links.map((link) => link.context.spanId));
      expect(linked.toSorted()).toEqual(created.toSorted());
    });

    it('finds the context in what came, whatever a schema makes of it', async () => {
      const schema = z.object({ n: z.number() });
      const { clock, queue } = open({ propagation }, { schema });
      await clock.runUntil(queue.send({ n: 1 }));
      const bodies: unknown[] = [];
      await clock.runUntil(queue.process(({ body }) => void bodies.push(body), once));
      expect(bodies).toEqual([{ n: 1 }]);
      expect(telemetry.of('process')[0]?.parentSpanContext?.spanId).toBe(telemetry.of('send')[0]?.spanContext().spanId);
    });

    it.each<[string, unknown]>([
      ['a string', 'hello'],
      ['an array', [1, 2]],
      ['a number', 7],
      ['null', null],
      ['an object that has the field', { _trace: 'mine' }],
      ['a date', new Date(0)],
    ])('leaves alone %s', async (_, body) => {
      const { clock, queue, broker } = open({ propagation });
      await clock.runUntil(queue.send(body as Job));
      expect(broker.inspect('jobs').messages[0]?.body).toEqual(body instanceof Date ? body.toJSON() : body);
      await clock.runUntil(queue.process(() => undefined, once));
      expect(telemetry.of('process')).toMatchObject([{ links: [] }]);
    });

    it.each<[string, unknown]>([
      ['no object', 'mine'],
      ['nonsense', { traceparent: 'mine' }],
      ['numbers', { traceparent: 7 }],
      ['nothing', {}],
    ])('begins a trace where the context can not be read: %s', async (_, carrier) => {
      const { clock, queue, broker } = open({ propagation });
      broker.push('jobs', { body: { n: 1, _trace: carrier }, contentType: 'json' });
      const { acked } = await clock.runUntil(queue.process(() => undefined, once));
      expect(acked).toBe(1);
      expect(telemetry.of('process')).toMatchObject([{ parentSpanContext: undefined, links: [] }]);
    });

    it('begins a trace where extract throws', async () => {
      const extract = (): never => {
        throw new Error('no');
      };
      const { clock, queue, push } = open({ propagation: { inject: (body) => body, extract } });
      push(1);
      const { acked } = await clock.runUntil(queue.process(() => undefined, once));
      expect(acked).toBe(1);
      expect(telemetry.of('process')).toHaveLength(1);
    });

    it.each<[string, () => unknown, RegExp]>([
      [
        'throws',
        () => {
          throw new Error('oh');
        },
        /^Cannot send as 'propagation.inject' failed: oh$/,
      ],
      [
        'gives what the queue can not carry',
        () => new Map(),
        /^Cannot send what 'propagation.inject' gave: Cannot push/,
      ],
      ['gives nothing', () => undefined, /^Cannot send what 'propagation.inject' gave: Cannot push/],
    ])('rejects a send where inject %s', async (_, inject, words) => {
      const { clock, queue, broker } = open({ propagation: { inject, extract: () => undefined } });
      await expect(clock.runUntil(queue.send({ n: 1 }))).rejects.toThrow(TypeError);
      await expect(clock.runUntil(queue.send({ n: 1 }))).rejects.toThrow(words);
      await expect(clock.runUntil(queue.sendBatch([{ body: { n: 1 } }]))).rejects.toThrow(
        /because of message 0: Cannot send/,
      );
      expect(broker.inspect('jobs').messages).toEqual([]);
      expect(telemetry.of('send').map(({ attributes }) => attributes['error.type'])).toEqual([
        'TypeError',
        'TypeError',
        'TypeError',
      ]);
    });
  });

  it('measures what is done', async () => {
    const { clock, queue } = open();
    await clock.runUntil(queue.sendBatch([{ body: { n: 1 } }, { body: { n: 2 } }]));
    await queue.send(undefined as unknown as Job).catch(() => undefined);
    await clock.advance(10_000);
    await clock.runUntil(
      queue.process(async ({ attempts }) => {
        const over = new Promise<void>((resolve) => void clock.setTimer(resolve, 250));
        await over;
        if (attempts === 1) throw new RangeError('no');
      }, once),
    );
    const processed = await telemetry.pointsOf('messaging.process.duration');
    expect(processed.map(({ attributes, value }) => [attributes['error.type'], value])).toMatchObject([
      ['RangeError', { count: 2, sum: 0.5 }],
      [undefined, { count: 2, sum: 0.5 }],
    ]);
    const operations = await telemetry.pointsOf('messaging.client.operation.duration');
    expect(new Set(operations.map(({ attributes }) => attributes['messaging.operation.name']))).toEqual(
      new Set(['send', 'receive', 'settle']),
    );
    const sent = await telemetry.pointsOf('messaging.client.sent.messages');
    expect(sent.map(({ attributes, value }) => [attributes['error.type'], value])).toEqual([
      [undefined, 2],
      ['TypeError', 1],
    ]);
    expect(await telemetry.pointsOf('messaging.client.consumed.messages')).toMatchObject([{ value: 4 }]);
    const [age] = await telemetry.pointsOf('leasestream.message.age');
    expect(age?.value).toMatchObject({ count: 4 });
    expect(histogramOf(age).min).toBeGreaterThanOrEqual(10);
    const [left] = await telemetry.pointsOf('leasestream.lease.remaining');
    expect(histogramOf(left).max).toBeLessThanOrEqual(30);
  });

  it('tells how it stands with the consumers and the queue when that is collected', async () => {
    const { clock, queue, push } = open();
    push(5);
    const ends: (() => void)[] = [];
    const running = queue.process(() => new Promise<void>((resolve) => ends.push(resolve)), { concurrency: 2 });
    await clock.advance(2_000);
    const valueOf = async (name: string): Promise<unknown> => (await telemetry.pointsOf(name))[0]?.value;
    expect(await valueOf('leasestream.messages.in_flight')).toBe(2);
    expect(await valueOf('leasestream.queue.backlog')).toBe(5);
    expect(await valueOf('leasestream.queue.oldest_message.age')).toBe(2);
    await clock.advance(40_000);
    expect(await valueOf('leasestream.leases.expired')).toBe(2);
    for (const end of ends) end();
    await clock.runUntil(running.close());
    expect(await valueOf('leasestream.messages.in_flight')).toBe(0);
    const { pulls, emptyPulls } = running.stats;
    expect(await valueOf('leasestream.pulls')).toBe(pulls);
    expect(await valueOf('leasestream.pulls.empty')).toBe(emptyPulls);
    // What was counted stays counted when the next consumer begins.
    const more = queue.consume();
    void more[Symbol.asyncIterator]().next();
    await clock.advance(10);
    expect(await valueOf('leasestream.pulls')).toBe(pulls + more.stats.pulls);
    await clock.runUntil(more.close());
  });

  it('knows the backlog by the pulls where it may not ask', async () => {
    const { clock, queue, push } = open({ queueMetrics: false });
    push(5);
    const running = queue.process(() => new Promise(() => undefined), { concurrency: 1 });
    await clock.advance(100);
    expect(await telemetry.pointsOf('leasestream.queue.backlog')).toMatchObject([{ value: 5 }]);
    expect(await telemetry.pointsOf('leasestream.queue.oldest_message.age')).toEqual([]);
    await clock.runUntil(running.close({ graceMs: 0 }));
  });

  it('names the server where one is known', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    const { tracerProvider } = telemetry;
    const queue = openQueue<Job>({
      ...broker.queue('jobs'),
      clock,
      observer: observeWithOpenTelemetry({ tracerProvider }),
    });
    await clock.runUntil(queue.send({ n: 1 }));
    expect(telemetry.of('send')[0]?.attributes).toMatchObject({
      'server.address': 'broker.invalid',
      'server.port': 443,
    });
  });

  it.each<[unknown, RegExp]>([
    [7, /^Cannot observe with OpenTelemetry as 'options' must be an object: current value is 7$/],
    [
      { tracer: {} },
      /as 'tracer' is no option: the options are tracerProvider, meterProvider, propagation, queueMetrics$/,
    ],
    [{ tracerProvider: {} }, /as 'tracerProvider' must be a TracerProvider: current value is of type Object$/],
    [{ meterProvider: null }, /as 'meterProvider' must be a MeterProvider: current value is null$/],
    [{ queueMetrics: 1 }, /as 'queueMetrics' must be a boolean: current value is 1$/],
    [
      { propagation: 'w3c' },
      /as 'propagation' must be 'none' or an object with 'inject' and 'extract': current value is 'w3c'$/,
    ],
    [{ propagation: { inject: () => 1 } }, /as 'propagation.extract' must be a function: current value is undefined$/],
  ])('refuses %j', (options, words) => {
    expect(() => observeWithOpenTelemetry(options as OpenTelemetryOptions)).toThrow(TypeError);
    expect(() => observeWithOpenTelemetry(options as OpenTelemetryOptions)).toThrow(words);
  });
});

describe('inField()', () => {
  it.each(['', 7, undefined])('refuses %j', (field) => {
    expect(() => inField(field as string)).toThrow(/as 'field' must be a string that is not empty/);
  });
});
