import {
  type Attributes,
  type Context,
  context,
  INVALID_TRACEID,
  type Link,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';

import { copyWith } from '../contract/copy-with.ts';
import type {
  ObservedMessage,
  ProcessEnd,
  Processing,
  ProcessStart,
  ReceiveEnd,
  ReceiveStart,
  SendEnd,
  SendStart,
  SettleEnd,
  SettleStart,
} from '../contract/observer.ts';
import { extractContext, injectContext } from './body-context.ts';
import { errorTypeOf } from './error-type.ts';
import type { ObservedAttributes } from './observed-attributes.ts';
import type { ObservedMetrics } from './observed-metrics.ts';
import { attribute, own } from './opentelemetry-names.ts';
import type { BodyPropagation } from './opentelemetry-options.ts';

/** The contexts of messages whose work runs by itself. */
const contexts = new WeakMap<object, Context>();

/**
 * The context of the span of a message that a loop or a reader has in hand, to run work in: a loop runs in its own. That of
 * the caller where the message has none.
 *
 * @example
 * ```ts
 * import { context } from '@opentelemetry/api';
 * import { openQueue } from 'leasestream';
 * import { contextOf, observeWithOpenTelemetry } from 'leasestream/opentelemetry';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID!, observer: observeWithOpenTelemetry() });
 * for await (const message of queue.consume({ stopWhenEmpty: true })) {
 *   await context.with(contextOf(message), async () => console.log(message.body.id));
 * }
 * ```
 */
export function contextOf(message: object): Context {
  return contexts.get(message) ?? context.active();
}

/** What follows a send. */
interface SendingSpan {
  readonly inject?: (body: unknown) => unknown;
  readonly end: (end: SendEnd) => void;
}

/** Makes the spans of operations. */
export class ObservedSpans {
  readonly #tracer: Tracer;
  readonly #attributes: ObservedAttributes;
  readonly #metrics: ObservedMetrics;
  readonly #propagation: BodyPropagation | undefined;

  constructor(
    tracer: Tracer,
    attributes: ObservedAttributes,
    metrics: ObservedMetrics,
    propagation: BodyPropagation | undefined,
  ) {
    this.#tracer = tracer;
    this.#attributes = attributes;
    this.#metrics = metrics;
    this.#propagation = propagation;
  }

  send(start: SendStart): SendingSpan {
    const { queue, isBatch, messages } = start;
    const pair = this.#propagation;
    const { spanName, common } = this.#attributes.of(queue, 'send');
    const attributes = isBatch ? copyWith(common, { [attribute.batchCount]: messages }) : common;
    const isCreation = pair !== undefined && !isBatch;
    const kind = isCreation ? SpanKind.PRODUCER : SpanKind.CLIENT;
    const span = this.#tracer.startSpan(spanName, { kind, attributes });
    const end = (how: SendEnd): void => endSpan(span, how);
    if (pair === undefined) return { end };
    const within = trace.setSpan(context.active(), span);
    return {
      inject: (body) => injectContext(pair, body, isCreation ? within : this.#create(start, span, within)),
      end,
    };
  }

  /** The context of the creation of one message among several. */
  #create({ queue }: SendStart, sending: Span, within: Context): Context {
    const { spanName, common } = this.#attributes.of(queue, 'create');
    const span = this.#tracer.startSpan(spanName, { kind: SpanKind.PRODUCER, attributes: common }, within);
    sending.addLink({ context: span.spanContext() });
    span.end();
    return trace.setSpan(within, span);
  }

  receive({ queue }: ReceiveStart): (end: ReceiveEnd) => void {
    const { spanName, common } = this.#attributes.of(queue, 'receive');
    const span = this.#tracer.startSpan(spanName, { kind: SpanKind.CLIENT, attributes: common });
    return (how) => {
      const { messages } = how;
      span.setAttribute(attribute.batchCount, messages.length);
      if (this.#propagation !== undefined && span.isRecording())
        for (const { body } of messages) for (const link of this.#linksTo(body)) span.addLink(link);
      endSpan(span, how);
    };
  }

  #linksTo(body: unknown): Link[] {
    const carried = extractContext(this.#propagation, body, context.active());
    return carried === undefined ? [] : [{ context: carried.span }];
  }

  settle({ queue, messages }: SettleStart): (end: SettleEnd) => void {
    const { spanName, common } = this.#attributes.of(queue, 'settle');
    const attributes = copyWith(common, { [attribute.batchCount]: messages.length });
    const span = this.#tracer.startSpan(spanName, { kind: SpanKind.CLIENT, attributes });
    return (how) => endSpan(span, how);
  }

  process(start: ProcessStart): Processing {
    const ambient = context.active();
    const { messages, isBatch, receivedBodyOf } = start;
    const [message] = messages;
    if (isBatch || message === undefined) {
      const links = messages.flatMap((each) => this.#linksTo(receivedBodyOf(each)));
      return this.#begin(start, { parent: ambient, links, over: ambient });
    }
    const carried = this.#propagation && extractContext(this.#propagation, receivedBodyOf(message), ambient);
    if (carried === undefined) return this.#begin(start, { parent: ambient, over: ambient });
    // What it was created in is linked in any case, and the parent only where there is no nearer one.
    const parent = trace.getSpanContext(ambient) === undefined ? carried.context : ambient;
    return this.#begin(start, { parent, links: [{ context: carried.span }], over: carried.context });
  }

  #begin(start: ProcessStart, { parent, links, over }: { parent: Context; links?: Link[]; over: Context }): Processing {
    const { queue, messages, isBatch, isRun } = start;
    const { spanName, common } = this.#attributes.of(queue, 'process');
    const [message] = messages;
    const attributes =
      isBatch || message === undefined
        ? copyWith(common, { [attribute.batchCount]: messages.length })
        : ofMessage(common, message);
    const options: SpanOptions = { kind: SpanKind.CONSUMER, attributes };
    if (links !== undefined) options.links = links;
    const span = this.#tracer.startSpan(spanName, options, parent);
    // Where nothing traces there is nothing to hand on.
    const isTraced = span.spanContext().traceId !== INVALID_TRACEID;
    const within = isTraced ? trace.setSpan(over, span) : over;
    if (isTraced && !isRun) for (const each of messages) contexts.set(each, within);
    return new ProcessSpan(span, within, start, this.#metrics);
  }
}

/** Name by name: a copy would cost as much as all else that is done for a message. */
function ofMessage(common: Attributes, { id, attempts }: ObservedMessage): Attributes {
  return {
    'messaging.system': common['messaging.system'],
    'messaging.destination.name': common['messaging.destination.name'],
    'messaging.operation.name': common['messaging.operation.name'],
    'messaging.operation.type': common['messaging.operation.type'],
    'server.address': common['server.address'],
    'server.port': common['server.port'],
    'messaging.message.id': id,
    'messaging.cloudflare_queues.message.delivery_attempts': attempts,
  };
}

/** The work on messages that were handed out together. */
class ProcessSpan implements Processing {
  readonly #span: Span;
  readonly #context: Context;
  readonly #start: ProcessStart;
  readonly #metrics: ObservedMetrics;

  constructor(span: Span, within: Context, start: ProcessStart, metrics: ObservedMetrics) {
    this.#span = span;
    this.#context = within;
    this.#start = start;
    this.#metrics = metrics;
    metrics.begun(start);
  }

  run(work: () => void): void {
    context.with(this.#context, work);
  }

  end(how: ProcessEnd): void {
    const { acks, retries, abandoned } = how;
    this.#metrics.processed(this.#start, how);
    if (!this.#start.isBatch && acks + retries > 0) this.#span.setAttribute(own.settledAs, acks > 0 ? 'ack' : 'retry');
    if (abandoned > 0) {
      this.#span.setAttribute(attribute.errorType, 'abandoned');
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: 'Not waited for any longer' });
    }
    endSpan(this.#span, how);
  }
}

/** @param how - has its error also where that is `undefined`: anything may be thrown */
function endSpan(span: Span, how: { readonly error?: unknown }): void {
  if ('error' in how) {
    const error = how.error instanceof Error ? how.error : String(how.error);
    span.setAttribute(attribute.errorType, errorTypeOf(how.error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: typeof error === 'string' ? error : error.message });
    span.recordException(error);
  }
  span.end();
}
