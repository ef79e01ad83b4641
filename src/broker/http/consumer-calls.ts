import { Noticed, Page, type QueueCallContext } from './call.ts';
import { readConsumer, type ReadConsumer } from './consumer-body.ts';
import { refusals } from './refusal.ts';
import { consumerDefaults } from '../queue/settings.ts';
import { toWireConsumers, type WireConsumer } from './wire-queue.ts';

// A queue has one consumer at most. What it has in common with others is kept among the settings of the queue.

const noWorkers = 'The broker keeps this consumer and runs no Worker: the messages stay in the queue';

/** `GET /queues/{id}/consumers` */
export function listConsumers({ queue }: QueueCallContext): Page {
  return new Page(toWireConsumers(queue), 1, 20);
}

/** `POST /queues/{id}/consumers` */
export function createConsumer(context: QueueCallContext): WireConsumer | Noticed {
  const consumer = read(context);
  if (context.queue.details.consumer !== undefined) throw refusals.consumerExists();
  return configure(context, consumer);
}

/** `GET /queues/{id}/consumers/{consumer_id}` */
export function getConsumer(context: QueueCallContext): WireConsumer {
  return found(context);
}

/** `PUT /queues/{id}/consumers/{consumer_id}`: settings that are left out go back to their defaults; the id stays. */
export function replaceConsumer(context: QueueCallContext): WireConsumer | Noticed {
  const consumer = read(context);
  found(context);
  return configure(context, consumer);
}

/** `DELETE /queues/{id}/consumers/{consumer_id}`, and its settings with it. */
export function deleteConsumer(context: QueueCallContext): null {
  found(context);
  context.queues.configure(context.queue, { ...consumerDefaults, httpPull: false }, null);
  return null;
}

function read({ body, queue, queues }: QueueCallContext): ReadConsumer {
  const consumer = readConsumer(body, queue.name);
  const { deadLetterQueue } = consumer.settings;
  const deadLetters = typeof deadLetterQueue === 'string' ? queues.byName(deadLetterQueue) : undefined;
  if (deadLetters === undefined || deadLetters.settings.jurisdiction === queue.settings.jurisdiction) return consumer;
  throw refusals.consumerSettings(
    'dead_letter_queue must be of the jurisdiction of its source queue',
    '/dead_letter_queue',
  );
}

function found({ queue, consumerId }: QueueCallContext): WireConsumer {
  const consumer = toWireConsumers(queue).find(({ consumer_id }) => consumer_id === consumerId.toLowerCase());
  if (consumer === undefined) throw refusals.noConsumer();
  return consumer;
}

function configure({ queues, queue }: QueueCallContext, { settings, worker }: ReadConsumer): WireConsumer | Noticed {
  queues.configure(queue, settings, worker ?? null);
  const [consumer] = toWireConsumers(queue);
  if (consumer === undefined) throw refusals.noConsumer();
  return worker === undefined ? consumer : new Noticed(consumer, noWorkers);
}
