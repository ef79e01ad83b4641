import type { WireMetrics } from '../../transports/cloudflare/wire-format.ts';
import { type CallContext, Page, type QueueCallContext } from './call.ts';
import { defaultPerPage, mostPerPage, numberIn } from './paging.ts';
import { refusals } from './refusal.ts';
import { booleanField, field, integerIn, type JsonObject, objectField } from './request-body.ts';
import {
  defaultSettings,
  isServiceName,
  type Jurisdiction,
  jurisdictions,
  type QueueSettings,
} from '../queue/settings.ts';
import { toWireMetrics } from './wire-answers.ts';
import { toWireQueue, type WireQueue } from './wire-queue.ts';

/** The result of `GET /purge`, of the last one: empty where there was none. A purge is complete when it is answered. */
export interface WirePurgeStatus {
  readonly completed?: string;
  readonly started_at?: string;
}

/**
 * `GET /queues?name=…&page=…&per_page=…`: all queues, those of a name, or (`name` given more than once) of several. A
 * page without a number is the whole list when `page` and `per_page` are absent: the service's own SDKs ask for one page.
 */
export function listQueues({ queues, query }: CallContext): Page {
  const names = query.getAll('name');
  const chosen = queues.all().filter(({ name }) => names.length === 0 || names.includes(name));
  const isPaged = query.has('page') || query.has('per_page');
  const perPage = isPaged
    ? numberIn(query, 'per_page', { otherwise: defaultPerPage, most: mostPerPage })
    : Math.max(1, chosen.length);
  return new Page(chosen.map(toWireQueue), numberIn(query, 'page', { otherwise: 1, most: 1e9 }), perPage);
}

/** `POST /queues`. A new queue has no consumer. */
export function createQueue({ queues, body }: CallContext): WireQueue {
  const name = readName(body);
  if (queues.byName(name) !== undefined) throw refusals.queueNameTaken(name);
  const jurisdiction = readJurisdiction(body);
  const settings = { ...readSettings(body), ...(jurisdiction === undefined ? {} : { jurisdiction }) };
  return toWireQueue(queues.create(name, { ...settings, httpPull: false }));
}

/** `GET /queues/{id}` */
export function getQueue({ queue }: QueueCallContext): WireQueue {
  return toWireQueue(queue);
}

/** `PUT /queues/{id}`: settings that are left out go back to their defaults; the name stays. */
export function replaceQueue(context: QueueCallContext): WireQueue {
  const { deliveryDelaySeconds, deliveryPaused, retentionSeconds } = defaultSettings;
  return change(context, { deliveryDelaySeconds, deliveryPaused, retentionSeconds });
}

/** `PATCH /queues/{id}`: settings that are left out stay. */
export function editQueue(context: QueueCallContext): WireQueue {
  return change(context, {});
}

/** `DELETE /queues/{id}`, with all messages. */
export function deleteQueue({ queues, queue }: QueueCallContext): null {
  queues.delete(queue);
  return null;
}

/** `GET /metrics` */
export function metrics({ queue }: QueueCallContext): WireMetrics {
  return toWireMetrics(queue.reportedMetrics());
}

/** `POST /purge` */
export function purgeAll({ queue, body }: QueueCallContext): WireQueue {
  if (body['delete_messages_permanently'] !== true) {
    throw refusals.invalid('delete_messages_permanently must be true', '/delete_messages_permanently');
  }
  queue.purgeAll();
  return toWireQueue(queue);
}

/** `GET /purge` */
export function purgeStatus({ queue }: QueueCallContext): WirePurgeStatus {
  const { purgedAt } = queue.details;
  return purgedAt === undefined ? {} : { completed: 'true', started_at: new Date(purgedAt).toISOString() };
}

function change({ queues, queue, body }: QueueCallContext, base: QueueSettings): WireQueue {
  const name = field(body, 'queue_name') === undefined ? queue.name : readName(body);
  const settings = readSettings(body);
  const jurisdiction = readJurisdiction(body);
  if (jurisdiction !== undefined && jurisdiction !== queue.settings.jurisdiction) throw refusals.jurisdiction();
  const holder = queues.byName(name);
  if (holder !== undefined && holder !== queue) throw refusals.queueNameTaken(name);
  if (name === queue.settings.deadLetterQueue) {
    throw refusals.queueSettings('queue_name must not be that of its own dead letter queue', '/queue_name');
  }
  queues.rename(queue, name);
  return toWireQueue(queues.configure(queue, { ...base, ...settings }));
}

function readName(body: JsonObject): string {
  const name = field(body, 'queue_name') ?? '';
  if (typeof name !== 'string') throw refusals.invalid('queue_name must be a text', '/queue_name');
  // Stricter than for a queue that is configured here, as recorded.
  if (isServiceName(name)) return name;
  throw refusals.queueName(name);
}

function readJurisdiction(body: JsonObject): Jurisdiction | undefined {
  const given = field(body, 'jurisdiction');
  const jurisdiction = jurisdictions.find((each) => each === given);
  if (given === undefined || jurisdiction !== undefined) return jurisdiction;
  throw refusals.queueSettings(`jurisdiction must be one of ${jurisdictions.join(', ')}`, '/jurisdiction');
}

function readSettings(body: JsonObject): QueueSettings {
  const settings = objectField(body, 'settings');
  const integer = (name: string, range: readonly [number, number]): number | undefined =>
    integerIn(settings, name, range, (problem) => refusals.queueSettings(problem, `/settings/${name}`));
  const deliveryDelaySeconds = integer('delivery_delay', [0, 86_400]);
  const retentionSeconds = integer('message_retention_period', [60, 1_209_600]);
  const deliveryPaused = booleanField(settings, 'delivery_paused', () =>
    refusals.queueSettings('delivery_paused must be true or false', '/settings/delivery_paused'),
  );
  return {
    ...(deliveryDelaySeconds === undefined ? {} : { deliveryDelaySeconds }),
    ...(retentionSeconds === undefined ? {} : { retentionSeconds }),
    ...(deliveryPaused === undefined ? {} : { deliveryPaused }),
  };
}
