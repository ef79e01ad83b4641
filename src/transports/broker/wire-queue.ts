import type { MessageQueue } from './queue.ts';

/** A queue as the management API shows it. */
export interface WireQueue {
  readonly queue_id: string;
  readonly queue_name: string;
  readonly created_on: string;
  readonly modified_on: string;
  readonly producers: readonly unknown[];
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
  readonly type: 'http_pull';
  readonly created_on: string;
  readonly queue_id: string;
  readonly queue_name: string;
  readonly dead_letter_queue?: string;
  readonly settings: {
    readonly batch_size: number;
    readonly max_retries: number;
    readonly retry_delay: number;
    readonly visibility_timeout_ms: number;
  };
}

/** The broker has no Workers, so a queue has no producers: those over HTTP are not listed. */
export function toWireQueue(queue: MessageQueue): WireQueue {
  const { deliveryDelaySeconds, deliveryPaused, retentionSeconds } = queue.settings;
  const consumers = toWireConsumers(queue);
  return {
    queue_id: queue.id,
    queue_name: queue.name,
    created_on: isoTime(queue.createdAt),
    modified_on: isoTime(queue.modifiedAt),
    producers: [],
    producers_total_count: 0,
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
  const { consumer, settings } = queue;
  if (consumer === undefined) return [];
  const { deadLetterQueue } = settings;
  return [
    {
      consumer_id: consumer.id,
      type: 'http_pull',
      created_on: isoTime(consumer.createdAt),
      queue_id: queue.id,
      queue_name: queue.name,
      ...(deadLetterQueue === undefined ? {} : { dead_letter_queue: deadLetterQueue }),
      settings: {
        batch_size: settings.batchSize,
        max_retries: settings.maxRetries,
        retry_delay: settings.retryDelaySeconds,
        visibility_timeout_ms: settings.visibilityTimeoutMs,
      },
    },
  ];
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
