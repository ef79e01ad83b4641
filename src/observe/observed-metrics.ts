import { type Attributes, type Counter, createNoopMeter, type Histogram, type Meter } from '@opentelemetry/api';

import { copyWith } from '../contract/copy-with.ts';
import type { ProcessEnd, ProcessStart, ReceiveEnd, ReceiveStart, SendEnd, SendStart } from '../contract/observer.ts';
import { errorTypeOf } from './error-type.ts';
import type { ObservedAttributes } from './observed-attributes.ts';
import { attribute, durationBoundaries, metric } from './opentelemetry-names.ts';

/** Seconds from less than one to the service's longest times: leases of 12 hours, messages kept for 14 days. */
const ageBoundaries = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 345_600, 1_209_600];

interface Begun {
  readonly queue: SendStart['queue'];
}

interface Ended {
  readonly durationMs: number;
  readonly error?: unknown;
}

/** Measures operations as they end. */
export class ObservedMetrics {
  readonly #attributes: ObservedAttributes;
  readonly #operation: Histogram;
  readonly #process: Histogram;
  readonly #sent: Counter;
  readonly #consumed: Counter;
  readonly #age: Histogram;
  readonly #leaseLeft: Histogram;
  /** Nobody measures: what would have to be read for it is not. */
  readonly #isIdle: boolean;

  constructor(meter: Meter, attributes: ObservedAttributes) {
    this.#isIdle = meter === createNoopMeter();
    this.#attributes = attributes;
    const seconds = (name: string, description: string, explicitBucketBoundaries = durationBoundaries): Histogram =>
      meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
    const messages = (name: string, description: string): Counter =>
      meter.createCounter(name, { unit: '{message}', description });
    this.#operation = seconds(
      metric.operationDuration,
      'Duration of messaging operation initiated by a producer or consumer client.',
    );
    this.#process = seconds(metric.processDuration, 'Duration of processing operation.');
    this.#sent = messages(metric.sentMessages, 'Number of messages producer attempted to send to the broker.');
    this.#consumed = messages(metric.consumedMessages, 'Number of messages that were delivered to the application.');
    this.#age = seconds('leasestream.message.age', 'Age of a message when work on it begins.', ageBoundaries);
    this.#leaseLeft = seconds(
      'leasestream.lease.remaining',
      'Time left of the lease of a message when work on it begins.',
      ageBoundaries,
    );
  }

  sent({ queue, messages }: SendStart, end: SendEnd): void {
    const { common } = this.#attributes.of(queue, 'send');
    this.#operation.record(end.durationMs / 1_000, outcomeOf(common, end));
    if (messages > end.failed) this.#sent.add(messages - end.failed, common);
    if (end.failed > 0) this.#sent.add(end.failed, outcomeOf(common, end));
  }

  received({ queue }: ReceiveStart, end: ReceiveEnd): void {
    const { common } = this.#attributes.of(queue, 'receive');
    this.#operation.record(end.durationMs / 1_000, outcomeOf(common, end));
    if (end.messages.length > 0) this.#consumed.add(end.messages.length, common);
  }

  settled({ queue }: Begun, end: Ended): void {
    const { common } = this.#attributes.of(queue, 'settle');
    this.#operation.record(end.durationMs / 1_000, outcomeOf(common, end));
  }

  begun({ queue, messages, at }: ProcessStart): void {
    if (this.#isIdle) return;
    const { common } = this.#attributes.of(queue, 'process');
    for (const { timestamp, leaseRemainingMs } of messages) {
      this.#age.record(Math.max(0, at - timestamp.getTime()) / 1_000, common);
      this.#leaseLeft.record(Math.max(0, leaseRemainingMs) / 1_000, common);
    }
  }

  processed({ queue }: ProcessStart, end: ProcessEnd): void {
    const { common } = this.#attributes.of(queue, 'process');
    const isAbandoned = end.abandoned > 0 && !('error' in end);
    this.#process.record(
      end.durationMs / 1_000,
      isAbandoned ? copyWith(common, { [attribute.errorType]: 'abandoned' }) : outcomeOf(common, end),
    );
  }
}

function outcomeOf(common: Attributes, end: Ended): Attributes {
  return 'error' in end ? copyWith(common, { [attribute.errorType]: errorTypeOf(end.error) }) : common;
}
