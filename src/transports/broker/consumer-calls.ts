import { limits } from '../../contract/limits.ts';
import { Page, type QueueCallContext } from './call.ts';
import { refusals } from './refusal.ts';
import { field, integerIn, type JsonObject, objectField, stringField } from './request-body.ts';
import { consumerDefaults, isQueueName, type QueueSettings } from './settings.ts';
import { toWireConsumers, type WireConsumer } from './wire-queue.ts';

// A queue has one consumer at most. The broker keeps it as `httpPull` and the settings that go with it.

/** `GET /queues/{id}/consumers` */
export function listConsumers({ queue }: QueueCallContext): Page {
  return new Page(toWireConsumers(queue), 1, 20);
}

/** `POST /queues/{id}/consumers` */
export function createConsumer(context: QueueCallContext): WireConsumer {
  const changes = readConsumer(context.body, context.queue.name);
  if (context.queue.consumer !== undefined) throw refusals.consumerExists();
  return configure(context, changes);
}

/** `GET /queues/{id}/consumers/{consumer_id}` */
export function getConsumer(context: QueueCallContext): WireConsumer {
  return found(context);
}

/** `PUT /queues/{id}/consumers/{consumer_id}`: settings that are left out go back to their defaults. */
export function replaceConsumer(context: QueueCallContext): WireConsumer {
  const changes = readConsumer(context.body, context.queue.name);
  found(context);
  return configure(context, changes);
}

/** `DELETE /queues/{id}/consumers/{consumer_id}`, and its settings with it. */
export function deleteConsumer(context: QueueCallContext): null {
  found(context);
  context.queues.configure(context.queue, { ...consumerDefaults, httpPull: false });
  return null;
}

function found({ queue, consumerId }: QueueCallContext): WireConsumer {
  const consumer = toWireConsumers(queue).find(({ consumer_id }) => consumer_id === consumerId.toLowerCase());
  if (consumer === undefined) throw refusals.noConsumer();
  return consumer;
}

function configure({ queues, queue }: QueueCallContext, changes: QueueSettings): WireConsumer {
  queues.configure(queue, { ...consumerDefaults, ...changes, httpPull: true });
  const [consumer] = toWireConsumers(queue);
  if (consumer === undefined) throw refusals.noConsumer();
  return consumer;
}

function readConsumer(body: JsonObject, queueName: string): QueueSettings {
  if (stringField(body, 'type', '') !== 'http_pull') {
    throw refusals.consumerSettings("type must be 'http_pull': the broker runs no Workers", '/type');
  }
  const settings = objectField(body, 'settings');
  const integer = (name: string, range: readonly [number, number]): number | undefined =>
    integerIn(settings, name, range, (problem) => refusals.consumerSettings(problem, `/settings/${name}`));
  const batchSize = integer('batch_size', [1, limits.batchMessages]);
  const maxRetries = integer('max_retries', [0, limits.retries]);
  const retryDelaySeconds = integer('retry_delay', [0, limits.delaySeconds]);
  const visibilityTimeoutMs = integer('visibility_timeout_ms', [1, limits.visibilityTimeoutMs]);
  const deadLetterQueue = readDeadLetterQueue(body, queueName);
  return {
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(retryDelaySeconds === undefined ? {} : { retryDelaySeconds }),
    ...(visibilityTimeoutMs === undefined ? {} : { visibilityTimeoutMs }),
    ...(deadLetterQueue === undefined ? {} : { deadLetterQueue }),
  };
}

function readDeadLetterQueue(body: JsonObject, queueName: string): string | undefined {
  const name = field(body, 'dead_letter_queue');
  if (name === undefined || name === '') return undefined;
  if (typeof name === 'string' && isQueueName(name) && name !== queueName) return name;
  throw refusals.consumerSettings('dead_letter_queue must be the name of another queue', '/dead_letter_queue');
}
