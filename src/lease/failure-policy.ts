import { QueueError } from '../contract/errors.ts';

/**
 * What a failed call means for whoever made it.
 *
 * - `transient`: try again, with backoff
 * - `paused`: the queue's delivery is paused; wait as for an empty queue
 * - `doubtful`: nobody is known to mean it, or not for long: try again for a while
 * - `refused`: trying again can't help, unless something has worked before: then for a while as well
 * - `absent`: nobody is there: try again, but only for a while where nothing has worked before
 * - `final`: trying again can't help
 */
export type FailureKind = 'transient' | 'paused' | 'doubtful' | 'refused' | 'absent' | 'final';

/** Judges a failure by codes and status alone. What is not a `QueueError` is a defect, and final. */
export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof QueueError)) return 'final';
  const { code, status = NaN, inEnvelope } = error;
  switch (code) {
    case 'unknown-host':
      return 'absent';
    case 'untrusted-certificate':
      // A captive portal shows its own.
      return 'refused';
    case 'network':
    case 'timeout':
    case 'rate-limited':
    case 'queue-unavailable':
    case 'service-failed':
      return 'transient';
    case 'bad-answer':
      // A redirect, which is a wrong base URL or somebody on the way who wants a login. 0 is what browsers make of it.
      return status === 0 || (status >= 300 && status < 400) ? 'doubtful' : 'transient';
    case 'delivery-paused':
      return inEnvelope === false ? 'doubtful' : 'paused';
    case 'pull-not-enabled':
      // A pull consumer made seconds ago is not known everywhere yet.
      return 'doubtful';
    case 'unauthorized':
    case 'not-found':
    case 'too-large':
    case 'refused':
      return inEnvelope === false ? 'doubtful' : 'refused';
    case 'transport-failed':
    case 'forbidden-by-runtime':
    case 'unusable-address':
    case 'undecodable-body':
    case 'invalid-body':
    case 'lease-expired':
    case 'lease-unknown':
    case 'unconfirmed':
    case 'closed':
      return 'final';
  }
}

/** What a failed push means: what the service refuses of it is the message's own fault, whatever worked before. */
export function pushFailureKind(error: unknown): FailureKind {
  if (!(error instanceof QueueError) || isUnread(error)) return 'final';
  const kind = failureKind(error);
  const isRefusedAsSuch = kind === 'refused' && error.code !== 'unauthorized' && error.code !== 'untrusted-certificate';
  return isRefusedAsSuch || kind === 'paused' ? 'final' : kind;
}

/** Whether the answer was a success that could not be read: what was asked for is most likely done. */
function isUnread({ status = NaN, inEnvelope }: QueueError): boolean {
  return inEnvelope === undefined && status >= 200 && status < 300;
}

/** Whether the call may have taken effect although it failed: the answer may have been lost on its way back. */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof QueueError)) return true;
  // What came in place of the service's answer does not tell of it.
  if (error.inEnvelope === false && error.code !== 'rate-limited') return true;
  return ['network', 'timeout', 'bad-answer', 'service-failed', 'transport-failed'].includes(error.code);
}
