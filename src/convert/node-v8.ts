import { deserialize } from 'node:v8';
import type { UndecodedMessage } from '../consumer/intake/decode.ts';

/**
 * Decodes `v8` bodies, which Workers push, with Node's own `node:v8`; all others as without it. For `decode` of
 * `openQueue()`, or within a function of your own.
 *
 * For data from those you trust alone: deserializing makes what the bytes say, of any size, and is not hardened against bytes
 * that were made to do harm. A Worker's engine may be newer than Node's, and write what it can't read.
 *
 * @param raw - what came
 * @throws Error when it is not of its content type
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 * import { decodeV8 } from 'leasestream/node';
 *
 * const queue = openQueue({ queueId: process.env.QUEUE_ID!, decode: decodeV8 });
 *
 * for await (const message of queue.consume({ stopWhenEmpty: true })) console.log(message.body);
 * ```
 * @see https://nodejs.org/api/v8.html#v8deserializebuffer
 */
export function decodeV8(raw: string | Uint8Array, { contentType }: Pick<UndecodedMessage, 'contentType'>): unknown {
  if (typeof raw === 'string') {
    if (contentType === 'text') return raw;
    if (contentType === 'json') return JSON.parse(raw);
    throw new Error('it is not base64');
  }
  return contentType === 'v8' ? deserialize(raw) : raw;
}
