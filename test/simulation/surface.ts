import type { ConsumeOptions } from '../../src/consumer/consume-options.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import type { ConsumerStats, ConsumerSummary } from '../../src/consumer/stats.ts';
import type { Queue } from '../../src/queue/queue.ts';
import type { ForwardMessage, HandlerEnd } from './handler-plan.ts';
import type { Moment } from './moment.ts';
import type { ClientPlan } from './schedule.ts';
import type { Sequence } from './sequence.ts';

/** What a surface works with. */
export interface Desk {
  readonly queue: Queue;
  /** Where messages are moved and forwarded to. */
  readonly otherQueue: Queue;
  readonly plan: ClientPlan;
  readonly options: ConsumeOptions & { readonly maxInFlight: number };
  /** Aborts the signal in the options. */
  readonly abort: () => void;
  /** To be told right before the reader goes away. */
  readonly leaving: () => void;
  /** The `onRejected` of a sink. */
  readonly onRejected: () => void;
  readonly sequence: Sequence;
  /** Notes that a message was handed out to something that may hold it back for its turn. */
  readonly receive: (message: LeasedMessage) => Moment;
  /**
   * Works on messages that were handed out together, now unless it says when, as the schedule says, and tells how to
   * end. Never rejects. Where it can forward, it forwards what it has finished.
   */
  readonly handle: (
    messages: readonly LeasedMessage[],
    handed?: Moment,
    forward?: ForwardMessage,
  ) => Promise<HandlerEnd>;
  /** Takes down when each `next()` was called and answered. */
  readonly waits: Wait[];
}

/** One call of `next()`. */
export interface Wait {
  readonly calledSeq: number;
  /** `Infinity` while it waits. */
  answeredSeq: number;
  isDone: boolean;
}

/** A consumer that runs. */
export interface RunningSurface {
  /** Resolves when the consumer has closed, with what it did where it tells. */
  readonly closed: Promise<ConsumerSummary | undefined>;
  /** Resolves when the code around the consumer has ended; rejects with what a loop threw that was not planned. */
  readonly done: Promise<void>;
  /** `undefined` where there is nothing to ask. */
  readonly stats: () => ConsumerStats | undefined;
  /** Where there is no `close()`, aborts. */
  close(graceMs?: number): Promise<unknown>;
  /** The reader goes away; resolves when it need not wait any longer. Where there is no reader, as `close()`. */
  leave(): Promise<unknown>;
  pause(): void;
  resume(): void;
}

/** One way to consume a queue. */
export interface Surface {
  /** Messages are settled by their handler's end; otherwise every handler settles by hand. */
  readonly isAuto: boolean;
  /** How many messages may be in handlers at once; `undefined` where the engine can't see them. */
  readonly concurrency: ((plan: ClientPlan) => number) | undefined;
  /** It goes on after a handler that failed. @defaultValue false */
  readonly goesOn?: true;
  /** How many messages one handler takes at most. @defaultValue 1 */
  readonly atOnce?: (plan: ClientPlan) => number;
  /** Whether a handler starts as soon as a message is handed out, or something holds it back before. */
  readonly holdsBack: 'never' | 'for its turn' | 'for its reader';
  /** How many reads may wait at once, each of which is answered by a promise. @defaultValue 1 */
  readonly readsAtOnce?: number;
  /** Whether it can be closed with a grace. */
  readonly hasGrace: boolean;
  /** Whether its reader's going away leaves no grace to what is in hand. */
  readonly leavesAtOnce: boolean;
  start(desk: Desk): RunningSurface;
}

/** What a planned failure of a handler throws. */
export class PlannedFailure extends Error {
  override readonly name = 'PlannedFailure';
}

/** Lets a planned failure pass. */
export function unlessPlanned(error: unknown): void {
  if (!(error instanceof PlannedFailure)) throw error;
}
