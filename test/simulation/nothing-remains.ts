import {
  awakeAfter,
  endingOf,
  givesUpAt,
  grainMs,
  heldBackUntil,
  isOver,
  jumpedSince,
  loopFreeAt,
  mayHaveGivenUp,
  sleptMs,
  takesNoMoreAt,
  turnsAfter,
} from './client-time.ts';
import type { ClientRun } from './client.ts';
import type { Invariant } from './invariant.ts';
import type { Delivery, Ledger } from './ledger.ts';
import type { Moment } from './moment.ts';
import type { CallRecord } from './network.ts';
import { overdueAfterMs } from './overdue-pulls.ts';

/**
 * A consumer that is told to end asks for nothing more, waits for the pulls under way, gives back at once what it does
 * not hand out, and closes in time. Then no request, timer or listener of ours is left, and nothing is leased that was not
 * handed out.
 */
export const nothingRemains: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) =>
    [
      ...left(ledger, client),
      ...leavesWrongly(ledger, client),
      ...callsTooLate(ledger, client),
      ...pullsGivenUp(ledger, client),
      ...closesLate(ledger, client),
      ...receivedBy(ledger, client)
        .filter((delivery) => isHoarded(ledger, client, delivery))
        .map(({ messageId }) => `kept ${messageId} and did not hand it out`),
    ].map((text) => `client ${client.client} ${text}`),
  );

function left(ledger: Ledger, { client, crashed, remains }: ClientRun): readonly string[] {
  const { openCalls, timers, listeners, seq } = remains;
  const isClear = openCalls + timers + listeners === 0;
  const moved = ledger.startsBy(client).filter((start) => ledger.isBeingMoved(start, seq));
  return [
    ...(isClear ? [] : [`left ${openCalls} calls, ${timers} timers and ${listeners} listeners`]),
    ...(crashed !== undefined || mayHaveGivenUp(ledger, client)
      ? []
      : moved.map(({ messageId }) => `closed while ${messageId} was being moved`)),
  ];
}

/** A reader that goes away waits for the calls under way, and for nothing that is in hand. */
function leavesWrongly(ledger: Ledger, client: ClientRun): readonly string[] {
  const { endings, leaves, summary, surface } = client;
  // Nor does it wait for what had begun to end before it left.
  if (summary?.reason !== 'left') return [];
  return leaves.flatMap(({ called, remains }) => {
    const isFirst = endings.every(({ seq }) => seq >= called.seq - 1);
    if (isFirst && remains.openCalls > 0) return [`was left with ${remains.openCalls} calls under way`];
    if (surface.leavesAtOnce) return [];
    const lateMs = remains.at - turnsAfter(ledger, quietSince(ledger, client, called), 2 * turnMs);
    return lateMs > 0 ? [`let its reader wait for ${lateMs} ms`] : [];
  });
}

/** When nothing was left of what a reader waits for which goes away then. */
function quietSince(ledger: Ledger, { client, remains }: ClientRun, called: Moment): number {
  const pulls = ledger.callsBy(client, 'pull');
  const calls = [...pulls, ...ledger.callsBy(client, 'ack')];
  const notes = ledger.run.log.invalids.filter((note) => note.client === client);
  const starts = ledger.startsBy(client);
  const isQuiet = ({ seq, at }: Moment): boolean => {
    const soon = turnsAfter(ledger, at, turnMs);
    // The end of a lease is seen by a timer, which is late by as long as the machine slept meanwhile.
    const seenAt = at - sleptMs(ledger, called.at, at);
    // Nor does any call follow from what has just happened.
    return (
      !calls.some((call) => call.endedSeq > seq && call.sentAt <= soon) &&
      !starts.some((start) => ledger.isBeingMoved(start, seq)) &&
      !notes.some((note) => note.decidedSeq > seq && note.askedAt <= soon) &&
      ledger.heldAt(client, { seq, at: seenAt }) === 0 &&
      heldBackUntil(ledger, client, soon) === soon
    );
  };
  const ends: Moment[] = [
    ...calls.map((call) => ({ seq: call.endedSeq, at: call.endedAt })),
    ...pulls.flatMap((call) => call.received.map((leaseId) => ledger.judged({ leaseId, call }))),
    ...notes.map((note) => ({ seq: note.decidedSeq, at: note.decidedAt })),
    ...starts.flatMap(({ settles }) => settles.map((settle) => ({ seq: settle.settledSeq, at: settle.settledAt }))),
  ];
  const moments = [called, ...ends.filter(({ seq }) => seq > called.seq).toSorted((a, b) => a.seq - b.seq)];
  return Math.max(called.at, Math.min(remains.at, moments.find(isQuiet)?.at ?? Infinity));
}

function callsTooLate(ledger: Ledger, { client, endings, remains }: ClientRun): readonly string[] {
  const pulls = ledger.callsBy(client, 'pull');
  const [told = remains] = endings;
  return [
    ...pulls.filter((call) => call.sentSeq > told.seq).map(() => 'pulled after it was told to end'),
    ...ledger
      .startsBy(client)
      // A promise may have been on its way to its reader.
      .filter((start) => start.handed.at > loopFreeAt(ledger, told.at))
      .map(({ messageId }) => `handed out ${messageId} after it was told to end`),
    ...[...pulls, ...ledger.callsBy(client, 'ack')]
      .filter((call) => call.sentSeq > remains.seq)
      .map(({ call }) => `made a call after it had closed: ${call}`),
  ];
}

/** Pulls under way are waited for, since what they bring would stay leased; but not those whose answers are overdue. */
function pullsGivenUp(ledger: Ledger, client: ClientRun): readonly string[] {
  const [told] = client.endings;
  if (told === undefined) return [];
  const isTooEarly = (call: CallRecord): boolean =>
    call.state === 'aborted' &&
    call.endedSeq > told.seq &&
    call.endedAt < takesNoMoreAt(ledger, client.client).earliest &&
    call.endedAt + grainMs < call.sentAt + overdueAfterMs(ledger, call) - jumpedSince(client, call.sentAt) &&
    !isOver(ledger, call, call.endedAt);
  return ledger
    .callsBy(client.client, 'pull')
    .filter(isTooEarly)
    .map(({ sentAt, endedAt }) => `gave up a pull after ${endedAt - sentAt} ms`);
}

/** How long the last settle call may take when all else is over, in milliseconds. */
const lastCallMs = 2_000;

/** How long a turn of the engine, and what follows from it, may be put off, in milliseconds. */
const turnMs = 10;

function closesLate(ledger: Ledger, { client, remains, isDeceived, summary, surface }: ClientRun): readonly string[] {
  // It may have been failing when it was given less grace.
  if (isDeceived || summary === undefined || summary.reason === 'failed') return [];
  // A reader that was told of the end has what it gathered until the leases end, and can't hasten that by going away.
  if (summary.reason === 'empty' && surface.concurrency === undefined) return [];
  const { earliest, latest } = givesUpAt(ledger, client);
  // What is decided by then is sent once, and has a while to be answered; so has what failed then and waits to be repeated.
  const isSending = ledger
    .callsBy(client, 'ack')
    .some(({ sentAt, endedAt, isUnderstood }) => (isUnderstood ? sentAt : endedAt) + grainMs >= earliest);
  const endsBy = isSending ? awakeAfter(ledger, latest, lastCallMs) : latest;
  const by = turnsAfter(ledger, endsBy, turnMs);
  return remains.at <= by ? [] : [`closed ${remains.at - by} ms later than it should have`];
}

function receivedBy(ledger: Ledger, { client }: ClientRun): readonly Delivery[] {
  const leaseIds = ledger.callsBy(client, 'pull').flatMap((call) => call.received);
  return leaseIds.map((leaseId) => ledger.delivery(leaseId));
}

/** Whether an ending consumer kept a message that it did not hand out, although it could have given it back. */
function isHoarded(ledger: Ledger, client: ClientRun, delivery: Delivery): boolean {
  const { call, leaseId } = delivery;
  if (call === undefined || isHandedOut(ledger, client, delivery)) return false;
  const dueAt = releaseDueAt(ledger, client, delivery);
  // What was not due yet when its process vanished went with that.
  if (dueAt === undefined || dueAt >= (client.crashed?.at ?? Infinity)) return false;
  if (delivery.settledAt <= dueAt) return false;
  const settlements = ledger.callsBy(client.client, 'ack');
  return !settlements.some((ack) => ack.sentAt <= dueAt && [...ack.acks, ...ack.retries].includes(leaseId));
}

/** Also when the message came again while the consumer had it in hand: the newer lease takes the older one's place. */
function isHandedOut(
  ledger: Ledger,
  { client, isDeceived, surface, summary }: ClientRun,
  { messageId, leaseId, call }: Delivery,
): boolean {
  if (call === undefined) return false;
  // Whoever goes away gives back what waited for its turn as well.
  if (ledger.run.log.received.has(leaseId) && summary?.reason !== 'left') return true;
  const starts = ledger.startsOf(messageId).filter((start) => start.client === client);
  if (starts.some((start) => start.leaseId === leaseId)) return true;
  const known = ledger.judged({ leaseId, call });
  const isInHand = starts.some((start) => start.handed.seq < known.seq && ledger.settledSeq(start) > known.seq);
  // Code that the consumer can't see has a message in hand only as long as the lease lasts, or while it is being moved.
  const isKept = starts.some((start) => ledger.isBeingMoved(start, known.seq) || ledger.isForwarded(start, known.seq));
  return (
    isKept ||
    (isInHand && (surface.concurrency !== undefined || isDeceived || isHeldSince(ledger, messageId, call, known.at)))
  );
}

function isHeldSince(ledger: Ledger, messageId: string, { client, endedSeq }: CallRecord, at: number): boolean {
  const before = ledger.got(client, messageId).filter(({ call }) => call.endedSeq < endedSeq);
  return before.some(({ call }) => !isOver(ledger, call, at));
}

/**
 * By when a message that was not handed out had to be given back because its consumer ends; `undefined` when it need not
 * be. Each of the reasons is one that the consumer can do nothing about:
 *
 * - Its lease is over by then, by the consumer's own count. It may last a little longer at the service, since it counts
 *   from before the pull was sent, but a late retry would take the message from whoever holds it next.
 * - Settle calls are held back, by the service's word or after a failure, until the lease is over or nothing is waited for
 *   any more. A gate that opens before is none.
 * - It came when nothing was waited for any more. An answer can come that late only to a machine that slept, since an
 *   awake one has given the pull up by then.
 *
 * What judges a message is waited for as long as pulls are.
 */
function releaseDueAt(ledger: Ledger, { client, plan, remains }: ClientRun, delivery: Delivery): number | undefined {
  const { call, leaseId } = delivery;
  if (call === undefined) return undefined;
  // Where an order is kept, what is judged waits for the others of its answer.
  const together = plan.order === undefined ? [leaseId] : call.received;
  const judgedAt = Math.max(
    ...together.map((each) => ledger.judged({ leaseId: each, call }).at),
    ledger.invalidNote(client, delivery)?.decidedAt ?? 0,
  );
  const knownAt = Math.max(call.endedAt, Math.min(judgedAt, takesNoMoreAt(ledger, client).latest));
  const from = Math.max(knownAt, endingOf(ledger, client).latest);
  const hasGivenUp = mayHaveGivenUp(ledger, client);
  if (from > remains.at) return hasGivenUp || isOver(ledger, call, remains.at) ? undefined : remains.at;
  const openAt = heldBackUntil(ledger, client, turnsAfter(ledger, from, turnMs));
  if (hasGivenUp && openAt + grainMs >= givesUpAt(ledger, client).earliest) return undefined;
  const dueAt = turnsAfter(ledger, openAt, turnMs);
  return isOver(ledger, call, dueAt) ? undefined : Math.min(dueAt, remains.at);
}
