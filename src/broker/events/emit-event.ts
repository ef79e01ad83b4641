import { rule } from '../../contract/check-options.ts';
import { checkObject } from '../../contract/check-names.ts';
import { jsonBody } from '../queue/body-codec.ts';
import { samplePayload } from './event-samples.ts';
import type { MessageQueue } from '../queue/queue.ts';
import type { Subscription } from './subscription.ts';

/** Something that happened to what a subscription is about. */
export interface SubscribedEvent {
  /** Its type, as the subscription names it: `bucket.created`. */
  readonly event: string;
  /** What it tells. @defaultValue the documented fields with sample values; `{}` where no documentation shows them */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** What `source` tells beside what the subscription says: the `jobId` of a migrated object, say. @defaultValue `{}` */
  readonly source?: Readonly<Record<string, unknown>>;
  /** When it happened, in milliseconds since the epoch. @defaultValue now */
  readonly at?: number;
}

const action = 'emit an event';

/** Where an event goes, and what is said there of it. */
export interface EventPlace {
  readonly subscription: Subscription;
  readonly queue: MessageQueue;
  readonly accountId: string;
  readonly now: number;
}

/**
 * Pushes an event into the queue of its subscription.
 *
 * @returns the message's id; `undefined` when the subscription is not enabled
 * @throws TypeError or RangeError when there is no such event
 */
export function emitEvent(occurred: SubscribedEvent, place: EventPlace): string | undefined {
  const { subscription, queue, accountId, now } = place;
  checkObject(action, 'event', occurred);
  const { event, source = {}, at = now } = occurred;
  if (!subscription.events.includes(event)) {
    throw new RangeError(rule(action, 'event', `one of ${subscription.events.join(', ')}, as subscribed to`, event));
  }
  const eventTimestamp = new Date(at).toISOString();
  const { payload = samplePayload(subscription.source.type, event, eventTimestamp) } = occurred;
  checkObject(action, 'payload', payload);
  checkObject(action, 'source', source);
  if (!subscription.enabled) return undefined;
  const message = {
    type: `cf.${subscription.source.type}.${event}`,
    source: { ...camelCased(subscription.source), ...source },
    payload,
    metadata: { accountId, eventSubscriptionId: subscription.id, eventSchemaVersion: 1, eventTimestamp },
  };
  return queue.push(jsonBody(message));
}

function camelCased(source: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(source).map(([name, value]) => [camelCase(name), value]));
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
