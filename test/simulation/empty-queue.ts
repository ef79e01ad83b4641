import { grainMs, isOver, jumpedSince } from './client-time.ts';
import type { ClientRun } from './client.ts';
import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';
import type { CallRecord } from './network.ts';
import { onItsWayFor } from './on-its-way.ts';
import type { Moment } from './moment.ts';

/**
 * A consumer that ends because its queue is empty had asked for that; had nothing in hand when it sent the pull that
 * found nothing, but what code that it can't see had for half of its lease, and what came before that; got nothing
 * afterwards; and has nothing unsettled when it has closed.
 * What it had let go before, without giving it back, was not leased to it any more when the service found nothing.
 */
export const endsEmptyHanded: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) => {
    if (client.summary?.reason !== 'empty') return [];
    const name = `client ${client.client}`;
    if (client.plan.stopWhenEmpty === undefined) return [`${name} was not to end when the queue is empty`];
    const pulls = ledger.callsBy(client.client, 'pull');
    const left = inHand(ledger, client, client.remains);
    // It may have been told to hurry since.
    if (left.length > 0 && client.remains.at < client.graceMayEndAt)
      return [`${name} ended as 'empty' with ${left.join(', ')}`];
    if (pulls.some((pull) => isReasonToEnd(ledger, client, pull))) return [];
    return [`${name} ended as 'empty' for no reason`];
  });

function isReasonToEnd(ledger: Ledger, client: ClientRun, pull: CallRecord): boolean {
  if (!pull.isUnderstood || pull.received.length > 0) return false;
  const answers = ledger.callsBy(client.client, 'pull').filter((call) => call.received.length > 0);
  if (answers.some((call) => call.endedSeq > pull.sentSeq)) return false;
  const sent = { seq: pull.sentSeq, at: pull.sentAt };
  if (inHand(ledger, client, sent, (messageId) => isGathered(ledger, client, messageId, sent)).length > 0) return false;
  if (leftBehind(ledger, client, pull).length > 0) return false;
  const { stopWhenEmpty } = client.plan;
  // How long such a client takes it to be nobody can tell.
  if (typeof stopWhenEmpty !== 'object' || client.jumps.length > 0) return true;
  const lastAt = answers.reduce((last, call) => Math.max(last, call.endedAt), client.startedAt);
  return pull.endedAt - lastAt >= stopWhenEmpty.forMs - grainMs;
}

/** What the service still had leased to a client when it carried out a pull, though the client had let it go. */
function leftBehind(ledger: Ledger, client: ClientRun, pull: CallRecord): readonly string[] {
  const { appliedAt = pull.endedAt } = pull;
  // Such a client takes its leases to be over earlier than they are.
  if (client.jumps.length > 0) return [];
  return [...ledger.messages.values()].flatMap(({ id, deliveries }) => {
    const last = deliveries.findLast(({ at }) => at <= appliedAt);
    if (last === undefined || last.settledAt <= appliedAt || last.deadline <= appliedAt) return [];
    const isLeft = last.call?.client === client.client && isKnownToLease(last.call, last.leaseId, pull.sentSeq);
    if (!isLeft || isGathered(ledger, client, id, { seq: pull.sentSeq, at: pull.sentAt })) return [];
    return [id];
  });
}

/** Whether a client knew by then that a pull of its had leased a message, or may have. */
function isKnownToLease(call: CallRecord, leaseId: string, seq: number): boolean {
  if (call.endedSeq >= seq) return false;
  if (call.isUnderstood) return call.received.includes(leaseId);
  return call.appliedAt !== undefined && call.appliedAt <= call.endedAt;
}

/** What a client held or worked on at a time, in words. */
function inHand(
  ledger: Ledger,
  { client, surface }: ClientRun,
  { seq, at }: Moment,
  isExcused: (messageId: string) => boolean = () => false,
): readonly string[] {
  const held = ledger.heldAt(client, { seq, at });
  const starts = ledger.startsBy(client).filter((start) => start.seq < seq);
  const isSeen = surface.concurrency !== undefined;
  return [
    ...(held > 0 ? [`${held} at its schema`] : []),
    ...starts.filter((start) => ledger.isBeingMoved(start, seq)).map(({ messageId }) => `${messageId} being moved`),
    ...starts.filter((start) => isSeen && start.endedSeq > seq).map(({ messageId }) => `${messageId} in its handler`),
    ...ledger
      .callsBy(client, 'pull')
      .filter((call) => call.endedSeq < seq && !isOver(ledger, call, at))
      .flatMap((call) => call.received.map((leaseId) => ledger.delivery(leaseId)))
      .filter(({ messageId, call }) => call !== undefined && isUnsettled(ledger, call, messageId, seq))
      .filter(({ messageId }) => !isExcused(messageId))
      .map(({ messageId }) => `${messageId} unsettled`),
  ];
}

/**
 * Whether code that the client can't see has had a message, or one that came after it and is unsettled too, for half of
 * its lease.
 */
function isGathered(ledger: Ledger, client: ClientRun, messageId: string, moment: Moment): boolean {
  if (client.surface.concurrency !== undefined) return false;
  const handedAt = handedBy(ledger, client, messageId, moment.seq);
  if (handedAt === undefined) return false;
  const unsettled = ledger
    .startsBy(client.client)
    .filter((start) => start.handed.seq < moment.seq && ledger.settledSeq(start) > moment.seq);
  return [messageId, ...unsettled.map((start) => start.messageId)].some((other) => {
    const since = handedBy(ledger, client, other, moment.seq);
    return since !== undefined && since >= handedAt && isForHalf(ledger, client, other, since, moment.at);
  });
}

/** When a message was handed out last before; `undefined` where it was not. */
function handedBy(ledger: Ledger, client: ClientRun, messageId: string, seq: number): number | undefined {
  const got = ledger.got(client.client, messageId);
  const starts = ledger.startsBy(client.client).filter((start) => start.messageId === messageId);
  // It may have been handed out and wait for its turn still.
  const waiting = got.flatMap(({ leaseId }) => ledger.run.log.received.get(leaseId) ?? []);
  const started = starts.map((start) => ({
    seq: start.handed.seq,
    at: start.handed.at - onItsWayFor(ledger, start),
  }));
  const handed = [...started, ...waiting].filter((moment) => moment.seq < seq);
  return handed.length === 0 ? undefined : Math.max(...handed.map(({ at }) => at));
}

/** Whether half of the lease of a message has gone by since it was handed out. */
function isForHalf(ledger: Ledger, client: ClientRun, messageId: string, handedAt: number, at: number): boolean {
  const leases = ledger.got(client.client, messageId).map(({ call }) => call.visibilityTimeoutMs);
  const elapsedMs = at - handedAt + jumpedSince(client, handedAt, at);
  return elapsedMs >= Math.min(...leases) / 2 - grainMs;
}

/** Whether a message that came with an answer was not settled then by any of the leases that the client had for it. */
function isUnsettled(ledger: Ledger, { client, endedSeq }: CallRecord, messageId: string, seq: number): boolean {
  const got = ledger.got(client, messageId).filter(({ call }) => call.endedSeq < seq);
  const leases = new Set(got.map(({ leaseId }) => leaseId));
  return !ledger
    .callsBy(client, 'ack')
    .filter((call) => call.endedSeq > endedSeq && call.endedSeq <= seq && call.isUnderstood)
    .some((call) => [...call.acks, ...call.retries].some((id) => leases.has(id)));
}
