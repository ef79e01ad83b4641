import type { QueueContext } from '../consumer/queue-context.ts';
import type { Pusher } from '../producer/pusher.ts';

/** What the surfaces need of a queue handle beside its public methods. */
export interface HandleCore {
  readonly context: QueueContext;
  readonly pusher: Pusher;
}

/** The name of the getter that gives it. Registered, so that two copies of the package agree. */
export const handleCore: unique symbol = Symbol.for('leasestream.handle');

/** The core of a handle; `undefined` for anything else. */
export function coreOf(handle: unknown): HandleCore | undefined {
  if (typeof handle !== 'object' || handle === null || !(handleCore in handle)) return undefined;
  return handle[handleCore] as HandleCore;
}
