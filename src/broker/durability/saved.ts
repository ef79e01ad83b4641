import type { SavedIdentities } from '../queue/identities.ts';
import type { QueueConsumer } from '../queue/queue-consumer.ts';
import type { ResolvedSettings } from '../queue/settings.ts';
import type { StoredMessage } from '../queue/stored-message.ts';
import type { Subscription } from '../events/subscription.ts';

/** A queue as it is kept, without its messages. */
export interface SavedQueue {
  readonly id: string;
  readonly name: string;
  /** Its number among the queues that were made, from 1. Absent of those of format 1, as the next. */
  readonly serial?: number;
  readonly formerNames?: readonly string[];
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly purgedAt: number | undefined;
  readonly settings: ResolvedSettings;
  readonly consumer: QueueConsumer | undefined;
  readonly consumersMade: number;
}

/** Everything that a broker holds. */
export interface SavedBroker {
  readonly identities: SavedIdentities | undefined;
  readonly queues: readonly SavedQueueWithMessages[];
  readonly subscriptions: readonly Subscription[];
}

/** A {@link SavedQueue} with its messages, in the order of their arrival. */
export interface SavedQueueWithMessages {
  readonly queue: SavedQueue;
  readonly messages: readonly StoredMessage[];
}

/** The latest time at which something of it is known to have happened, in milliseconds since the epoch. */
export function latestTimeOf({ queues, subscriptions }: SavedBroker): number {
  let latest = -Infinity;
  for (const { modifiedAt } of subscriptions) latest = Math.max(latest, modifiedAt);
  for (const { queue, messages } of queues) {
    const { createdAt, modifiedAt, purgedAt = createdAt, consumer } = queue;
    latest = Math.max(latest, createdAt, modifiedAt, purgedAt, consumer?.createdAt ?? createdAt);
    for (const { arrivedAt, timestampMs } of messages) latest = Math.max(latest, arrivedAt, timestampMs);
  }
  return latest;
}
