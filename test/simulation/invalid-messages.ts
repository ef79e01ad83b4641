import { awakeAfter, heldBackUntil, isOver, judgesNoMoreAt, knownEnd, mayHaveGivenUp } from './client-time.ts';
import type { ClientRun } from './client.ts';
import { isInterrupted, isCutShort } from './cut-short.ts';
import type { Invariant } from './invariant.ts';
import type { Delivery, Ledger } from './ledger.ts';
import type { Moment } from './moment.ts';
import { parsed } from './simulated-schema.ts';

/**
 * What is broken, or is not let pass by a schema, reaches no handler and is settled as `onInvalid` says; all else is
 * handed out as the schema made it.
 */
export const invalidIsSettledAsSaid: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) => [
    ...handedOut(ledger, client),
    ...[...ledger.deliveries.values()]
      .filter(({ call, leaseId }) => call?.client === client.client && call.received.includes(leaseId))
      .filter(({ messageId }) => ledger.isInvalid(client.client, messageId))
      .flatMap((delivery) => settledOtherwise(ledger, client, delivery)),
    ...endedOtherwise(ledger, client),
  ]);

function handedOut(ledger: Ledger, { client, plan }: ClientRun): readonly string[] {
  return ledger.startsBy(client).flatMap(({ messageId, body }) => {
    const carried = ledger.carried(messageId);
    const expected = JSON.stringify(plan.schema === undefined ? carried.body : parsed(carried.body));
    if (ledger.isInvalid(client, messageId)) return [`client ${client} handed out ${messageId}, which is invalid`];
    return JSON.stringify(body) === expected ? [] : [`client ${client} handed out ${JSON.stringify(body)}`];
  });
}

function settledOtherwise(ledger: Ledger, run: ClientRun, delivery: Delivery): readonly string[] {
  const { client, remains } = run;
  const { messageId, leaseId, call } = delivery;
  const note = ledger.invalidNote(client, delivery);
  // What is said when everything was given back changes nothing.
  const isTooLate = ({ seq, at }: Moment): boolean => seq > remains.seq || at >= judgesNoMoreAt(ledger, client);
  if (call === undefined || note === undefined) {
    if (call === undefined) return [];
    const judged = ledger.judged({ leaseId, call });
    // What the schema says when the lease is over concerns nobody any more.
    return isTooLate(judged) || isOver(ledger, call, judged.at) || isInterrupted(ledger, run, judged)
      ? []
      : [`client ${client} did not notice that ${messageId} is invalid`];
  }
  if (isTooLate({ seq: note.decidedSeq, at: note.decidedAt })) return [];
  const settlements = ledger.callsBy(client, 'ack');
  const isAcked = settlements.some(({ acks }) => acks.includes(leaseId));
  const isRetried = settlements.some(({ retries }) => retries.includes(leaseId));
  const isToBeAcked = note.decision === 'ack';
  if (isToBeAcked ? isRetried : isAcked) {
    return [`client ${client} settled ${messageId} otherwise than as '${note.decision}' says`];
  }
  if (isAcked || isRetried || mayHaveGivenUp(ledger, client)) return [];
  if (isCutShort(ledger, run, call, { seq: note.decidedSeq, at: note.decidedAt })) return [];
  // An acknowledgement is sent in any case; a retry only as long as the lease lasts.
  if (!isToBeAcked && mayHaveEnded(ledger, delivery, note.decidedAt)) return [];
  return [`client ${client} did not settle ${messageId} as '${note.decision}' says`];
}

/** How long before its lease ends a settlement is sent at the latest when nothing holds it back, in milliseconds. */
const leadMs = 3;

/** Whether a lease may have been over before the retry that was decided then could be sent. */
function mayHaveEnded(ledger: Ledger, { call }: Delivery, decidedAt: number): boolean {
  if (call === undefined) return true;
  const waitMs = Math.max(0, knownEnd(ledger, call, decidedAt) - leadMs - decidedAt);
  return isOver(ledger, call, heldBackUntil(ledger, call.client, awakeAfter(ledger, decidedAt, waitMs)));
}

/** `throw` ends the consumer with what is wrong with the message. */
function endedOtherwise(ledger: Ledger, { client, endings, summary, remains }: ClientRun): readonly string[] {
  const thrown = ledger.run.log.invalids.find((note) => note.client === client && note.decision === 'throw');
  if (thrown === undefined || thrown.decidedSeq > Math.min(remains.seq, ...endings.map(({ seq }) => seq))) return [];
  if (summary === undefined || summary.reason === 'failed' || summary.reason === 'empty') return [];
  return [`client ${client} was to fail because of ${thrown.messageId}, and ended as '${summary.reason}'`];
}
