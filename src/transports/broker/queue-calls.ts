import type { WireMetrics } from '../cloudflare/wire-format.ts';
import type { MessageQueue } from './queue.ts';
import { refusals } from './refusal.ts';
import type { JsonObject } from './request-body.ts';
import { toWireMetrics } from './wire-answers.ts';

/** A queue as the management API shows it. */
export interface WireQueue {
  readonly queue_id: string;
  readonly queue_name: string;
  readonly created_on: string;
  readonly settings: {
    readonly delivery_delay: number;
    readonly delivery_paused: boolean;
    readonly message_retention_period: number;
  };
}

/** The result of `GET /purge`. A purge of the broker is complete when it is answered. */
export interface WirePurgeStatus {
  readonly completed: string;
  readonly started_at?: string;
}

/** `GET /metrics` */
export function metrics(queue: MessageQueue): WireMetrics {
  return toWireMetrics(queue.metrics());
}

/** `POST /purge` */
export function purgeAll(queue: MessageQueue, request: JsonObject): WireQueue {
  if (request['delete_messages_permanently'] !== true) {
    throw refusals.invalid('delete_messages_permanently must be true', '/delete_messages_permanently');
  }
  queue.purgeAll();
  return toWireQueue(queue);
}

/** `GET /purge` */
export function purgeStatus(queue: MessageQueue): WirePurgeStatus {
  if (queue.purgedAt === undefined) return { completed: 'true' };
  return { completed: 'true', started_at: new Date(queue.purgedAt).toISOString() };
}

function toWireQueue(queue: MessageQueue): WireQueue {
  const { deliveryDelaySeconds, deliveryPaused, retentionSeconds } = queue.settings;
  return {
    queue_id: queue.id,
    queue_name: queue.name,
    created_on: new Date(queue.createdAt).toISOString(),
    settings: {
      delivery_delay: deliveryDelaySeconds,
      delivery_paused: deliveryPaused,
      message_retention_period: retentionSeconds,
    },
  };
}
