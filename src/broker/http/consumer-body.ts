import { limits } from '../../contract/limits.ts';
import type { WorkerConsumer } from '../queue/queue-consumer.ts';
import { refusals } from './refusal.ts';
import { field, integerIn, type JsonObject, objectField } from './request-body.ts';
import { consumerDefaults, isQueueName, type QueueSettings } from '../queue/settings.ts';

/** What a request says of a consumer. */
export interface ReadConsumer {
  /** The settings of the queue that go with it. */
  readonly settings: QueueSettings;
  /** The Worker; absent of an HTTP pull consumer. */
  readonly worker: WorkerConsumer | undefined;
}

/** Reads a consumer; what is left out has its default. @throws Refusal naming the field that is wrong */
export function readConsumer(body: JsonObject, queueName: string): ReadConsumer {
  const type = field(body, 'type');
  if (type !== 'http_pull' && type !== 'worker') throw refusals.consumerType();
  const isWorker = type === 'worker';
  const settings = objectField(body, 'settings');
  const worker = isWorker ? readWorker(body, settings) : undefined;
  const integer = integersOf(settings);
  const read: QueueSettings = {
    maxRetries: integer('max_retries', [0, limits.retries], 3),
    retryDelaySeconds: integer('retry_delay', [0, limits.delaySeconds], 0),
    batchSize: integer('batch_size', [1, limits.batchMessages], isWorker ? 10 : 5),
    deadLetterQueue: readDeadLetterQueue(body, queueName) ?? null,
    httpPull: !isWorker,
  };
  if (isWorker) return { settings: { ...consumerDefaults, ...read }, worker };
  const visibilityTimeoutMs = integer('visibility_timeout_ms', [1, limits.visibilityTimeoutMs], 30_000);
  return { settings: { ...read, visibilityTimeoutMs }, worker };
}

function readWorker(body: JsonObject, settings: JsonObject): WorkerConsumer {
  const scriptName = field(body, 'script_name');
  if (typeof scriptName !== 'string' || scriptName === '') throw refusals.consumerScript();
  const environment = field(body, 'environment_name') ?? '';
  if (typeof environment !== 'string') {
    throw refusals.invalid('environment_name must be a text', '/environment_name');
  }
  const integer = integersOf(settings);
  return {
    scriptName,
    environment,
    maxWaitTimeMs: integer('max_wait_time_ms', [0, 60_000], 5_000),
    maxConcurrency: field(settings, 'max_concurrency') === undefined ? null : integer('max_concurrency', [1, 250], 1),
  };
}

function integersOf(settings: JsonObject) {
  return (name: string, range: readonly [number, number], otherwise: number): number =>
    integerIn(settings, name, range, (problem) => refusals.consumerSettings(problem, `/settings/${name}`)) ?? otherwise;
}

function readDeadLetterQueue(body: JsonObject, queueName: string): string | undefined {
  const name = field(body, 'dead_letter_queue');
  if (name === undefined || name === '') return undefined;
  if (typeof name === 'string' && isQueueName(name) && name !== queueName) return name;
  throw refusals.consumerSettings('dead_letter_queue must be the name of another queue', '/dead_letter_queue');
}
