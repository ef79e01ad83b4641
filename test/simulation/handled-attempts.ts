import { endingOf, isOver } from './client-time.ts';
import { isGentle } from './gentle-schedules.ts';
import type { Invariant } from './invariant.ts';
import type { Delivery, Got, Ledger, LedgerMessage } from './ledger.ts';

/**
 * Every message that the broker gave up had a handler started for each of its attempts, and none was given up while its
 * handler ran. Attempts that no handler can have seen, or need not have, are:
 *
 * - one that is not a client's, or whose answer its client never got;
 * - one that is invalid to its client, which settles it as it is told;
 * - one that came while its handler ran or waited for its turn by an older delivery, whose place it took, or when that was
 *   finished: then it is acknowledged;
 * - one whose place a newer delivery took before it was started: that one is judged in its stead;
 * - one that had to wait for others of its key, and was given back while it was not on its last attempt;
 * - one whose client began to end while its lease lasted, or vanished: it gives back what it has not started, or loses it.
 *
 * Elsewhere than in a gentle schedule a consumer can't keep the promise: what it fetched may turn out to take longer, or its
 * machine sleeps, and what it gives back or lets lapse counts as an attempt all the same.
 */
export const attemptsAreHandled: Invariant = (ledger) => {
  if (!isGentle(ledger.run.schedule)) return [];
  return [...ledger.messages.values()]
    .filter(({ place }) => place === 'removed' || place === 'dead-letter-queue')
    .flatMap((message) => [...unhandled(ledger, message), ...stillRunning(ledger, message)]);
};

function unhandled(ledger: Ledger, { id, place, deliveries }: LedgerMessage): readonly string[] {
  return deliveries
    .filter((delivery) => !isExcused(ledger, delivery))
    .map(
      ({ attempts, call }) => `${id} is ${place} and client ${call?.client} started no handler for attempt ${attempts}`,
    );
}

function isExcused(ledger: Ledger, delivery: Delivery): boolean {
  const { call, leaseId, messageId } = delivery;
  if (call === undefined || !call.received.includes(leaseId)) return true;
  if (ledger.run.log.received.has(leaseId) || ledger.startsOf(messageId).some((start) => start.leaseId === leaseId)) {
    return true;
  }
  const got = { ...delivery, call };
  return (
    ledger.isInvalid(call.client, messageId) ||
    isReplaced(ledger, got) ||
    isPostponed(ledger, got) ||
    isGivenBack(ledger, got)
  );
}

/** Whether another delivery to the same client had its place. */
function isReplaced(ledger: Ledger, { call, messageId, attempts }: Got): boolean {
  const starts = ledger.startsBy(call.client).filter((start) => start.messageId === messageId);
  const isBefore = starts.some(
    (start) =>
      start.seq < call.endedSeq && (start.endedSeq > call.endedSeq || ledger.isKnownFinished(start, call.endedSeq)),
  );
  if (isBefore) return true;
  const newer = ledger.got(call.client, messageId).filter((other) => other.attempts > attempts);
  return newer.some((other) => !isOver(ledger, call, other.call.endedAt));
}

/** Whether its client gave it back, to wait for others, and could do so without harm. */
function isPostponed(ledger: Ledger, { call, leaseId, attempts }: Got): boolean {
  if (ledger.client(call.client).plan.order === undefined || attempts > ledger.run.schedule.maxRetries) return false;
  return ledger.callsBy(call.client, 'ack').some(({ retries }) => retries.includes(leaseId));
}

/** Whether its client may have given it back because it was ending, or lost it when it vanished. */
function isGivenBack(ledger: Ledger, { call }: Got): boolean {
  const { earliest } = endingOf(ledger, call.client);
  return call.endedAt >= earliest || !isOver(ledger, call, earliest);
}

/**
 * Handlers that ran when the broker gave their message up, and whose consumers had not begun to end: that retries what is in
 * hand. Nor does a handler run whose process has vanished.
 */
function stillRunning(ledger: Ledger, { id, place, goneSeq }: LedgerMessage): readonly string[] {
  return ledger
    .startsOf(id)
    .filter((start) => start.seq < goneSeq && ledger.settledSeq(start) > goneSeq && start.endedSeq > goneSeq)
    .filter(({ client }) => ledger.client(client).endings.every((ending) => ending.seq > goneSeq))
    .filter(({ client }) => (ledger.client(client).crashed?.seq ?? Infinity) > goneSeq)
    .map(({ client }) => `${id} is ${place} while client ${client} works on it`);
}
