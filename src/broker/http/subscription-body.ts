import { eventSources } from '../events/event-sources.ts';
import { refusals } from './refusal.ts';
import { field, type JsonObject, objectField } from './request-body.ts';
import type { SubscriptionSource, SubscriptionTerms } from '../events/subscription.ts';

/** Reads a source. @throws Refusal naming the field that is wrong */
export function readSource(body: JsonObject): SubscriptionSource {
  const given = objectField(body, 'source');
  const type = field(given, 'type');
  const known = typeof type === 'string' ? eventSources.get(type) : undefined;
  if (typeof type !== 'string' || known === undefined) {
    throw refusals.subscription(`source.type must be one of ${[...eventSources.keys()].join(', ')}`, '/source/type');
  }
  const fields = known.fields.map((name) => {
    const value = field(given, name);
    if (typeof value === 'string' && value !== '') return [name, value] as const;
    throw refusals.subscription(`source.${name} must be a text for a source of type ${type}`, `/source/${name}`);
  });
  return { type, ...Object.fromEntries(fields) };
}

/** Reads what can be changed, as far as it is there. @throws Refusal naming the field that is wrong */
export function readTerms(body: JsonObject, { type }: SubscriptionSource): Partial<SubscriptionTerms> {
  const name = field(body, 'name');
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw refusals.subscription('name must be a text', '/name');
  }
  const enabled = field(body, 'enabled');
  if (enabled !== undefined && typeof enabled !== 'boolean') {
    throw refusals.subscription('enabled must be true or false', '/enabled');
  }
  const events = readEvents(body, type);
  const queueId = readDestination(body);
  return {
    ...(name === undefined ? {} : { name }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(events === undefined ? {} : { events }),
    ...(queueId === undefined ? {} : { queueId }),
  };
}

function readEvents(body: JsonObject, sourceType: string): readonly string[] | undefined {
  const given = field(body, 'events');
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length === 0 || !given.every((each) => typeof each === 'string')) {
    throw refusals.subscription('events must be a list of types of events', '/events');
  }
  const events = [...new Set(given as readonly string[])];
  const known = eventSources.get(sourceType)?.events;
  const unknown = known === undefined ? [] : events.filter((each) => !known.includes(each));
  if (unknown.length > 0) throw refusals.eventTypes(unknown);
  return events;
}

function readDestination(body: JsonObject): string | undefined {
  if (field(body, 'destination') === undefined) return undefined;
  const destination = objectField(body, 'destination');
  if (field(destination, 'type') !== 'queues.queue') {
    throw refusals.subscription("destination.type must be 'queues.queue'", '/destination/type');
  }
  const queueId = field(destination, 'queue_id');
  if (typeof queueId === 'string') return queueId.toLowerCase();
  throw refusals.subscription('destination.queue_id must be the id of a queue', '/destination/queue_id');
}
