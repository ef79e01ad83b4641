import type { DeliveryEnds } from './delivery-ends.ts';
import type { QueueParts } from './queue-parts.ts';
import { removeMessage } from './remove-message.ts';
import type { StoredMessage } from './stored-message.ts';

/** Carries out what time alone does to a queue: leases and retention end. */
export class Expiry {
  readonly #parts: QueueParts;
  readonly #ends: DeliveryEnds;

  constructor(parts: QueueParts, ends: DeliveryEnds) {
    this.#parts = parts;
    this.#ends = ends;
  }

  /** Lets leases and retention end up to `now`, in the order of time; a lease first when both end together. */
  elapse(now: number): void {
    const { store, configuration } = this.#parts;
    for (;;) {
      const leased = store.nextExpiring;
      const { oldest } = store;
      const leaseEnd = leased?.dueAt ?? Infinity;
      const retentionMs = configuration.settings.retentionSeconds * 1000;
      const retentionEnd = oldest === undefined ? Infinity : oldest.arrivedAt + retentionMs;
      if (Math.min(leaseEnd, retentionEnd) > now) return;
      if (leased !== undefined && leaseEnd <= retentionEnd) this.#expire(leased);
      else if (oldest !== undefined) removeMessage(this.#parts, oldest, { at: retentionEnd, reason: 'retention' });
    }
  }

  #expire(message: StoredMessage): void {
    const { context, configuration } = this.#parts;
    const isAtOnce = context.behaviour.expiredLeases === 'at-once';
    this.#ends.endLease(message, message.dueAt, isAtOnce ? 0 : configuration.settings.retryDelaySeconds);
  }
}
