import { grainMs, jumpedSince, loopFreeAt } from './client-time.ts';
import type { ClientRun } from './client.ts';
import type { Fault } from './faults.ts';
import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';
import type { CallRecord } from './network.ts';

/** For how long a client asks again what is refused, in milliseconds. */
const patienceMs = 30_000;

/**
 * A consumer fails only for an invalid message that says so, because the service refused what it asked before anything had
 * worked, or because one kind of its calls was refused, by whomever, for as long as it has patience.
 */
export const failsForAReason: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) => {
    if (client.crashed !== undefined) return [];
    if (client.summary !== undefined && client.summary.reason !== 'failed') return [];
    const notes = ledger.run.log.invalids.filter((note) => note.client === client.client);
    if (notes.some(({ decision }) => decision === 'throw')) return [];
    const isFailed = (['pull', 'ack'] as const).some((kind) => hasLostPatience(ledger, client, kind));
    return isFailed ? [] : [`client ${client.client} failed for no reason: ${String(client.summary?.error)}`];
  });

function hasLostPatience(ledger: Ledger, client: ClientRun, kind: 'pull' | 'ack'): boolean {
  const worked = workedAt(ledger, client.client);
  const ended = ledger.callsBy(client.client, kind).filter(({ state }) => state === 'answered' || state === 'failed');
  let since: number | undefined;
  for (const call of ended.toSorted((a, b) => a.endedSeq - b.endedSeq)) {
    const { fault, endedSeq } = call;
    // Code that keeps the loop may have come between the answer and its being read.
    const endedAt = loopFreeAt(ledger, call.endedAt);
    if (isRefusal(call)) since ??= call.endedAt;
    else since = undefined;
    if (since !== undefined && endedAt - since + jumpedSince(client, since, endedAt) >= patienceMs - grainMs)
      return true;
    if (fault?.type === 'refused' && endedSeq < worked) return true;
  }
  return false;
}

/** When a call of a client first succeeded. */
function workedAt(ledger: Ledger, client: number): number {
  const calls = [...ledger.callsBy(client, 'pull'), ...ledger.callsBy(client, 'ack')];
  return Math.min(Infinity, ...calls.filter(({ isUnderstood }) => isUnderstood).map(({ endedSeq }) => endedSeq));
}

/** Whether an answer refuses, rather than tells of trouble that passes. Without a fault it is the broker's own. */
function isRefusal({ isUnderstood, fault, state }: CallRecord): boolean {
  if (isUnderstood || state === 'failed') return false;
  return fault === undefined || brokersOwn.has(fault.type) || fault.type === 'refused' || isStrayRefusal(fault);
}

/** Faults in spite of which the answer is the broker's. */
const brokersOwn: ReadonlySet<Fault['type']> = new Set(['doubled', 'slow', 'obscured']);

function isStrayRefusal(fault: Fault): boolean {
  return fault.type === 'html' && fault.status >= 300 && fault.status < 500;
}
