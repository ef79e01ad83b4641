import type { StartRate } from '../../src/index.ts';
import type { CallbackBlocking } from './blocking.ts';
import type { PlannedFault } from './faults.ts';
import type { HandlerPlan } from './handler-plan.ts';
import type { Latency } from './network.ts';
import type { InvalidPlan, SchemaPlan } from './simulated-schema.ts';
import type { OrderPlan } from './order-plan.ts';
import type { SurfaceName } from './surfaces.ts';

/** One consumer of a schedule. */
export interface ClientPlan {
  readonly surface: SurfaceName;
  readonly maxInFlight: number;
  readonly batchSize: number;
  /** How many handlers run at once, where the surface has several. @defaultValue 3 of `process`, 2 else */
  readonly concurrency?: number | undefined;
  /** The size of batches. @defaultValue 4 */
  readonly size?: number;
  readonly handler: HandlerPlan;
  readonly schema?: SchemaPlan | undefined;
  /** @defaultValue the library's own */
  readonly onInvalid?: InvalidPlan | undefined;
  /** @defaultValue they take no time */
  readonly callbacks?: CallbackBlocking | undefined;
  /** In what order messages are started. @defaultValue any */
  readonly order?: OrderPlan | undefined;
  /** Where the surface takes one. @defaultValue as fast as may be */
  readonly rate?: StartRate | undefined;
  /** @defaultValue the library's own */
  readonly breaker?: false | { readonly failures: number; readonly maxProbeMs: number } | undefined;
  /** @defaultValue never */
  readonly stopWhenEmpty?: true | { readonly forMs: number } | undefined;
}

/** Messages that are not as they should be: every so manyth, `undefined` for none. */
export interface Misfits {
  /** No schema lets them pass. */
  readonly unfitOneIn: number | undefined;
  /** Their bodies are not what their content type says. */
  readonly brokenOneIn: number | undefined;
}

/** Processes that vanish, with all that runs in them. */
export interface Crashes {
  /** For how long nothing runs in a client's place, in milliseconds. */
  readonly restartMs: number;
  /** The number of a message that ends every process which starts it. @defaultValue none */
  readonly poison?: number | undefined;
  /** When the process of a client ends for another reason, in milliseconds after the beginning. */
  readonly at: ReadonlyArray<{ readonly client: number; readonly atMs: number }>;
}

/** Something that happens at a time, in milliseconds after the beginning. */
export type PlannedEvent = { readonly atMs: number } & (
  | { readonly type: 'close'; readonly client: number; readonly graceMs?: number }
  | { readonly type: 'abort'; readonly client: number }
  /** The reader goes away: it unsubscribes, destroys, cancels or returns. */
  | { readonly type: 'leave'; readonly client: number }
  | { readonly type: 'pause'; readonly client: number; readonly forMs: number }
  /** All machines but the broker's sleep. */
  | { readonly type: 'suspend'; readonly ms: number }
  /** The wall clock of a client's machine is set. */
  | { readonly type: 'jump'; readonly client: number; readonly ms: number }
  /** The wall clock of the broker's machine is set back, and forth again after a while. */
  | { readonly type: 'broker-jump'; readonly ms: number; readonly forMs: number }
  /** Other code of the user's keeps the event loop. */
  | { readonly type: 'block'; readonly ms: number }
  /** The service delivers a message again although it is leased: the `nth` of those that are. */
  | { readonly type: 'redeliver'; readonly nth: number }
  /** Somebody else leases messages for `leaseMs` and forgets them. */
  | { readonly type: 'thief'; readonly count: number; readonly leaseMs: number }
  /** The service refuses pulls: delivery is paused (409), or the pull consumer is removed (405). */
  | { readonly type: 'refuse-pulls'; readonly how: 'paused' | 'not-enabled'; readonly forMs: number }
  | { readonly type: 'push'; readonly count: number }
);

/** Everything that determines one run of the world. */
export interface Schedule {
  readonly seed: number;
  /** How many are in the queue at the beginning. */
  readonly messages: number;
  /** @defaultValue none */
  readonly misfits?: Misfits;
  readonly visibilityTimeoutMs: number;
  /** What the queue is set to, and the consumers know. */
  readonly maxRetries: number;
  readonly hasDeadLetterQueue: boolean;
  readonly up: Latency;
  readonly down: Latency;
  readonly failureRate?: number;
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly PlannedFault[];
  readonly events: readonly PlannedEvent[];
  /** When what handlers need is down: where they go on after a failure, they all fail. @defaultValue never */
  readonly outages?: ReadonlyArray<{ readonly atMs: number; readonly forMs: number }>;
  /** @defaultValue no process vanishes */
  readonly crashes?: Crashes | undefined;
  /** When whatever still runs is closed, in milliseconds after the beginning. */
  readonly horizonMs: number;
  /** The retry delay of the queue, and whether a lease that ends brings it. @defaultValue none */
  readonly retryDelay?: { readonly seconds: number; readonly expiredLeases: 'retry-delay' | 'at-once' } | undefined;
  /** Counts up until the queue is empty, then closes everything. @defaultValue true */
  readonly endsWhenEmpty?: boolean;
}
