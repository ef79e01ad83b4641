import { QueueError } from '../contract/errors.ts';

/**
 * The longest that a call is held back, in milliseconds, whatever is asked for: as long as the service's own longest
 * limit, that on the requests of an account. A number out of a proxy or a mistake of a unit must not stop a queue for
 * good, and one request in five minutes is a burden to nobody who meant it.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
 */
const longestMs = 300_000;

/** The calls that are held back separately. */
export type GatedCall = 'push' | 'pull' | 'ack';

/**
 * Until when each kind of call of one queue has to wait after the service said "too many requests".
 *
 * The account's rate limit on pushes leaves pulls and settlements free, and a limit on one of those concerns it alone;
 * an overloaded, full or disabled queue concerns all of its calls.
 */
export class Gates {
  readonly #notBefore: Record<GatedCall, number> = { push: -Infinity, pull: -Infinity, ack: -Infinity };
  readonly #causes: Partial<Record<GatedCall, unknown>> = {};

  /** When the call may be made again. */
  notBefore(call: GatedCall): number {
    return this.#notBefore[call];
  }

  /** The failure that holds the call back. */
  cause(call: GatedCall): unknown {
    return this.#causes[call];
  }

  /**
   * Notes a failed call, to be repeated after `delayMs` or what the service asked for, if that is longer, but at most
   * five minutes.
   */
  close(call: GatedCall, error: unknown, delayMs: number, now: number): void {
    const askedMs = (error instanceof QueueError ? error.retryAfterMs : undefined) ?? 0;
    // A transport of the user's may have made NaN of it, which is no longer than anything.
    const openAt = now + (askedMs > delayMs ? Math.min(askedMs, longestMs) : delayMs);
    const isWholeQueue = error instanceof QueueError && error.code === 'queue-unavailable';
    const calls: readonly GatedCall[] = isWholeQueue ? ['push', 'pull', 'ack'] : [call];
    for (const each of calls) {
      if (openAt <= this.#notBefore[each]) continue;
      this.#notBefore[each] = openAt;
      this.#causes[each] = error;
    }
  }
}
