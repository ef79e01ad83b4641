import type { QueueSettings } from '../broker/queue/settings.ts';
import { parseDuration, parseSeconds } from './duration.ts';
import { InputError } from './exit-codes.ts';

type Reader = (value: string) => Partial<QueueSettings>;

function readInteger(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InputError(`'${value}' is no whole number`);
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['max-retries', (value) => ({ maxRetries: readInteger(value) })],
  ['retry-delay', (value) => ({ retryDelaySeconds: parseSeconds(value) })],
  ['visibility-timeout', (value) => ({ visibilityTimeoutMs: parseDuration(value) })],
  ['batch-size', (value) => ({ batchSize: readInteger(value) })],
  ['dead-letter-queue', (value) => ({ deadLetterQueue: value })],
  ['retention', (value) => ({ retentionSeconds: parseSeconds(value) })],
  ['delay', (value) => ({ deliveryDelaySeconds: parseSeconds(value) })],
  ['id', (value) => ({ id: value })],
]);

/** The settings that `--queue` takes. */
export const queueFlagSettings: readonly string[] = [...readers.keys()];

/**
 * Reads `NAME`, or `NAME:setting=value,setting=value`.
 *
 * @throws InputError for a setting that there is not, or that has no such value
 */
export function parseQueueFlag(text: string): readonly [name: string, settings: QueueSettings] {
  const [name = '', ...rest] = text.split(':');
  const pairs = rest.length === 0 ? [] : rest.join(':').split(',');
  const settings = pairs.map((pair) => readPair(pair, text));
  return [name, Object.assign({}, ...settings) as QueueSettings];
}

function readPair(pair: string, text: string): Partial<QueueSettings> {
  const [key = '', ...rest] = pair.split('=');
  const reader = readers.get(key.trim());
  if (reader === undefined || rest.length === 0) {
    throw new InputError(
      `Cannot read --queue ${text}: '${pair}' is not one of ${queueFlagSettings.join(', ')} and a value`,
    );
  }
  return reader(rest.join('=').trim());
}
