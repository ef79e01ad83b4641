import { rawOf } from '../../contract/raw-body.ts';
import type { HeldMessage } from '../../lease/lease.ts';
import type { InvalidMessage } from '../events.ts';

/** A message as callbacks see it that are asked before it is handed out. */
export function viewMessage(message: HeldMessage): InvalidMessage {
  const { id, attempts, timestampMs, contentType, metadata, body } = message;
  const shown = { id, attempts, timestamp: new Date(timestampMs), contentType, metadata, body };
  return new MessageView(message, shown) as object as InvalidMessage;
}

class MessageView {
  readonly #message: HeldMessage;

  // Asked for late: a transport that does not tell it may give a body that has none. Of the object's own, so that who
  // spreads the view has it; and one for all, as each getter makes a hidden class.
  static readonly #lateRaw: PropertyDescriptor & ThisType<MessageView> = {
    enumerable: true,
    get() {
      return rawOf(this.#message);
    },
  };

  constructor(message: HeldMessage, shown: Omit<InvalidMessage, 'raw'>) {
    this.#message = message;
    Object.assign(this, shown);
    Object.defineProperty(this, 'raw', MessageView.#lateRaw);
  }
}
