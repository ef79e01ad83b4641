import { QueueError } from '../contract/errors.ts';
import type { Settlement } from '../contract/settlement.ts';
import type { AckResult } from '../contract/transport.ts';
import type { Lease, SettleKind } from './lease.ts';

/**
 * Reads from the answer to a settle call what became of each lease in it, in order.
 *
 * Only what the answer says beyond doubt is called acked or retried: a warned lease is lost when the count leaves it
 * out, unless its message was acknowledged by another lease in the same call; when count and warnings don't add up, the
 * leases of that kind are unknown.
 *
 * @param now - when the call was answered
 */
export function readOutcomes(leases: readonly Lease[], result: AckResult, now: number): readonly Settlement[] {
  const acks = judge(leases, 'ack', result, result.ackCount);
  const retries = judge(leases, 'retry', result, result.retryCount);
  return leases.map((lease) => {
    const verdict = lease.settledAs === 'ack' ? acks : retries;
    if (verdict === 'all') return confirmedOf(lease, now);
    return unconfirmed(lease, verdict, leases, result) ?? confirmedOf(lease, now);
  });
}

/** One object for all messages that fared alike. */
const confirmed = {
  acked: { inTime: outcomeObject('acked', false), late: outcomeObject('acked', true) },
  retried: { inTime: outcomeObject('retried', false), late: outcomeObject('retried', true) },
};

function outcomeObject(outcome: 'acked' | 'retried', late: boolean): Settlement {
  return Object.freeze({ outcome, late });
}

/** `all`: every one took effect. `unwarned`: all but the warned ones. `unclear`: can't tell. */
type Verdict = 'all' | 'unwarned' | 'unclear';

function judge(leases: readonly Lease[], kind: SettleKind, result: AckResult, count: number | undefined): Verdict {
  const hasWarnings = result.warnings.size > 0;
  let sent = 0;
  let warned = 0;
  for (const lease of leases) {
    if (lease.settledAs !== kind) continue;
    sent += 1;
    if (hasWarnings && result.warnings.has(lease.leaseId)) warned += 1;
  }
  if (count === sent) return 'all';
  if (count === undefined) return result.otherWarnings.length === 0 ? 'unwarned' : 'unclear';
  return count === sent - warned ? 'unwarned' : 'unclear';
}

/** What became of a lease whose kind was not counted in full; `undefined` when it was taken all the same. */
function unconfirmed(
  lease: Lease,
  verdict: Verdict,
  leases: readonly Lease[],
  result: AckResult,
): Settlement | undefined {
  const warning = result.warnings.get(lease.leaseId);
  if (verdict === 'unclear') return { outcome: 'unknown', error: unclear(lease, warning ?? result.otherWarnings[0]) };
  if (warning === undefined || isAckedBeside(lease, leases, result)) return undefined;
  return { outcome: 'lost', error: refused(lease, warning) };
}

/** A message that was given up and came again is acknowledged by whichever of its leases the service takes first. */
function isAckedBeside({ id, settledAs }: Lease, leases: readonly Lease[], { warnings }: AckResult): boolean {
  const isSame = (other: Lease): boolean => other.id === id && other.settledAs === 'ack';
  return settledAs === 'ack' && leases.some((other) => isSame(other) && !warnings.has(other.leaseId));
}

function confirmedOf(lease: Lease, now: number): Settlement {
  return confirmed[lease.settledAs === 'ack' ? 'acked' : 'retried'][now >= lease.deadline ? 'late' : 'inTime'];
}

function refused(lease: Lease, warning: string): QueueError {
  const text = `The service did not take the ${lease.settledAs} of message ${lease.id}: ${warning}`;
  return new QueueError(text, { code: 'lease-unknown' });
}

function unclear(lease: Lease, said: string | undefined): QueueError {
  const text = `The service's counts don't tell whether the ${lease.settledAs} of message ${lease.id} took effect`;
  return new QueueError(said === undefined ? text : `${text}: ${said}`, { code: 'unconfirmed' });
}
