import { abandonsAfter, isOver } from './client-time.ts';
import type { ClientRun } from './client.ts';
import type { Start } from './handler-log.ts';
import type { Invariant } from './invariant.ts';
import type { Got, Ledger } from './ledger.ts';

/**
 * What comes again to a consumer that has finished it is not started again; and a message is started by the newest lease
 * that its consumer had got, and settled by the newest that it had got while its handler ran.
 */
export const repeatsAreRecognised: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) =>
    ledger
      .startsBy(client.client)
      .flatMap((start) => [
        ...startedAgain(ledger, client, start),
        ...startedByOlder(ledger, start),
        ...settledByOlder(ledger, client, start),
      ]),
  );

function startedAgain(ledger: Ledger, { client }: ClientRun, { messageId, leaseId, handed }: Start): readonly string[] {
  const { call } = ledger.delivery(leaseId);
  // What came before it was finished may have been held since.
  const cameSeq = call === undefined ? handed.seq : ledger.judged({ leaseId, call }).seq;
  const isDone = ledger
    .startsOf(messageId)
    .some((other) => other.client === client && other.seq < handed.seq && ledger.isKnownFinished(other, cameSeq));
  return isDone ? [`client ${client} started ${messageId} again, which it had finished`] : [];
}

/** The deliveries of a message, newer than that of its handler, that its client had got by then. */
function newerThan(ledger: Ledger, { client, messageId, attempts }: Start, seq: number): readonly Got[] {
  return ledger
    .got(client, messageId)
    .filter((delivery) => delivery.attempts > attempts && ledger.judged(delivery).seq < seq)
    .filter((delivery) => !isOver(ledger, delivery.call, ledger.judged(delivery).at));
}

function startedByOlder(ledger: Ledger, start: Start): readonly string[] {
  if (newerThan(ledger, start, start.handed.seq).length === 0) return [];
  return [`client ${start.client} started ${start.messageId} by lease ${start.attempts} and had a newer one`];
}

/** Code that the consumer can't see may still settle what it was handed before the lease ended, by that lease. */
function settledByOlder(ledger: Ledger, { client, surface }: ClientRun, start: Start): readonly string[] {
  if (surface.concurrency === undefined) return [];
  const inHandUntil = Math.min(start.endedSeq, ledger.settledSeq(start));
  // A consumer that ends may not have waited for the handler any longer.
  const waitedUntil = abandonsAfter(ledger, client);
  const newer = newerThan(ledger, start, inHandUntil);
  if (newer.every((delivery) => ledger.judged(delivery).at >= waitedUntil)) return [];
  const isSettled = ledger
    .callsBy(client, 'ack')
    .some(({ acks, retries }) => acks.includes(start.leaseId) || retries.includes(start.leaseId));
  return isSettled
    ? [`client ${client} settled ${start.messageId} by lease ${start.attempts} and had a newer one`]
    : [];
}
