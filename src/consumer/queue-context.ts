import type { Clock } from '../contract/clock.ts';
import type { Schema } from '../contract/schema.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { Gates } from '../lease/gates.ts';
import { SteadyTime } from './steady-time.ts';
import { Wakes } from './wakes.ts';

/** What every consumer of one queue handle shares. */
export interface QueueContext {
  readonly transport: QueueTransport;
  readonly clock: Clock;
  readonly time: SteadyTime;
  readonly gates: Gates;
  readonly random: () => number;
  readonly schema: Schema | undefined;
  /** What batches call the queue. */
  readonly queueName: string;
  /** Tells the running consumers of what is pushed through the same handle. */
  readonly wakes: Wakes;
}

/** Makes the context of a new queue handle. */
export function createQueueContext(given: Omit<QueueContext, 'time' | 'gates' | 'wakes'>): QueueContext {
  return { ...given, time: new SteadyTime(given.clock), gates: new Gates(), wakes: new Wakes() };
}
