import type { ObservedStats } from '../contract/observer.ts';

/** The breaker as it stands. Times in milliseconds since the epoch. */
export interface BreakerStats {
  /** `closed`: all goes on; `open`: nothing but probes is started; `half-open`: one succeeded, and more are started. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** When it opened; `undefined` while it is closed. */
  readonly openSince: number | undefined;
  /** When the next probe may start; `undefined` unless it is open. One that runs does not stop it. */
  readonly nextProbeAt: number | undefined;
}

/**
 * How it stands with a consumer.
 *
 * - `new`: nobody has asked it for a message yet
 * - `open`: it pulls and hands out
 * - `paused`: it was told to `pause()`
 * - `closing`: it ends, and waits for what is in hand
 * - `closed`: nothing of it is left
 */
export type ConsumerState = 'new' | 'open' | 'paused' | 'closing' | 'closed';

/**
 * What a consumer did so far. Counts of messages, unless they say otherwise; times are milliseconds since the epoch by the
 * queue's clock.
 */
export interface ConsumerStats extends ObservedStats {
  /** When this was read. */
  readonly at: number;
  /** How it stands with it. */
  readonly state: ConsumerState;
  /** Why it ends, or has ended: see {@link ConsumerSummary.reason}. */
  readonly reason?: CloseReason;
  /** With the reason `failed` only. */
  readonly error?: unknown;
  /** When a pull was last answered, with messages or without. */
  readonly lastPullAt: number | undefined;
  /** When messages last came. */
  readonly lastMessageAt: number | undefined;
  /** When the service last confirmed a settlement. */
  readonly lastSettlementAt: number | undefined;
  /**
   * Since when the next pull is due, or from when on: it moves once a pull is answered. `undefined` where none is wanted:
   * while it is not `open`, or its handlers have as much as they can do.
   */
  readonly pullDueAt: number | undefined;
  /** Until when no pull is sent because others failed, or the service asked for that. */
  readonly heldBackUntil: number | undefined;
  /** Since when all handlers have been at work on messages whose leases are over, and none can be started. */
  readonly stalledSince: number | undefined;
  /** Of the delivered ones, the suspects: see `isolateSuspects`. */
  readonly isolated: number;
  /** `undefined` with `breaker: false`. */
  readonly breaker: BreakerStats | undefined;
  /** The last error that any part of the consumer met, reported or not. */
  readonly lastError: unknown;
}

/** Why a consumer ended. */
export type CloseReason = 'closed' | 'aborted' | 'empty' | 'left' | 'failed';

/** Whether somebody said so from without, who gives what is in hand its time. */
export function isAsked(reason: CloseReason): boolean {
  return reason === 'closed' || reason === 'aborted';
}

/** What a consumer did, when it has ended. */
export interface ConsumerSummary extends ConsumerStats {
  /**
   * - `closed`: `close()` or `await using`
   * - `aborted`: the `signal` of its options
   * - `empty`: `stopWhenEmpty`
   * - `left`: the loop was left by `break`, `return` or a throw
   * - `failed`: an error that trying again can't help, see `error`
   */
  readonly reason: CloseReason;
}

/** What of {@link ConsumerStats} is looked up when it is asked for. */
type Looked =
  | 'at'
  | 'state'
  | 'reason'
  | 'error'
  | 'lastPullAt'
  | 'lastMessageAt'
  | 'lastSettlementAt'
  | 'pullDueAt'
  | 'heldBackUntil'
  | 'stalledSince'
  | 'buffered'
  | 'breaker';

/** The counters behind {@link ConsumerStats}. */
export type StatsCounter = { -readonly [Key in keyof Omit<ConsumerStats, Looked>]: ConsumerStats[Key] };

/** Counters that have counted nothing yet. */
export function createStats(): StatsCounter {
  return {
    pulls: 0,
    emptyPulls: 0,
    settleCalls: 0,
    received: 0,
    delivered: 0,
    isolated: 0,
    acked: 0,
    retried: 0,
    released: 0,
    dropped: 0,
    lost: 0,
    unknown: 0,
    abandoned: 0,
    invalid: 0,
    swapped: 0,
    reacked: 0,
    inFlight: 0,
    lastError: undefined,
  };
}
