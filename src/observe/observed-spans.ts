import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';

import type {
  ObservedMessage,
  ProcessEnd,
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
  readonly #propagation: BodyPropagation | undefined;

  constructor(tracer: Tracer, attributes: ObservedAttributes, propagation: BodyPropagation | undefined) {
    this.#tracer = tracer;
    this.#attributes = attributes;
    this.#propagation = propagation;
  }

  send(start: SendStart): SendingSpan {
    const { queue, isBatch, messages } = start;
    const pair = this.#propagation;
    const { spanName, common } = this.#attributes.of(queue, 'send');
    const attributes = isBatch ? { ...common, [attribute.batchCount]: messages } : common;
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
    const attributes = { ...common, [attribute.batchCount]: messages.length };
    const span = this.#tracer.startSpan(spanName, { kind: SpanKind.CLIENT, attributes });
    return (how) => endSpan(span, how);
  }

  process(start: ProcessStart): ProcessSpan {
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

  #begin(
    { queue, messages, isBatch, isRun }: ProcessStart,
    { parent, links, over }: { parent: Context; links?: Link[]; over: Context },
  ): ProcessSpan {
    const { spanName, common } = this.#attributes.of(queue, 'process');
    const attributes = isBatch
      ? { ...common, [attribute.batchCount]: messages.length }
      : ofMessage(common, messages[0]);
    const options = { kind: SpanKind.CONSUMER, attributes, ...(links && { links }) };
    const span = this.#tracer.startSpan(spanName, options, parent);
    const within = trace.setSpan(over, span);
    if (!isRun) for (const message of messages) contexts.set(message, within);
    return new ProcessSpan(span, within, isBatch);
  }
}

function ofMessage(common: Attributes, message: ObservedMessage | undefined): Attributes {
  return { ...common, [attribute.messageId]: message?.id, [own.deliveryAttempts]: message?.attempts };
}

/** The span of the work on messages that were handed out together. */
export class ProcessSpan {
  readonly #span: Span;
  readonly #context: Context;
  readonly #isBatch: boolean;

  constructor(span: Span, within: Context, isBatch: boolean) {
    this.#span = span;
    this.#context = within;
    this.#isBatch = isBatch;
  }

  run(work: () => void): void {
    context.with(this.#context, work);
  }

  end(how: ProcessEnd): void {
    const { acks, retries, abandoned } = how;
    if (!this.#isBatch && acks + retries > 0) this.#span.setAttribute(own.settledAs, acks > 0 ? 'ack' : 'retry');
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
