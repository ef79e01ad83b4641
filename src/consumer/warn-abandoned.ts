import type { MessageIdentity } from './events.ts';

/**
 * Warns on the console that a message was handed out and never settled. For a consumer without `onEvent`, whose user
 * would otherwise only see the same messages again and again.
 */
export function warnAbandoned({ id }: MessageIdentity): void {
  console.warn(
    `leasestream: the lease of message ${id} ended before the message was settled, and it will be delivered again. ` +
      'Call ack() or retry() on each message, or use settleMap(). ' +
      "Others are counted in 'stats.abandoned' and told to 'onEvent' without a further warning.",
  );
}
