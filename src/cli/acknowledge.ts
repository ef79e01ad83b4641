import type { QueueTransport } from '../contract/transport.ts';
import type { RawLeasedMessage } from './raw-queue.ts';

/**
 * Acknowledges messages, at most 100.
 *
 * @returns how many the service did not count, and those that may be among them: more, where it does not say which
 */
export async function acknowledge(
  transport: QueueTransport,
  messages: readonly RawLeasedMessage[],
): Promise<{ readonly failed: number; readonly doubtful: readonly RawLeasedMessage[] }> {
  const acks = messages.map(({ leaseId }) => leaseId);
  const { ackCount = acks.length, warnings } = await transport.ack({ acks, retries: [] }, { timeoutMs: 60_000 });
  const failed = acks.length - ackCount;
  if (failed === 0) return { failed, doubtful: [] };
  const named = messages.filter(({ leaseId }) => warnings.has(leaseId));
  return { failed, doubtful: named.length === failed ? named : messages };
}
