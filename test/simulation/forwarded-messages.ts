import { awakeAfter, heldBackUntil, jumpedSince, knownEnd, mayHaveGivenUp, turnsAfter } from './client-time.ts';
import type { ClientRun } from './client.ts';
import type { HandSettle, Start } from './handler-log.ts';
import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';

/**
 * What a sink took is settled while the lease lasts, once it is known what became of the push: acked or retried, whatever
 * else the sink failed for. (That it is acked only after its push was confirmed the ledger says of every ack.)
 */
export const claimsEnd: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) =>
    ledger.startsBy(client.client).flatMap((start) => {
      const [first] = start.settles;
      if (first?.kind !== 'forward' || !isDue(ledger, client, { start, first })) return [];
      return isSettled(ledger, client, { start, first })
        ? []
        : [`client ${client.client} left ${start.messageId} claimed, which its sink was done with`];
    }),
  );

interface Claim {
  readonly start: Start;
  readonly first: HandSettle;
}

/** How long what follows from the end of a write may be put off, in milliseconds. */
const turnsMs = 30;

/** Whether nothing but a mistake can have kept the settlement from being sent before the lease was over. */
function isDue(ledger: Ledger, client: ClientRun, { start, first }: Claim): boolean {
  const { call } = ledger.delivery(start.leaseId);
  const { crashed, remains, isDeceived } = client;
  const at = first.settledAt;
  if (call === undefined || isDeceived || first.settledSeq > remains.seq) return false;
  const endsAt = knownEnd(ledger, call, at);
  if (crashed !== undefined && crashed.at < endsAt) return false;
  if (jumpedSince(client, at, endsAt) > 0 || awakeAfter(ledger, at, endsAt - at) > endsAt) return false;
  if (remains.at < endsAt && mayHaveGivenUp(ledger, client.client)) return false;
  // A settle call that fails holds the others back, and may do so until the lease is over.
  const failures = [...ledger.callsBy(client.client, 'ack'), ...ledger.callsBy(client.client, 'pull')];
  if (failures.some((failed) => !failed.isUnderstood && failed.endedAt >= at && failed.sentAt <= endsAt)) return false;
  return turnsAfter(ledger, heldBackUntil(ledger, client.client, at), turnsMs) < endsAt;
}

/**
 * Whether its client sent any settlement of it, by this lease or a newer one; by this one also before it was written, where
 * its reader had gone away and something between still held it.
 */
function isSettled(ledger: Ledger, { client }: ClientRun, { start, first }: Claim): boolean {
  const leases = new Set(ledger.got(client, start.messageId).map(({ leaseId }) => leaseId));
  return ledger
    .callsBy(client, 'ack')
    .some(({ acks, retries, sentSeq }) =>
      [...acks, ...retries].some(
        (leaseId) => leaseId === start.leaseId || (sentSeq > first.seq && leases.has(leaseId)),
      ),
    );
}
