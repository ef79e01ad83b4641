import { isEncoded } from '../contract/body.ts';
import type { OutgoingMessage } from '../contract/message.ts';
import type { SendEnd } from '../contract/observer.ts';
import type { Ongoing } from '../contract/observers.ts';

/**
 * Tells observers how a send ends.
 *
 * @param failedOf - gives how many messages were not confirmed, when it failed
 */
export async function followSend(
  sending: Ongoing<SendEnd>,
  failedOf: () => number,
  send: () => Promise<void>,
): Promise<void> {
  try {
    await send();
  } catch (error) {
    sending.end({ failed: failedOf(), error });
    throw error;
  }
  sending.end({ failed: 0 });
}

/** The message as it is sent, with what observers add to its body; one that is moved stays as it came. */
export function injected(message: OutgoingMessage, sending: Ongoing<SendEnd>): OutgoingMessage {
  return isEncoded(message.body) ? message : { ...message, body: sending.inject(message.body) };
}
