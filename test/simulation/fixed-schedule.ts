import type { HandlerTimes } from './handler-plan.ts';
import type { ClientPlan, Schedule } from './schedule.ts';
import type { SurfaceName } from './surfaces.ts';

/** A client that finishes every message. */
export function client(surface: SurfaceName, times: HandlerTimes, options: Partial<ClientPlan> = {}): ClientPlan {
  return {
    surface,
    maxInFlight: 200,
    batchSize: 100,
    handler: { times, heedsSignal: false, deviations: [] },
    ...options,
  };
}

/** A schedule without faults and events, over a network that takes a millisecond each way. */
export function schedule(options: Partial<Schedule> & Pick<Schedule, 'clients' | 'messages'>): Schedule {
  return {
    seed: 1,
    visibilityTimeoutMs: 2_000,
    maxRetries: 3,
    hasDeadLetterQueue: true,
    up: { leastMs: 1, mostMs: 1 },
    down: { leastMs: 1, mostMs: 1 },
    faults: [],
    events: [],
    horizonMs: 86_400_000,
    ...options,
  };
}
