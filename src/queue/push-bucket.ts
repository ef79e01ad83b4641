import type { Clock } from '../contract/clock.ts';
import { type RequestLimit, TokenBucket } from '../producer/token-bucket.ts';
import { TokenBuckets } from '../producer/token-buckets.ts';

/** The buckets of this process, by the clock that their times are read from: those of two clocks can't be compared. */
const shared = new WeakMap<Clock, TokenBuckets>();

/** What the pushes of a handle are counted by. */
export interface PushScope {
  readonly limit: RequestLimit;
  readonly clock: Clock;
  /** The address of the account; absent where it is not known. */
  readonly account: string | undefined;
}

/**
 * Gives what gives the bucket of a handle's pushes, to be called for each of them. All handles of one account that have
 * the same limit and clock take from one bucket; a handle whose account is not known has its own.
 */
export function pushBucket({ limit: { requests, perMs }, clock, account }: PushScope): () => TokenBucket {
  const limit = { requests, perMs };
  if (account === undefined) {
    const own = new TokenBucket(limit);
    return () => own;
  }
  const buckets = shared.get(clock) ?? new TokenBuckets();
  shared.set(clock, buckets);
  const name = JSON.stringify([account, requests, perMs]);
  return () => buckets.get(name, limit, clock.monotonic());
}
