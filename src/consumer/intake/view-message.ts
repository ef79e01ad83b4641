import { rawOf } from '../../contract/raw-body.ts';
import type { HeldMessage } from '../../lease/lease.ts';
import type { InvalidMessage } from '../events.ts';

/** A message as callbacks see it that are asked before it is handed out. */
export function viewMessage(message: HeldMessage): InvalidMessage {
  const { id, attempts, timestampMs, contentType, metadata, body } = message;
  return {
    id,
    attempts,
    timestamp: new Date(timestampMs),
    contentType,
    metadata,
    body,
    // Asked for late: a transport that does not tell it may give a body that has none.
    get raw() {
      return rawOf(message);
    },
  };
}
