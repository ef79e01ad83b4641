import { rawOf } from '../../contract/raw-body.ts';
import type { HeldMessage } from '../../lease/lease.ts';
import type { InvalidMessage } from '../events.ts';

const source: unique symbol = Symbol('source');

// Asked for late: a transport that does not tell it may give a body that has none. One for all, since a literal with a getter
// takes as long as all else that is done for a message.
const lateRaw: PropertyDescriptor & ThisType<{ readonly [source]: HeldMessage }> = {
  enumerable: true,
  configurable: true,
  get() {
    return rawOf(this[source]);
  },
};

/** A message as callbacks see it that are asked before it is handed out. */
export function viewMessage(message: HeldMessage): InvalidMessage {
  const { id, attempts, timestampMs, contentType, metadata, body } = message;
  const view: object = { id, attempts, timestamp: new Date(timestampMs), contentType, metadata, body };
  Object.defineProperty(view, 'raw', lateRaw);
  return Object.defineProperty(view, source, { value: message, configurable: true }) as InvalidMessage;
}
