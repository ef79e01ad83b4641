import { QueueError } from '../contract/errors.ts';

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

  /** When the call may be made again. */
  notBefore(call: GatedCall): number {
    return this.#notBefore[call];
  }

  /** Notes a failed call, to be repeated after `delayMs` or what the service asked for, if that is longer. */
  close(call: GatedCall, error: unknown, delayMs: number, now: number): void {
    const waitMs = Math.max(delayMs, (error instanceof QueueError ? error.retryAfterMs : undefined) ?? 0);
    const isWholeQueue = error instanceof QueueError && error.code === 'queue-unavailable';
    const calls: readonly GatedCall[] = isWholeQueue ? ['push', 'pull', 'ack'] : [call];
    for (const each of calls) this.#notBefore[each] = Math.max(this.#notBefore[each], now + waitMs);
  }
}
