import type { Clock } from '../contract/clock.ts';
import type { QueueTransport } from '../contract/transport.ts';
import type { RawLeasedMessage } from './raw-queue.ts';
import { tryUntil } from './tries.ts';

/** What acknowledging needs. */
export interface AcknowledgeDeps {
  readonly transport: QueueTransport;
  readonly clock: Clock;
  /** The steady time, in milliseconds. */
  readonly now: () => number;
}

// As long as a push is repeated.
const patienceMs = 60_000;

/**
 * Acknowledges messages, at most 100, also after their leases: what was printed or pushed must not come again for an
 * acknowledgement that fails in passing. One of which the answer was lost may be told as not counted.
 *
 * @returns how many the service did not count, and those that may be among them: more, where it does not say which
 */
export async function acknowledge(
  { transport, clock, now }: AcknowledgeDeps,
  messages: readonly RawLeasedMessage[],
): Promise<{ readonly failed: number; readonly doubtful: readonly RawLeasedMessage[] }> {
  const acks = messages.map(({ leaseId }) => leaseId);
  const end = now() + patienceMs;
  const call = () => transport.ack({ acks, retries: [] }, { timeoutMs: patienceMs });
  const { ackCount = acks.length, warnings } = await tryUntil(call, { clock, now, endsAt: () => end });
  const failed = acks.length - ackCount;
  if (failed === 0) return { failed, doubtful: [] };
  const named = messages.filter(({ leaseId }) => warnings.has(leaseId));
  return { failed, doubtful: named.length === failed ? named : messages };
}
