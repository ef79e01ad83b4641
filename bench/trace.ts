// Draws the trace of a few messages, from the spans that a real SDK exports: npm run bench:trace [-- --svg FILE]
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { context, propagation, trace, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createBroker } from '../src/broker.ts';
import { openQueue } from '../src/index.ts';
import { inField, observeWithOpenTelemetry } from '../src/opentelemetry.ts';
import { waterfall } from './waterfall.ts';

/** An order's confirmations are sent, and worked on elsewhere; the second fails at first. */
async function run(tracer: Tracer): Promise<void> {
  const broker = createBroker({ queues: { mails: {} } });
  const service = await broker.listen();
  const observer = observeWithOpenTelemetry({ propagation: inField('_trace') });
  const options = { ...service.queue('mails'), observer };
  const queue = openQueue<{ to: string }>({ ...options, queueName: 'mails' });
  await tracer.startActiveSpan('POST /orders', async (span) => {
    await sleep(4);
    await queue.sendBatch(['customer', 'shop', 'storehouse'].map((to) => ({ body: { to } })));
    span.end();
  });
  let failures = 1;
  const work = queue.process(
    async ({ body }) => {
      await tracer.startActiveSpan(`mail ${body.to}`, async (span) => {
        await sleep(25);
        span.end();
      });
      if (body.to === 'shop' && (failures -= 1) >= 0) throw new Error('the mail server is busy');
    },
    { retryDelaySeconds: 0, stopWhenEmpty: true },
  );
  await work;
  await service.close();
}

const { values } = parseArgs({ options: { svg: { type: 'string', default: 'trace.svg' } } });
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(provider);
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
await run(provider.getTracer('shop'));
const isTold = ({ name, attributes }: ReadableSpan): boolean =>
  !name.startsWith('receive') || attributes['messaging.batch.message_count'] !== 0;
await writeFile(values.svg, waterfall(exporter.getFinishedSpans().filter(isTold)));
