import type { ObservedMessage } from '../../contract/observer.ts';
import type { Observers } from '../../contract/observers.ts';
import type { Lease } from '../../lease/lease.ts';
import { ObservedWork } from '../../lease/observed-work.ts';
import { DeliveredMessage } from './delivered-message.ts';

const receivedBodyOf = (message: object): unknown => DeliveredMessage.receivedBodyOf(message);

/** How what was handed out is worked on. */
export interface WorkManner {
  readonly isBatch: boolean;
  /** Whether the work is run by what observes it. */
  readonly isRun: boolean;
}

/** Tells observers that work begins on what was handed out together; gives what runs it, where somebody follows it. */
export function observeWork(
  observers: Observers | undefined,
  leases: readonly Lease[],
  messages: readonly ObservedMessage[],
  { isBatch, isRun }: WorkManner,
): ObservedWork | undefined {
  const ongoing = observers?.begin('process', { messages, isBatch, isRun, receivedBodyOf });
  const observed = ongoing && new ObservedWork(ongoing, leases.length);
  for (const lease of leases) lease.observed = observed;
  return observed;
}
