import type { EncodedBody } from '../contract/body.ts';
import { limits } from '../contract/limits.ts';

/** A message ready to be pushed. */
export interface EncodedMessage {
  readonly body: EncodedBody;
  readonly delaySeconds?: number;
}

/** What the service adds to each message and counts: about 100 bytes. */
const metadataBytes = 100;

/** What a message weighs against the limit of a batch, in bytes. */
export function weightOf(message: EncodedMessage): number {
  return message.body.bytes + metadataBytes;
}

/** How many messages from `start` on make one batch within the service's limits: 100 messages and 256 000 bytes. */
export function batchLength(messages: readonly EncodedMessage[], start = 0): number {
  let bytes = 0;
  let end = start;
  for (; end < messages.length && end - start < limits.batchMessages; end += 1) {
    const message = messages[end];
    if (message === undefined) break;
    bytes += weightOf(message);
    // A message that is too large for any batch still makes one: the service says what it thinks of it.
    if (end > start && bytes > limits.batchBytes) break;
  }
  return end - start;
}

/** Splits messages, in order, into batches within the service's limits. */
export function splitBatches<Message extends EncodedMessage>(messages: readonly Message[]): Message[][] {
  const batches: Message[][] = [];
  for (let start = 0; start < messages.length;) {
    const batch = messages.slice(start, start + batchLength(messages, start));
    batches.push(batch);
    start += batch.length;
  }
  return batches;
}
