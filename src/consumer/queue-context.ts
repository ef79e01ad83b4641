import type { Clock } from '../contract/clock.ts';
import type { Observers } from '../contract/observers.ts';
import { hasRequestContexts } from '../contract/request-contexts.ts';
import type { Schema } from '../contract/schema.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { Gates } from '../lease/gates.ts';
import type { HeldMessage } from '../lease/lease.ts';
import type { Standing } from '../lease/patience.ts';
import { Survived } from '../lease/survived.ts';
import type { Decode } from './intake/decode.ts';
import type { PullAnswer } from './pulling/pull-answer.ts';
import { SteadyTime } from './steady-time.ts';
import { Wakes } from './pulling/wakes.ts';

/** A running consumer, as the others of its handle see it. */
export interface Holder {
  /** Takes a message that came again to another, if it is held here; `false` when it is not. */
  takeBack(message: HeldMessage, answer: PullAnswer): boolean;
  /** For how long messages should be leased for the work here, in milliseconds. */
  leaseMs(now: number): number;
}

/** What every consumer of one queue handle shares. */
export interface QueueContext {
  readonly transport: QueueTransport;
  readonly clock: Clock;
  readonly time: SteadyTime;
  readonly gates: Gates;
  readonly standing: Standing;
  readonly random: () => number;
  readonly observers: Observers | undefined;
  /** What no process was ended by, although it comes again. */
  readonly survived: Survived;
  readonly schema: Schema | undefined;
  readonly decode: Decode | undefined;
  /** What batches call the queue. */
  readonly queueName: string;
  /** Tells the running consumers of what is pushed through the same handle. */
  readonly wakes: Wakes;
  /** The consumers that may hold messages. */
  readonly holders: Set<Holder>;
}

/** Makes the context of a new queue handle. */
export function createQueueContext(
  given: Omit<QueueContext, 'time' | 'gates' | 'standing' | 'survived' | 'wakes' | 'holders'>,
): QueueContext {
  return {
    ...given,
    time: new SteadyTime(given.clock),
    gates: new Gates(),
    standing: { hasWorked: false },
    survived: new Survived(),
    wakes: new Wakes(),
    holders: new Set(),
  };
}

/** The context as one consumer sees it. Where requests have contexts of their own, the other consumers are out of its reach. */
export function contextOfConsumer(context: QueueContext): QueueContext {
  return hasRequestContexts() ? { ...context, wakes: new Wakes(), holders: new Set() } : context;
}
