import type { PulledMessage } from '../../src/contract/message.ts';
import { Lease, LeaseBatch } from '../../src/lease/lease.ts';

/** A message as a pull gives it. */
export function pulled(
  id: string,
  options: { attempts?: number; bodyLength?: number; leaseId?: string } = {},
): PulledMessage {
  const { attempts = 1, bodyLength = 10, leaseId = `${id}-${attempts}` } = options;
  return { id, leaseId, attempts, timestampMs: 0, contentType: 'text', metadata: {}, body: id, bodyLength };
}

/** A started lease of a batch of its own. */
export function started(id: string, startedAt: number, timeoutMs = 1_000): Lease {
  const lease = new Lease(pulled(id), new LeaseBatch(startedAt, timeoutMs));
  lease.phase = 'started';
  lease.startedAt = startedAt;
  return lease;
}
