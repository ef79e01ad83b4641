import { QueueError } from '../contract/errors.ts';

/**
 * What a failed call means for whoever made it.
 *
 * - `transient`: try again, with backoff
 * - `paused`: the queue's delivery is paused; wait as for an empty queue
 * - `not-enabled`: no HTTP pull consumer, or one made seconds ago
 * - `final`: trying again can't help
 */
export type FailureKind = 'transient' | 'paused' | 'not-enabled' | 'final';

/** Judges a failure by its code alone. What is not a `QueueError` is a defect, and final. */
export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof QueueError)) return 'final';
  switch (error.code) {
    case 'network':
    case 'timeout':
    case 'rate-limited':
    case 'queue-unavailable':
    case 'service-failed':
      return 'transient';
    case 'bad-answer':
      // A redirect is a wrong base URL, and stays one.
      return error.status !== undefined && error.status >= 300 && error.status < 400 ? 'final' : 'transient';
    case 'delivery-paused':
      return 'paused';
    case 'pull-not-enabled':
      return 'not-enabled';
    case 'transport-failed':
    case 'unauthorized':
    case 'not-found':
    case 'too-large':
    case 'refused':
    case 'undecodable-body':
    case 'invalid-body':
    case 'lease-expired':
    case 'lease-unknown':
    case 'unconfirmed':
    case 'closed':
      return 'final';
  }
}

/** Whether the call may have taken effect although it failed: the answer may have been lost on its way back. */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof QueueError)) return true;
  return ['network', 'timeout', 'bad-answer', 'service-failed', 'transport-failed'].includes(error.code);
}
