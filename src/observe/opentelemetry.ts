import type { Observer } from '../contract/observer.ts';
import { ObservedAttributes } from './observed-attributes.ts';
import { ObservedMetrics } from './observed-metrics.ts';
import { ObservedSpans } from './observed-spans.ts';
import { ObservedState } from './observed-state.ts';
import { type OpenTelemetryOptions, resolveOpenTelemetryOptions } from './opentelemetry-options.ts';

const scope = 'leasestream';

/**
 * Gives an observer that makes spans and metrics of what is done, by the messaging conventions of OpenTelemetry, release
 * 1.45.0. May be given to any number of queues.
 *
 * Handlers run in the context of their message's span. Its parent is the span in which the consumer was opened; where there
 * is none, what its body carries, see `propagation`; else it begins a trace.
 *
 * @throws TypeError that names the option, what it must be, and its value
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 * import { inField, observeWithOpenTelemetry } from 'leasestream/opentelemetry';
 *
 * const observer = observeWithOpenTelemetry({ propagation: inField('_trace') });
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID!, observer });
 * await queue.process(({ body }) => console.log(body.id), { stopWhenEmpty: true });
 * ```
 */
export function observeWithOpenTelemetry(options: OpenTelemetryOptions = {}): Observer {
  const { tracerProvider, meterProvider, propagation, queueMetrics } = resolveOpenTelemetryOptions(options);
  const attributes = new ObservedAttributes();
  const meter = meterProvider.getMeter(scope);
  const metrics = new ObservedMetrics(meter, attributes);
  const spans = new ObservedSpans(tracerProvider.getTracer(scope), attributes, metrics, propagation);
  const state = new ObservedState(meter, queueMetrics);
  return {
    consume: (consumer) => state.consume(consumer),
    event: (event, queue) => state.event(event, queue),
    send(start) {
      const { end: endSpan, ...sending } = spans.send(start);
      return {
        end(how) {
          metrics.sent(start, how);
          endSpan(how);
        },
        ...sending,
      };
    },
    receive(start) {
      const endSpan = spans.receive(start);
      return {
        end(how) {
          state.note(start.queue, how.backlogCount);
          metrics.received(start, how);
          endSpan(how);
        },
      };
    },
    process: (start) => spans.process(start),
    settle(start) {
      const endSpan = spans.settle(start);
      return {
        end(how) {
          metrics.settled(start, how);
          endSpan(how);
        },
      };
    },
  };
}
