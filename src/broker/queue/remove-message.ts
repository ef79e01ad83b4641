import type { QueueParts } from './queue-parts.ts';
import type { StoredMessage } from './stored-message.ts';

/** When a message was removed, and why. */
export interface Removal {
  readonly at: number;
  readonly reason: 'attempts' | 'retention' | 'purge';
}

/** Removes a message that nobody acknowledged. */
export function removeMessage(
  { store, history }: Pick<QueueParts, 'store' | 'history'>,
  message: StoredMessage,
  { at, reason }: Removal,
): void {
  store.remove(message);
  history.record(message.id, at, { type: 'removed', reason });
}
