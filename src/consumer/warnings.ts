import type { MessageIdentity } from './events.ts';

// For consumers without `onEvent`, whose users would otherwise only see the same messages again and again, or none.

/** Warns on the console that the first pulls have all been in vain. */
export function warnUnanswered(error: unknown, forMs: number): void {
  const why = error instanceof Error ? ` ${error.message}` : '';
  console.warn(
    `leasestream: no pull has been answered since the first, ${Math.round(forMs / 1000)} s ago, and it goes on asking.${why} ` +
      "Failures are told to 'onEvent', and are in 'stats.lastError', without a further warning.",
  );
}

/** Warns on the console that a message was handed out and never settled. */
export function warnAbandoned({ id }: MessageIdentity): void {
  console.warn(
    `leasestream: the lease of message ${id} ended before the message was settled, and it will be delivered again. ` +
      'Call ack() or retry() on each message, or use settleMap(). ' +
      "Others are counted in 'stats.abandoned' and told to 'onEvent' without a further warning.",
  );
}

/** Warns on the console that a lease ended while the handler of its message runs. */
export function warnOverdue({ id }: MessageIdentity, ranMs: number): void {
  console.warn(
    `leasestream: the lease of message ${id} ended while its handler runs, ${Math.round(ranMs)} ms since it began: the ` +
      "message may be delivered again meanwhile. Set 'visibilityTimeoutMs' above the longest work. " +
      "Others are told to 'onEvent' without a further warning.",
  );
}
