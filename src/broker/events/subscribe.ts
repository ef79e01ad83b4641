import { readSource, readTerms } from '../http/subscription-body.ts';
import type { MessageQueue } from '../queue/queue.ts';
import type { QueueRegistry } from '../queue/queue-registry.ts';

/** The wish to have events of a product in a queue. */
export interface EventSubscription {
  /** `{ type: 'r2' }`, `{ type: 'workflows.workflow', workflow_name: 'checkout' }`: as the API takes it. */
  readonly source: { readonly type: string } & Readonly<Record<string, string>>;
  /** Types of events of that source, such as `bucket.created`. */
  readonly events: readonly string[];
  /** What the subscription is called. @defaultValue the name of the queue and the type of the source */
  readonly name?: string;
  /** Whether events are pushed. @defaultValue true */
  readonly enabled?: boolean;
}

/** Subscribes a queue within the process. @returns the id of the subscription */
export function subscribe(queues: QueueRegistry, queue: MessageQueue, subscription: EventSubscription): string {
  const body = { ...subscription };
  const source = readSource(body);
  const { name = `${queue.name} ${source.type}`, enabled = true, events = [] } = readTerms(body, source);
  if (events.length === 0) throw new TypeError("Cannot subscribe as 'events' must be a list of types of events");
  if (queues.subscriptions.bySource(source) !== undefined) {
    throw new RangeError(`Cannot subscribe: a source of type '${source.type}' has a subscription already`);
  }
  return queues.subscriptions.create(source, { name, enabled, events, queueId: queue.id }).id;
}
