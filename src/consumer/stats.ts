/** What a consumer did so far. Counts of messages, unless they say otherwise. */
export interface ConsumerStats {
  /** Pull requests sent. */
  readonly pulls: number;
  /** Pulls that brought nothing: each is billed. */
  readonly emptyPulls: number;
  /** Settle requests sent. */
  readonly settleCalls: number;
  /** Messages in the answers, repeated ones included. */
  readonly received: number;
  /** Handed out. */
  readonly delivered: number;
  /** Of those, the suspects: see `isolateSuspects`. */
  readonly isolated: number;
  /** Acknowledgements that the service confirmed. */
  readonly acked: number;
  /** Retries that the service confirmed. */
  readonly retried: number;
  /** Given back unstarted, because their lease ran out or the consumer closed. */
  readonly released: number;
  /** Let go unstarted, because their lease was over: in the buffer, or before their schema had answered. */
  readonly dropped: number;
  /** Settlements that the service did not take. */
  readonly lost: number;
  /** Settlements of which nobody knows. */
  readonly unknown: number;
  /** Handed out and not settled when their lease ended, or when `close()` ran out of grace. */
  readonly abandoned: number;
  /** Bodies that could not be decoded or did not fit the schema. */
  readonly invalid: number;
  /** Repeated deliveries whose newer lease replaced the one already held. */
  readonly swapped: number;
  /** Repeated deliveries of finished messages, acknowledged without being handed out. */
  readonly reacked: number;
  /** Handed out and unsettled now. */
  readonly inFlight: number;
  /** Leased and not handed out now. */
  readonly buffered: number;
  /** The last error that any part of the consumer met, reported or not. */
  readonly lastError: unknown;
}

/** Why a consumer ended. */
export type CloseReason = 'closed' | 'aborted' | 'empty' | 'left' | 'failed';

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
  /** With `failed` only. */
  readonly error?: unknown;
}

/** The counters behind {@link ConsumerStats}; what is buffered, the holdings know. */
export type StatsCounter = { -readonly [Key in keyof Omit<ConsumerStats, 'buffered'>]: ConsumerStats[Key] };

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
