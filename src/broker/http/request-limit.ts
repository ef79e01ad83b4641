import { checkInteger } from '../../contract/check-options.ts';
import { checkNames } from '../../contract/check-names.ts';

/** How many requests may be made in a stretch of time, and what follows when there are more. */
export interface RequestLimit {
  /** 1 or more. */
  readonly requests: number;
  /** In milliseconds, 1 or more. */
  readonly perMs: number;
  /** For how long, at least, all counted requests are refused then, in milliseconds, 0 or more. @defaultValue `perMs` */
  readonly blockMs?: number;
}

/** @throws TypeError or RangeError */
export function resolveRequestLimit(limit: RequestLimit): Required<RequestLimit> {
  const names = { kind: 'option', allowed: ['requests', 'perMs', 'blockMs'], path: 'requestLimit' } as const;
  checkNames('create a broker', limit, names);
  const { requests, perMs, blockMs = perMs } = limit;
  checkInteger('create a broker', 'requestLimit.requests', requests, [1, Infinity]);
  checkInteger('create a broker', 'requestLimit.perMs', perMs, [1, Infinity]);
  checkInteger('create a broker', 'requestLimit.blockMs', blockMs, [0, Infinity]);
  return { requests, perMs, blockMs };
}

/**
 * Counts in windows that begin with the first one counted: so many in each, and no more until the window is over or, where
 * that takes longer, the block. What comes first in a window passes, however large.
 */
export class WindowCounter {
  readonly #limit: Required<RequestLimit>;
  #windowEnd = -Infinity;
  #count = 0;
  #blockedUntil = -Infinity;

  constructor(limit: Required<RequestLimit>) {
    this.#limit = limit;
  }

  /** Counts. Gives how long to wait instead, in milliseconds, when that is too much; nothing is counted then. */
  take(now: number, count = 1): number | undefined {
    const { requests, perMs, blockMs } = this.#limit;
    if (now < this.#blockedUntil) return this.#blockedUntil - now;
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + perMs;
      this.#count = 0;
    }
    if (this.#count === 0 || this.#count + count <= requests) {
      this.#count += count;
      return undefined;
    }
    this.#blockedUntil = Math.max(this.#windowEnd, now + blockMs);
    return this.#blockedUntil - now;
  }
}

/** Counts so many in each second, and blocks no longer than that; `undefined` where there is no limit. */
export function limitPerSecond(count: number | undefined): WindowCounter | undefined {
  return count === undefined ? undefined : new WindowCounter({ requests: count, perMs: 1000, blockMs: 0 });
}
