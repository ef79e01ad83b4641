import { checkOneOf, rule } from '../../contract/check-options.ts';
import { checkNames } from '../../contract/check-names.ts';

/**
 * Who pushes to a queue beside clients over HTTP: a Worker by a binding, or a bucket by its notifications. Shown by the
 * management API, and nothing more: the broker runs neither.
 */
export type QueueProducer =
  | { readonly type: 'worker'; readonly script: string }
  | { readonly type: 'r2_bucket'; readonly bucketName: string };

/** @throws TypeError naming the producer that is none */
export function checkProducers(action: string, producers: unknown): void {
  if (!Array.isArray(producers)) throw new TypeError(rule(action, 'producers', 'an array', producers));
  for (const [index, producer] of (producers as readonly unknown[]).entries()) {
    checkProducer(action, `producers[${index}]`, producer);
  }
}

function checkProducer(action: string, path: string, producer: unknown): void {
  checkNames(action, producer, { kind: 'setting', allowed: ['type', 'script', 'bucketName'], path });
  const { type, script, bucketName } = producer as Record<string, unknown>;
  checkOneOf(action, `${path}.type`, type, ['worker', 'r2_bucket']);
  const [name, value] = type === 'worker' ? ['script', script] : ['bucketName', bucketName];
  if (typeof value !== 'string' || value === '') throw new TypeError(rule(action, `${path}.${name}`, 'a name', value));
}
