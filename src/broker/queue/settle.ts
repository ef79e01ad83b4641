import type { Behaviour } from '../behaviour.ts';
import type { MessageQueue } from './queue.ts';
import { refusals } from '../http/refusal.ts';

/** The settlements of one request. */
export interface Settlements {
  readonly acks: readonly string[];
  readonly retries: readonly { readonly leaseId: string; readonly delaySeconds?: number | undefined }[];
}

/** How many of them did something, and what there is to say of the others. */
export interface Settled {
  readonly ackCount: number;
  readonly retryCount: number;
  readonly warnings: ReadonlyMap<string, string>;
}

/**
 * Settles: acks first, then retries. A lease that is in both is acked, with a warning.
 *
 * @throws Refusal when the broker's behaviour has it so; nothing is settled then
 */
export function settle(queue: MessageQueue, { acks, retries }: Settlements, behaviour: Behaviour): Settled {
  const { unknownLeases, acksWhilePaused } = behaviour;
  if (acksWhilePaused === 'refuse' && queue.settings.deliveryPaused) throw refusals.deliveryPaused();
  if (unknownLeases === 'refuse') checkLeases(queue, { acks, retries });
  const warnings = new Map<string, string>();
  const count = (leaseId: string, warning: string | undefined): number => {
    if (warning === undefined || unknownLeases === 'count') return 1;
    warnings.set(leaseId, warning);
    return 0;
  };
  let ackCount = 0;
  let retryCount = 0;
  for (const leaseId of acks) ackCount += count(leaseId, queue.ack(leaseId));
  for (const { leaseId, delaySeconds } of retries) retryCount += count(leaseId, queue.retry(leaseId, delaySeconds));
  return { ackCount, retryCount, warnings };
}

function checkLeases(queue: MessageQueue, { acks, retries }: Settlements): void {
  const check = (leaseId: string, pointer: string): void => {
    if (!queue.knowsLease(leaseId)) throw refusals.unknownLease(pointer);
  };
  acks.forEach((leaseId, index) => check(leaseId, `/acks/${index}/lease_id`));
  retries.forEach(({ leaseId }, index) => check(leaseId, `/retries/${index}/lease_id`));
}
