import { setImmediate as nextTurn } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { openQueue, QueueError } from '../../src/index.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { observeWithOpenTelemetry } from '../../src/opentelemetry.ts';
import { Telemetry } from './telemetry.ts';

const count = 100_000;

let telemetry: Telemetry;

beforeEach(() => {
  telemetry = new Telemetry();
});

afterEach(() => telemetry[Symbol.dispose]());

/** Loses the answer of every so many calls, which took effect all the same. */
function losing(transport: QueueTransport, every: number): QueueTransport {
  let calls = 0;
  const lose = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    calls += 1;
    const isLost = calls % every === 0;
    const given = await answer;
    if (isLost) throw new QueueError('The answer was lost', { code: 'network' });
    return given;
  };
  return {
    pull: (request, options) => lose(transport.pull(request, options)),
    ack: (request, options) => lose(transport.ack(request, options)),
    metrics: (options) => transport.metrics(options),
  } as Partial<QueueTransport> as QueueTransport;
}

describe('observeWithOpenTelemetry()', () => {
  it(`makes one span of each work on ${count} messages, whatever fails, repeats, closes and is abandoned`, async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    for (let n = 0; n < count; n += 1) broker.push('jobs', { body: n, contentType: 'json' });
    const observer = observeWithOpenTelemetry({ tracerProvider: telemetry.tracerProvider });
    const queue = openQueue<number>({
      transport: losing(broker.transport('jobs'), 37),
      queueName: 'jobs',
      clock,
      observer,
    });
    const works = new Map<string, string | undefined>();
    let again = 0;
    let isLast = false;
    const handle = async (id: string, attempts: number, body: number): Promise<void> => {
      if (works.has(`${id} ${attempts}`)) again += 1;
      works.set(`${id} ${attempts}`, trace.getActiveSpan()?.spanContext().spanId);
      if (body % 3 === 0) await nextTurn();
      if (body % 101 === 0 && attempts === 1) throw new Error('no');
      // The last consumer ends when the queue is empty, which waits for every handler.
      if (body % 5_003 === 0 && attempts === 2 && !isLast) await new Promise(() => undefined);
    };
    const root = await telemetry.within('opened', async (span) => {
      const options = { concurrency: 200, maxInFlight: 200, maxRetries: 90, retryDelaySeconds: 0, graceMs: 0 } as const;
      for (const share of [0.3, 0.6, 1]) {
        isLast = share === 1;
        const processor = queue.process(({ id, attempts, body }) => handle(id, attempts, body), {
          ...options,
          ...(share === 1 && { stopWhenEmpty: { forMs: 120_000 } }),
        });
        for (let turns = 0; share < 1 && works.size < share * count && turns < 100_000; turns += 1)
          await clock.advance(5);
        await clock.runUntil(share < 1 ? processor.close() : processor);
      }
      return span.spanContext();
    });
    const spans = telemetry.of('process');
    expect(works.size).toBeGreaterThan(count);
    expect(again).toBe(0);
    expect(spans).toHaveLength(works.size);
    const wrong = spans.filter((span) => {
      const attributes = new Map(Object.entries(span.attributes));
      const id = String(attributes.get('messaging.message.id'));
      const attempts = String(attributes.get('messaging.cloudflare_queues.message.delivery_attempts'));
      const isOwn = works.get(`${id} ${attempts}`) === span.spanContext().spanId;
      return !isOwn || span.parentSpanContext?.spanId !== root.spanId;
    });
    expect(wrong).toEqual([]);
    const types = new Set(spans.map(({ attributes }) => attributes['error.type']));
    expect(types).toEqual(new Set([undefined, 'Error', 'abandoned']));
  }, 120_000);
});
