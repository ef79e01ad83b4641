import type { QueueProducer } from '../queue/producers.ts';
import type { MessageQueue } from '../queue/queue.ts';

/** A queue as the management API shows it. */
export interface WireQueue {
  readonly queue_id: string;
  readonly queue_name: string;
  readonly created_on: string;
  readonly modified_on: string;
  readonly jurisdiction?: string;
  readonly producers: readonly WireProducer[];
  readonly producers_total_count: number;
  readonly consumers: readonly WireConsumer[];
  readonly consumers_total_count: number;
  readonly settings: {
    readonly delivery_delay: number;
    readonly delivery_paused: boolean;
    readonly message_retention_period: number;
  };
}

/** A consumer as the management API shows it. */
export interface WireConsumer {
  readonly consumer_id: string;
  readonly type: 'http_pull' | 'worker';
  readonly created_on: string;
  readonly queue_name: string;
  /** Empty where there is none. */
  readonly dead_letter_queue: string;
  /** Of a Worker, by the name of the live API and by that of the SDKs. */
  readonly script?: string;
  readonly script_name?: string;
  readonly environment?: string;
  readonly settings: Readonly<Record<string, number | null>>;
}

/** A producer as the management API shows it. */
type WireProducer =
  | { readonly type: 'worker'; readonly script: string }
  | { readonly type: 'r2_bucket'; readonly bucket_name: string };

/** The producers are those of the settings: clients over HTTP are not listed. */
export function toWireQueue(queue: MessageQueue): WireQueue {
  const { deliveryDelaySeconds, deliveryPaused, retentionSeconds, jurisdiction } = queue.settings;
  const producers = queue.settings.producers.map(toWireProducer);
  const consumers = toWireConsumers(queue);
  return {
    queue_id: queue.id,
    queue_name: queue.name,
    created_on: isoTime(queue.details.createdAt),
    modified_on: isoTime(queue.details.modifiedAt),
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    producers,
    producers_total_count: producers.length,
    consumers,
    consumers_total_count: consumers.length,
    settings: {
      delivery_delay: deliveryDelaySeconds,
      delivery_paused: deliveryPaused,
      message_retention_period: retentionSeconds,
    },
  };
}

/** The consumers of a queue: at most one. */
export function toWireConsumers(queue: MessageQueue): readonly WireConsumer[] {
  const { settings, details } = queue;
  const { consumer } = details;
  if (consumer === undefined) return [];
  const common = {
    consumer_id: consumer.id,
    created_on: isoTime(consumer.createdAt),
    queue_name: queue.name,
    dead_letter_queue: settings.deadLetterQueue ?? '',
  };
  const { worker } = consumer;
  const { batchSize: batch_size, maxRetries: max_retries, retryDelaySeconds: retry_delay } = settings;
  if (worker === undefined) {
    const pull = { batch_size, max_retries, retry_delay, visibility_timeout_ms: settings.visibilityTimeoutMs };
    return [{ ...common, type: 'http_pull', settings: pull }];
  }
  const { scriptName, environment, maxConcurrency: max_concurrency, maxWaitTimeMs: max_wait_time_ms } = worker;
  return [
    {
      ...common,
      type: 'worker',
      script: scriptName,
      script_name: scriptName,
      ...(environment === '' ? {} : { environment }),
      settings: { batch_size, max_concurrency, max_retries, max_wait_time_ms, retry_delay },
    },
  ];
}

function toWireProducer(producer: QueueProducer): WireProducer {
  if (producer.type === 'worker') return { type: 'worker', script: producer.script };
  return { type: 'r2_bucket', bucket_name: producer.bucketName };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
