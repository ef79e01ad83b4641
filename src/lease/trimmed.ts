import type { Lease } from './lease.ts';

/** What leaves the buffer unstarted. */
export interface Trimmed {
  /** Too little time left to start, enough to give back. */
  readonly released: readonly Lease[];
  /** The same of deferred ones: come again at once, they would be in the way of the same handler, or wait for it again. */
  readonly postponed: readonly Lease[];
  /** Their lease is over: the service has them already. */
  readonly dropped: readonly Lease[];
}

/** {@link Trimmed} while it is gathered. */
export interface MutableTrimmed extends Trimmed {
  readonly released: Lease[];
  readonly postponed: Lease[];
  readonly dropped: Lease[];
}

export function emptyTrimmed(): MutableTrimmed {
  return { released: [], postponed: [], dropped: [] };
}
