import type { Clock } from '../contract/clock.ts';
import type { Schema } from '../contract/schema.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { Gates } from '../lease/gates.ts';
import { SteadyTime } from './steady-time.ts';

/** A consumer that can be told to ask at once. */
export interface Pollable {
  poll(): void;
}

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
  /** The running consumers: a push through the same handle wakes them. */
  readonly consumers: Set<Pollable>;
}

/** Makes the context of a new queue handle. */
export function createQueueContext(given: Omit<QueueContext, 'time' | 'gates' | 'consumers'>): QueueContext {
  return { ...given, time: new SteadyTime(given.clock), gates: new Gates(), consumers: new Set() };
}
