import { heldBackUntil, knownEnd, turnsAfter } from './client-time.ts';
import type { ClientRun } from './client.ts';
import type { Ledger } from './ledger.ts';
import type { Moment } from './moment.ts';
import type { CallRecord } from './network.ts';

/** How long what follows from something may be put off, in milliseconds. */
const turnMs = 10;

/** Whether a client's process vanished before it had done what follows at once from something. */
export function isInterrupted(ledger: Ledger, { crashed }: ClientRun, { at }: Pick<Moment, 'at'>): boolean {
  return crashed !== undefined && crashed.at <= turnsAfter(ledger, at, turnMs);
}

/**
 * Whether a client's process vanished before it had to send a settlement: by the end of its lease, or when the settle calls
 * under way have ended and nothing holds it back.
 *
 * @param pull - what the message came with
 * @param decided - when it was known how it is to be settled
 */
export function isCutShort(ledger: Ledger, client: ClientRun, pull: CallRecord, decided: Moment): boolean {
  const { crashed } = client;
  if (crashed === undefined) return false;
  // Of what is decided in one moment, some may leave before the consumer is told of the rest; and one call may carry no more.
  const isBefore = ({ sentAt, acks, retries }: CallRecord): boolean =>
    sentAt <= decided.at || acks.length + retries.length === client.plan.batchSize;
  const underWay = ledger.callsBy(client.client, 'ack').filter((call) => call.endedSeq > decided.seq && isBefore(call));
  const freeAt = Math.max(decided.at, knownEnd(ledger, pull, decided.at), ...underWay.map(({ endedAt }) => endedAt));
  if (freeAt >= crashed.at) return true;
  return isInterrupted(ledger, client, { at: heldBackUntil(ledger, client.client, freeAt) });
}
