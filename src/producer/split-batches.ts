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

/** Splits messages, in order, into batches within the service's limits: 100 messages and 256 000 bytes. */
export function splitBatches<Message extends EncodedMessage>(messages: readonly Message[]): Message[][] {
  const batches: Message[][] = [];
  let batch: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const weight = weightOf(message);
    if (batch.length > 0 && (batch.length === limits.batchMessages || bytes + weight > limits.batchBytes)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += weight;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
