import { encodeBody } from '../contract/body.ts';
import { checkInteger } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import type { OutgoingMessage } from '../contract/message.ts';
import { kindOf } from './envelope.ts';
import { isForwardable } from './forward.ts';
import type { EncodedMessage } from './split-batches.ts';

/**
 * Encodes a message at once, so that a later change of its body changes nothing.
 *
 * @throws TypeError or RangeError when the body or the delay can't be pushed
 */
export function encodeMessage({ body, contentType, delaySeconds }: OutgoingMessage): EncodedMessage {
  refuseItem(body);
  const encoded = encodeBody(body, contentType);
  if (encoded.bytes > limits.messageBytes) {
    throw new RangeError(`Cannot send a body of ${encoded.bytes} bytes: a message may have ${limits.messageBytes}`);
  }
  if (delaySeconds === undefined) return { body: encoded };
  checkInteger('send', 'delaySeconds', delaySeconds, [0, limits.delaySeconds]);
  return { body: encoded, delaySeconds };
}

/** What a sink takes for more than a body would lose that here without a word. */
function refuseItem(body: unknown): void {
  const made = kindOf(body);
  if (typeof made === 'string') {
    throw new TypeError(`Cannot push what ${made}() made as a body: only toWritable() and toWritableStream() take it`);
  }
  // Pushed as it is, its lease would end unsettled: it would be pushed again and again.
  if (isForwardable(body)) {
    throw new TypeError(
      'Cannot push a leased message as a body: send message.body, or write forward(message, [message])',
    );
  }
}
