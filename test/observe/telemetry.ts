import { context, propagation, type Span, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** An SDK that keeps what it is told, and the contexts of Node. */
export class Telemetry implements Disposable {
  readonly #spans = new InMemorySpanExporter();
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #reader = new PeriodicExportingMetricReader({ exporter: this.#metrics, exportIntervalMillis: 3_600_000 });
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#spans)] });
  readonly meterProvider = new MeterProvider({ readers: [this.#reader] });

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  }

  [Symbol.dispose](): void {
    context.disable();
    propagation.disable();
    void this.meterProvider.shutdown();
  }

  /** The spans that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  /** Those of one operation. */
  of(operation: string): ReadableSpan[] {
    return this.spans.filter(({ attributes }) => attributes['messaging.operation.name'] === operation);
  }

  /** Does work in a span of its own, which ends with it. */
  async within<Result>(name: string, work: (span: Span) => Promise<Result>): Promise<Result> {
    const span = this.tracerProvider.getTracer('test').startSpan(name);
    try {
      return await context.with(trace.setSpan(context.active(), span), () => work(span));
    } finally {
      span.end();
    }
  }

  /** Begins a span that has ended already, as a child of the context it is called in. */
  note(name: string): void {
    this.tracerProvider.getTracer('test').startSpan(name).end();
  }

  /** The points of a metric, as they are collected now. */
  async pointsOf(name: string): Promise<readonly DataPoint<number | Histogram>[]> {
    this.#metrics.reset();
    await this.#reader.forceFlush();
    return this.#metrics
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap(({ metrics }) => metrics)
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as DataPoint<number | Histogram>[]);
  }
}

/** What a point of a histogram has. */
export function histogramOf(point: DataPoint<number | Histogram> | undefined): Histogram {
  if (typeof point?.value !== 'object') throw new Error('It is no histogram');
  return point.value;
}
