import { encodeBody } from '../contract/body.ts';
import { checkInteger } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import type { OutgoingMessage } from '../contract/message.ts';
import type { EncodedMessage } from './split-batches.ts';

/**
 * Encodes a message at once, so that a later change of its body changes nothing.
 *
 * @throws TypeError or RangeError when the body or the delay can't be pushed
 */
export function encodeMessage({ body, contentType, delaySeconds }: OutgoingMessage): EncodedMessage {
  const encoded = encodeBody(body, contentType);
  if (encoded.bytes > limits.messageBytes) {
    throw new RangeError(`Cannot send a body of ${encoded.bytes} bytes: a message may have ${limits.messageBytes}`);
  }
  if (delaySeconds === undefined) return { body: encoded };
  checkInteger('send', 'delaySeconds', delaySeconds, [0, limits.delaySeconds]);
  return { body: encoded, delaySeconds };
}
