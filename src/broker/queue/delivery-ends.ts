import type { DeadLetterRoute } from './dead-letter-route.ts';
import type { QueueParts } from './queue-parts.ts';
import { removeMessage } from './remove-message.ts';
import { type StoredMessage, viewOf } from './stored-message.ts';

/** Decides what comes after a delivery that did not end in an ack: the next one, the dead letter queue, or nothing. */
export class DeliveryEnds {
  readonly #parts: QueueParts;
  readonly #route: DeadLetterRoute;

  constructor(parts: QueueParts, route: DeadLetterRoute) {
    this.#parts = parts;
    this.#route = route;
  }

  /** Ends the lease of a message that nobody settled. */
  endLease(message: StoredMessage, endedAt: number, delaySeconds: number): void {
    const { context, history } = this.#parts;
    const leaseId = context.identities.leaseId(message.lease);
    history.record(message.id, endedAt, { type: 'expired', leaseId, delaySeconds });
    this.endDelivery(message, endedAt, endedAt + delaySeconds * 1000);
  }

  /** @param visibleAt - from when on it may be delivered again, unless that was its last delivery */
  endDelivery(message: StoredMessage, now: number, visibleAt: number): void {
    const { maxRetries, deadLetterQueue } = this.#parts.configuration.settings;
    if (message.attempts <= maxRetries) this.#parts.store.release(message, visibleAt);
    else if (deadLetterQueue === undefined) removeMessage(this.#parts, message, { at: now, reason: 'attempts' });
    else this.#moveToDeadLetters(message, now, deadLetterQueue);
  }

  #moveToDeadLetters(message: StoredMessage, now: number, deadLetterQueue: string): void {
    const { context, store, history } = this.#parts;
    const target = this.#route.target(deadLetterQueue);
    store.remove(message);
    const keepsIdentity = context.behaviour.deadLettersKeep === 'identity';
    const letter = keepsIdentity
      ? viewOf(message)
      : { ...viewOf(message), id: context.identities.messageId(), timestampMs: now };
    const renamed = keepsIdentity ? {} : { newMessageId: letter.id };
    history.record(message.id, now, { type: 'deadLettered', deadLetterQueue, ...renamed });
    target.take(letter, now);
  }
}
