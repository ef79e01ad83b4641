import type { DeliveryEnds } from './delivery-ends.ts';
import type { QueueParts } from './queue-parts.ts';
import type { StoredMessage } from './stored-message.ts';

/** What {@link LeaseSettler.ack} and {@link LeaseSettler.retry} say when they did nothing. */
export const warnings = {
  unknownLease: 'Lease ID is not known: the message was settled, moved or removed',
  lateRetry: 'Lease has expired: the message was not retried',
} as const;

/** Settles messages by their leases, those included that ended unsettled. */
export class LeaseSettler {
  readonly #parts: QueueParts;
  readonly #ends: DeliveryEnds;

  constructor(parts: QueueParts, ends: DeliveryEnds) {
    this.#parts = parts;
    this.#ends = ends;
  }

  knows(leaseId: string): boolean {
    return this.#find(leaseId) !== undefined;
  }

  /** @returns a warning when nothing was done */
  ack(leaseId: string, now: number): string | undefined {
    const found = this.#find(leaseId);
    if (found === undefined) return warnings.unknownLease;
    const { message, token } = found;
    const late = message.lease !== token;
    this.#parts.store.remove(message);
    this.#parts.history.record(message.id, now, { type: 'acked', leaseId, late });
    return undefined;
  }

  /** @returns a warning when nothing was done */
  retry(leaseId: string, now: number, delaySeconds: number): string | undefined {
    const { context, store, history } = this.#parts;
    const found = this.#find(leaseId);
    if (found === undefined) return warnings.unknownLease;
    const { message, token } = found;
    const late = message.lease !== token;
    if (late && context.behaviour.lateRetry === 'ignore') return warnings.lateRetry;
    history.record(message.id, now, { type: 'retried', leaseId, delaySeconds, late });
    this.#ends.endDelivery(message, now, now + delaySeconds * 1000);
    store.forgetLease(message, token);
    return undefined;
  }

  #find(leaseId: string): { readonly message: StoredMessage; readonly token: number } | undefined {
    const { context, store } = this.#parts;
    const token = context.identities.leaseToken(leaseId);
    const message = store.withLease(token);
    return message === undefined ? undefined : { message, token };
  }
}
