import { sleptMs } from './client-time.ts';
import type { Ledger } from './ledger.ts';
import type { CallRecord } from './network.ts';

/** How many times the usual round trip an answer may take, and the least that is waited for it, in milliseconds. */
const usualTimes = 10;
const leastMs = { known: 500, unknown: 1_000 };

/**
 * After how long a consumer may stop counting on the answer to a pull, in milliseconds: ten times as long as the answers
 * took that it had by then, smoothed with gain 1/8. It waits for longer where several in a row are overdue. Whether a time
 * that its machine slept through counts depends on its clocks, which may have been set meanwhile.
 */
export function overdueAfterMs(ledger: Ledger, pull: CallRecord): number {
  const answers = ledger
    .callsBy(pull.client, 'pull')
    .filter((call) => call.isUnderstood && call.endedSeq < pull.sentSeq)
    .toSorted((a, b) => a.endedSeq - b.endedSeq);
  const took = answers.map(({ sentAt, endedAt }) => endedAt - sentAt);
  const tookAwake = answers.map((call, index) => (took[index] ?? 0) - sleptMs(ledger, call.sentAt, call.endedAt));
  return Math.min(afterMs(took), afterMs(tookAwake));
}

function afterMs(took: readonly number[]): number {
  let roundTripMs = 0;
  took.forEach((tookMs, index) => {
    roundTripMs = index === 0 ? tookMs : roundTripMs + (tookMs - roundTripMs) / 8;
  });
  return Math.min(30_000, roundTripMs === 0 ? leastMs.unknown : Math.max(leastMs.known, usualTimes * roundTripMs));
}
