import { limits } from '../../contract/limits.ts';
import type { Behaviour } from '../behaviour.ts';
import type { MessageQueue } from './queue.ts';
import { refusals } from '../http/refusal.ts';
import type { StoredBody } from './stored-message.ts';

/** A message about to enter a queue. */
export interface IncomingMessage {
  readonly body: StoredBody;
  /** By default the queue's own delay. */
  readonly delaySeconds: number | undefined;
}

/**
 * Pushes a batch, all of it or, when it breaks a limit, nothing.
 *
 * Sizes are those of the decoded bodies. The service counts about 100 bytes of metadata more, of which nobody knows the
 * exact number; the broker counts none.
 *
 * @throws Refusal
 * @see https://developers.cloudflare.com/queues/platform/limits/
 */
export function pushBatch(queue: MessageQueue, messages: readonly IncomingMessage[]): void {
  checkBatchCount(messages.length);
  let bytes = 0;
  for (const { body } of messages) {
    if (body.bytes > limits.messageBytes) throw refusals.messageSize(body.bytes, limits.messageBytes);
    bytes += body.bytes;
  }
  if (bytes > limits.batchBytes) throw refusals.batchSize(bytes, limits.batchBytes);
  const waitMs = queue.admit(messages.length);
  if (waitMs !== undefined) throw refusals.queueOverloaded(Math.ceil(waitMs / 1000));
  for (const { body, delaySeconds } of messages) queue.push(body, delaySeconds);
}

/** @throws Refusal unless a batch may have so many messages. */
export function checkBatchCount(count: number): void {
  if (count === 0) throw refusals.emptyBatch();
  if (count > limits.batchMessages) throw refusals.batchCount(count, limits.batchMessages);
}

/** @throws Refusal while nothing may be pulled from the queue. */
export function checkPullable(queue: MessageQueue, { pullEnabledAfterMs }: Behaviour): void {
  const ageMs = queue.consumerAgeMs;
  if (ageMs === undefined || ageMs < pullEnabledAfterMs) throw refusals.pullNotEnabled();
  if (queue.settings.deliveryPaused) throw refusals.deliveryPaused();
}
