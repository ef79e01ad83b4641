import { QueueError } from '../../contract/errors.ts';
import type { Settlement } from '../../contract/settlement.ts';
import { mayHaveTakenEffect } from '../../lease/failure-policy.ts';
import type { Lease } from '../../lease/lease.ts';

// What becomes of a settlement that the service has not confirmed.

/** Why it is not waited for any longer. */
export function closed(before: 'confirmed' | 'sent'): QueueError {
  return new QueueError(`The consumer was closed before the settlement could be ${before}`, { code: 'closed' });
}

export function expired(lease: Lease): Settlement {
  const text = `The lease of message ${lease.id} ended before its retry could be sent`;
  return failed(lease, new QueueError(text, { code: 'lease-expired' }));
}

/** What is left when trying is over: an earlier try may have taken effect and only its answer been lost. */
export function failed(lease: Lease, cause: unknown): Settlement {
  const error =
    cause instanceof QueueError
      ? cause
      : new QueueError(`The ${lease.settledAs} of message ${lease.id} failed`, { code: 'unconfirmed', cause });
  return { outcome: lease.mayBeSettled || mayHaveTakenEffect(cause) ? 'unknown' : 'lost', error };
}

/** A lease that the service does not know may be one that an earlier try settled, whose answer was lost. */
export function unsure(lease: Lease, outcome: Settlement): Settlement {
  return outcome.outcome === 'lost' && lease.mayBeSettled ? { outcome: 'unknown', error: outcome.error } : outcome;
}
