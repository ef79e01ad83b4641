import { checkInteger, checkOneOf, rule } from '../../contract/check-options.ts';
import { limits } from '../../contract/limits.ts';
import { checkNames } from '../../contract/check-names.ts';
import { checkProducers, type QueueProducer } from './producers.ts';

/** How a queue of the broker behaves. What is left out keeps its value, or has its default in a new queue. */
export interface QueueSettings {
  /**
   * The id of a new queue, 32 hex characters in lower case: one that stays the same where queues are in memory. Of a queue
   * that is there it can't be changed; one that was renamed is found by it.
   *
   * @defaultValue one of its own
   */
  readonly id?: string;
  /**
   * How often a message is delivered again after its first delivery, 0..100. One that was delivered `maxRetries + 1`
   * times goes to the dead letter queue when its last lease ends unacknowledged, or is deleted when there is none.
   *
   * @defaultValue 3
   * @see https://developers.cloudflare.com/queues/configuration/batching-retries/
   */
  readonly maxRetries?: number;
  /**
   * Delay of a retry that names none, and of a message whose lease ended, in seconds, 0..86 400.
   *
   * @defaultValue 0
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly retryDelaySeconds?: number;
  /**
   * Lease of a pull that names none, in milliseconds, 1..43 200 000.
   *
   * @defaultValue 30 000
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly visibilityTimeoutMs?: number;
  /**
   * How many messages a pull gives that names no number, 1..100.
   *
   * @defaultValue 5
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly batchSize?: number;
  /** The name of another queue, made if it is absent; `null` takes it away. @defaultValue none: messages are deleted */
  readonly deadLetterQueue?: string | null;
  /**
   * How long a message is kept, in seconds, 60..1 209 600, counted from its arrival in this queue. Then it is removed,
   * leased or not.
   *
   * @defaultValue 345 600, four days
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly retentionSeconds?: number;
  /**
   * Delay of a push that names none, in seconds, 0..86 400.
   *
   * @defaultValue 0
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly deliveryDelaySeconds?: number;
  /** Whether pulls are refused with 409. Pushes and settlements go on. @defaultValue false */
  readonly deliveryPaused?: boolean;
  /** Whether the queue has an HTTP pull consumer; without one pulls are refused with 405. @defaultValue true */
  readonly httpPull?: boolean;
  /**
   * Where the service would keep the queue. It is set when the queue is made, and so is that of a dead letter queue, which
   * must be the same. The broker keeps it where it is.
   *
   * @defaultValue none
   * @see https://developers.cloudflare.com/queues/configuration/data-location/
   */
  readonly jurisdiction?: Jurisdiction;
  /** What the management API shows as producers. @defaultValue none */
  readonly producers?: readonly QueueProducer[];
}

/** A part of the world that a queue can be kept in. */
export type Jurisdiction = 'eu' | 'us' | 'fedramp';

export const jurisdictions: readonly Jurisdiction[] = ['eu', 'us', 'fedramp'];

/** Settings with every default in place. */
export type ResolvedSettings = Required<Omit<QueueSettings, 'id' | 'deadLetterQueue' | 'jurisdiction'>> & {
  readonly jurisdiction: Jurisdiction | undefined;
  readonly deadLetterQueue: string | undefined;
};

/** The settings of a new queue. */
export const defaultSettings: ResolvedSettings = {
  maxRetries: 3,
  retryDelaySeconds: 0,
  visibilityTimeoutMs: 30_000,
  batchSize: 5,
  deadLetterQueue: undefined,
  retentionSeconds: 345_600,
  deliveryDelaySeconds: 0,
  deliveryPaused: false,
  httpPull: true,
  jurisdiction: undefined,
  producers: [],
};

/**
 * Lays `changes` over `current`.
 *
 * @throws TypeError or RangeError naming the setting, its rule and its value
 */
export function resolveSettings(
  queueName: string,
  current: ResolvedSettings,
  changes: QueueSettings,
): ResolvedSettings {
  checkSettingNames(queueName, changes);
  const settings: ResolvedSettings = {
    maxRetries: changes.maxRetries ?? current.maxRetries,
    retryDelaySeconds: changes.retryDelaySeconds ?? current.retryDelaySeconds,
    visibilityTimeoutMs: changes.visibilityTimeoutMs ?? current.visibilityTimeoutMs,
    batchSize: changes.batchSize ?? current.batchSize,
    deadLetterQueue:
      changes.deadLetterQueue === null ? undefined : (changes.deadLetterQueue ?? current.deadLetterQueue),
    retentionSeconds: changes.retentionSeconds ?? current.retentionSeconds,
    deliveryDelaySeconds: changes.deliveryDelaySeconds ?? current.deliveryDelaySeconds,
    deliveryPaused: changes.deliveryPaused ?? current.deliveryPaused,
    httpPull: changes.httpPull ?? current.httpPull,
    jurisdiction: changes.jurisdiction ?? current.jurisdiction,
    producers: changes.producers ?? current.producers,
  };
  checkSettings(queueName, settings);
  return settings;
}

function checkSettings(queueName: string, settings: ResolvedSettings): void {
  const action = `configure queue '${queueName}'`;
  checkInteger(action, 'maxRetries', settings.maxRetries, [0, limits.retries]);
  checkInteger(action, 'retryDelaySeconds', settings.retryDelaySeconds, [0, limits.delaySeconds]);
  checkInteger(action, 'visibilityTimeoutMs', settings.visibilityTimeoutMs, [1, limits.visibilityTimeoutMs]);
  checkInteger(action, 'batchSize', settings.batchSize, [1, limits.batchMessages]);
  checkInteger(action, 'retentionSeconds', settings.retentionSeconds, [60, 1_209_600]);
  checkInteger(action, 'deliveryDelaySeconds', settings.deliveryDelaySeconds, [0, limits.delaySeconds]);
  checkOneOf(action, 'deliveryPaused', settings.deliveryPaused, [true, false]);
  checkOneOf(action, 'httpPull', settings.httpPull, [true, false]);
  checkProducers(action, settings.producers);
  const { deadLetterQueue, jurisdiction } = settings;
  if (jurisdiction !== undefined) checkOneOf(action, 'jurisdiction', jurisdiction, jurisdictions);
  if (deadLetterQueue === undefined) return;
  checkQueueName(action, 'deadLetterQueue', deadLetterQueue);
  if (deadLetterQueue === queueName) {
    throw new RangeError(rule(action, 'deadLetterQueue', 'another queue', deadLetterQueue));
  }
}

/** What goes with the consumer of a queue, at its defaults: what is left when the consumer is deleted. */
export const consumerDefaults: QueueSettings = {
  maxRetries: 3,
  retryDelaySeconds: 0,
  visibilityTimeoutMs: 30_000,
  batchSize: 5,
  deadLetterQueue: null,
};

/** Throws a `TypeError` unless `changes` is an object of settings. */
export function checkSettingNames(queueName: string, changes: unknown): void {
  const allowed = ['id', ...Object.keys(defaultSettings)];
  checkNames(`configure queue '${queueName}'`, changes, { kind: 'setting', allowed });
}

/** Throws unless `value` can be the id of a queue. */
export function checkQueueId(action: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && /^[\da-f]{32}$/.test(value)) return;
  throw new TypeError(rule(action, 'id', '32 hex characters in lower case', value));
}

/** Whether a text can be the name of a queue. */
export function isQueueName(text: string): boolean {
  return /^[\w-]{1,63}$/.test(text);
}

/** Whether the service takes a name: of older queues, it has others too. */
export function isServiceName(text: string): boolean {
  return /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/.test(text);
}

/** Throws unless `value` can be the name of a queue. */
export function checkQueueName(action: string, option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(rule(action, option, 'a string', value));
  if (!isQueueName(value)) {
    throw new RangeError(rule(action, option, '1 to 63 letters, digits, hyphens or underscores', value));
  }
}
