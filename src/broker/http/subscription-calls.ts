import { type CallContext, Page } from './call.ts';
import { defaultPerPage, mostPerPage, numberIn, wordIn } from './paging.ts';
import { refusals } from './refusal.ts';
import { readSource, readTerms } from './subscription-body.ts';
import type { Subscription, SubscriptionTerms } from '../events/subscription.ts';

/** An event subscription as the API shows it. */
export interface WireSubscription {
  readonly id: string;
  readonly created_at: string;
  readonly modified_at: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly source: Readonly<Record<string, string>>;
  readonly destination: { readonly type: 'queues.queue'; readonly queue_id: string };
  readonly events: readonly string[];
}

const orders = {
  created_at: ({ createdAt }: Subscription): string => String(createdAt).padStart(16, '0'),
  name: ({ name }: Subscription): string => name,
  enabled: ({ enabled }: Subscription): string => String(enabled),
  source: ({ source }: Subscription): string => JSON.stringify(source),
} as const;

/** `GET /event_subscriptions/subscriptions?queue_id=…&order=…&direction=…&page=…&per_page=…` */
export function listSubscriptions({ queues, query }: CallContext): Page {
  const queueId = query.get('queue_id')?.toLowerCase();
  const chosen = queues.subscriptions.all().filter((each) => queueId === undefined || each.queueId === queueId);
  const keyOf = orders[wordIn(query, 'order', ['name', 'created_at', 'enabled', 'source'])];
  const sign = wordIn(query, 'direction', ['asc', 'desc']) === 'asc' ? 1 : -1;
  const sorted = chosen.toSorted((a, b) => sign * compare(keyOf(a), keyOf(b)));
  const perPage = numberIn(query, 'per_page', { otherwise: defaultPerPage, most: mostPerPage });
  const page = numberIn(query, 'page', { otherwise: 1, most: 1e9 });
  return new Page(sorted.map(toWireSubscription), page, perPage);
}

/** `POST /event_subscriptions/subscriptions` */
export function createSubscription(context: CallContext): WireSubscription {
  const { queues, body } = context;
  const source = readSource(body);
  const { name, events, queueId, enabled = true } = checkedTerms(context, readTerms(body, source));
  if (name === undefined) throw refusals.subscription('name must be a text', '/name');
  if (events === undefined) throw refusals.subscription('events must be a list of types of events', '/events');
  if (queueId === undefined) throw refusals.subscription('destination must name a queue', '/destination');
  if (queues.subscriptions.bySource(source) !== undefined) throw refusals.subscriptionExists();
  return toWireSubscription(queues.subscriptions.create(source, { name, events, queueId, enabled }));
}

/** `GET /event_subscriptions/subscriptions/{id}` */
export function getSubscription(context: CallContext, id: string): WireSubscription {
  return toWireSubscription(found(context, id));
}

/** `PATCH /event_subscriptions/subscriptions/{id}`: what is left out stays, and the source always does. */
export function editSubscription(context: CallContext, id: string): WireSubscription {
  const subscription = found(context, id);
  const changes = checkedTerms(context, readTerms(context.body, subscription.source));
  return toWireSubscription(context.queues.subscriptions.update(subscription, changes));
}

/** `DELETE /event_subscriptions/subscriptions/{id}` gives back what it deletes. */
export function deleteSubscription(context: CallContext, id: string): WireSubscription {
  const subscription = found(context, id);
  context.queues.subscriptions.delete(subscription);
  return toWireSubscription(subscription);
}

function found({ queues }: CallContext, id: string): Subscription {
  const subscription = queues.subscriptions.byId(id.toLowerCase());
  if (subscription === undefined) throw refusals.noSubscription();
  return subscription;
}

function checkedTerms({ queues }: CallContext, terms: Partial<SubscriptionTerms>): Partial<SubscriptionTerms> {
  const { queueId } = terms;
  if (queueId === undefined || queues.byId(queueId) !== undefined) return terms;
  throw refusals.noQueue('/destination/queue_id');
}

function toWireSubscription(subscription: Subscription): WireSubscription {
  const { id, createdAt, modifiedAt, name, enabled, source, queueId, events } = subscription;
  return {
    id,
    created_at: new Date(createdAt).toISOString(),
    modified_at: new Date(modifiedAt).toISOString(),
    name,
    enabled,
    source,
    destination: { type: 'queues.queue', queue_id: queueId },
    events,
  };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
