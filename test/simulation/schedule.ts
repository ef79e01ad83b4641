import type { PlannedFault } from './faults.ts';
import type { HandlerPlan } from './handler-plan.ts';
import type { Latency } from './network.ts';
import type { SurfaceName } from './surfaces.ts';

/** One consumer of a schedule. */
export interface ClientPlan {
  readonly surface: SurfaceName;
  readonly maxInFlight: number;
  readonly batchSize: number;
  readonly handler: HandlerPlan;
}

/** Something that happens at a time, in milliseconds after the beginning. */
export type PlannedEvent = { readonly atMs: number } & (
  | { readonly type: 'close'; readonly client: number; readonly graceMs?: number }
  | { readonly type: 'abort'; readonly client: number }
  | { readonly type: 'pause'; readonly client: number; readonly forMs: number }
  /** All machines but the broker's sleep. */
  | { readonly type: 'suspend'; readonly ms: number }
  /** The wall clock of a client's machine is set. */
  | { readonly type: 'jump'; readonly client: number; readonly ms: number }
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
  /** When whatever still runs is closed, in milliseconds after the beginning. */
  readonly horizonMs: number;
  /** Counts up until the queue is empty, then closes everything. @defaultValue true */
  readonly endsWhenEmpty?: boolean;
}
