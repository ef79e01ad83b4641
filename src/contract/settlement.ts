import type { QueueError } from './errors.ts';

/**
 * What became of an `ack()` or a `retry()`.
 *
 * - `acked`, `retried`: the service confirmed it. `late` says that the lease had ended by then.
 * - `lost`: the service did not take it. The message will be, or was, delivered again.
 * - `unknown`: the answer was dropped, or its counts and warnings can't tell. The message may be delivered again.
 */
export type Settlement =
  | { readonly outcome: 'acked' | 'retried'; readonly late: boolean }
  | { readonly outcome: 'lost'; readonly error: QueueError }
  | { readonly outcome: 'unknown'; readonly error: QueueError };
