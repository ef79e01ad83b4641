import { givesUpAt, grainMs, heldBackUntil, mayHaveGivenUp, takesNoMoreAt } from './client-time.ts';
import type { ClientRun } from './client.ts';
import { isCutShort } from './cut-short.ts';
import type { Start } from './handler-log.ts';
import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';
import type { Moment } from './moment.ts';

/**
 * The ack of finished work is sent, also when its lease is over, but not when it was given back a second after the grace; and once a message is finished, no newer delivery of it is
 * started, whether it came before or after.
 */
export const finishedWorkIsAcked: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) =>
    ledger
      .startsBy(client.client)
      .flatMap((start) => [...notAcked(ledger, client, start), ...startedAfter(ledger, start)]),
  );

function notAcked(ledger: Ledger, client: ClientRun, start: Start): readonly string[] {
  const { messageId } = start;
  const settledSeq = ledger.settledSeq(start);
  if (settledSeq > client.remains.seq || !ledger.isKnownFinished(start, client.remains.seq)) return [];
  if (isGivenUp(ledger, client, start) || isCutOff(client, start) || isLost(ledger, client, start)) return [];
  const leases = new Set(ledger.got(client.client, messageId).map(({ leaseId }) => leaseId));
  const settleCalls = ledger.callsBy(client.client, 'ack');
  const isSent = settleCalls.some(({ acks }) => acks.some((leaseId) => leases.has(leaseId)));
  const isGivenBack =
    Math.min(start.endedAt, ...start.settles.map(({ at }) => at)) >= takesNoMoreAt(ledger, client.client).earliest &&
    settleCalls.some(({ retries }) => retries.some((leaseId) => leases.has(leaseId)));
  return isSent || isGivenBack ? [] : [`client ${client.client} finished ${messageId} and sent no ack of it`];
}

/** Whether its client waited for as long as it does while failed calls held the settlement back. */
function isGivenUp(ledger: Ledger, { client, remains }: ClientRun, start: Start): boolean {
  if (!mayHaveGivenUp(ledger, client)) return false;
  const { at, seq } = knownEnd(start);
  // In the very moment of its end either may come first, unless something kept it from ending before.
  if (at + grainMs >= remains.at && !isKept(ledger, start, at)) return true;
  // What waits for another queue has no settlement yet that could be sent once more.
  const [first] = start.settles;
  const isMoved = first?.kind === 'forward' || first?.kind === 'dead-letter';
  if (isMoved && first.at + grainMs >= givesUpAt(ledger, client).earliest) return true;
  const ended = [...ledger.callsBy(client, 'ack'), ...ledger.callsBy(client, 'pull')].filter(
    ({ endedSeq }) => endedSeq >= seq,
  );
  return [at, ...ended.map(({ endedAt }) => endedAt)].some((from) => heldBackUntil(ledger, client, from) > from);
}

/** Whether code kept the event loop until then, and with that what would have ended before its client gave up. */
function isKept(ledger: Ledger, { client, dueAt, endedAt }: Start, at: number): boolean {
  if (at >= endedAt && dueAt + grainMs >= givesUpAt(ledger, client).earliest) return false;
  return ledger.run.log.blocks.some((block) => block.at + grainMs < at && block.at + block.ms + grainMs >= at);
}

/** When it was known how it is to be settled. */
function knownEnd({ settles, endedAt, endedSeq }: Start): Moment {
  const [first] = settles;
  const isSimple = first?.kind === 'ack' || first?.kind === 'retry';
  return isSimple ? first : { at: first?.settledAt ?? endedAt, seq: first?.settledSeq ?? endedSeq };
}

/** A reader that goes away does not hear of the ends that follow, nor, it may be, of one in the same moment. */
function isCutOff({ endings, leaves, surface }: ClientRun, { settles, endedAt }: Start): boolean {
  const [settle] = settles;
  // What is in hand is given back when its reader goes away, or lost if it is late: an ack by hand that comes later is told so.
  if (settle !== undefined && surface.isAuto && settle.settlement?.outcome !== 'acked') {
    const awayAt = leaves.map(({ called }) => called.seq);
    if (surface.leavesAtOnce) awayAt.push(...endings.map(({ seq }) => seq));
    return awayAt.some((seq) => seq < settle.seq);
  }
  if (settle !== undefined) return false;
  const isDeaf = (at: number): boolean => at === endedAt || (surface.concurrency === undefined && at < endedAt);
  return endings.some(({ at }) => isDeaf(at)) || leaves.some(({ called }) => called.at < endedAt);
}

/** Whether it went with the process: a moment before, nobody had to have sent it. */
function isLost(ledger: Ledger, client: ClientRun, start: Start): boolean {
  const { call } = ledger.delivery(start.leaseId);
  if (client.crashed === undefined || call === undefined) return false;
  return isCutShort(ledger, client, call, knownEnd(start));
}

function startedAfter(ledger: Ledger, { client, messageId, handed }: Start): readonly string[] {
  const isDone = ledger
    .startsOf(messageId)
    .some((other) => other.client === client && other.seq < handed.seq && ledger.isKnownFinished(other, handed.seq));
  return isDone ? [`client ${client} started ${messageId}, which it had finished`] : [];
}
