import type { MessageIdentity } from '../contract/consumer-event.ts';
import type { Lease } from '../lease/lease.ts';

export type { ConsumerEvent, InvalidMessage, MessageIdentity } from '../contract/consumer-event.ts';

/** A message as events name it. */
export function identityOf({ id, attempts }: Lease): MessageIdentity {
  return { id, attempts };
}
