import type { Deviation } from './handler-plan.ts';
import type { ClientPlan, PlannedEvent, Schedule } from './schedule.ts';

/** What a gentle schedule may bring: nothing that takes a message from a client, or the time from its lease. */
const gentleEvents: ReadonlySet<PlannedEvent['type']> = new Set([
  'close',
  'abort',
  'leave',
  'push',
  'thief',
  'broker-jump',
]);

/** What a handler may do beside its work: not settle before it, nor never, nor wait for another queue. */
const gentleDeviations: ReadonlySet<Deviation> = new Set([
  'ack-last',
  'retry-last',
  'throw',
  'break',
  'ack-and-break',
  'close',
]);

/**
 * Whether no message can be given up by the broker but for what the clients do with it, or what is lost with them: nothing fails, calls are quick,
 * handlers take less than a third of the lease together, computing or not, and nothing else takes time.
 */
export function isGentle({
  clients,
  events,
  faults,
  failureRate = 0,
  outages = [],
  up,
  down,
  visibilityTimeoutMs,
}: Schedule): boolean {
  return (
    faults.length === 0 &&
    failureRate === 0 &&
    outages.length === 0 &&
    up.mostMs + down.mostMs <= visibilityTimeoutMs / 20 &&
    events.every(({ type }) => gentleEvents.has(type)) &&
    clients.length <= 2 &&
    clients.every((client) => isGentleClient(client, visibilityTimeoutMs / 3 / clients.length))
  );
}

function isGentleClient({ breaker, callbacks, schema, handler }: ClientPlan, mostMs: number): boolean {
  return (
    // What opens at one failure gives back what it has not started.
    (breaker === undefined || breaker === false) &&
    callbacks === undefined &&
    schema?.takesMs === undefined &&
    // Nobody can foresee a handler that takes a hundred times as long as those before.
    handler.times.shape === 'constant' &&
    handler.times.ms < mostMs &&
    handler.deviations.every(({ does }) => gentleDeviations.has(does))
  );
}

/** Makes a schedule a gentle one. */
export function gentle(schedule: Schedule): Schedule {
  const { visibilityTimeoutMs, clients, crashes, events } = schedule;
  const latency = { leastMs: 2, mostMs: 2 + visibilityTimeoutMs / 100 };
  const kept = clients.slice(0, 2);
  return {
    ...schedule,
    up: latency,
    down: latency,
    faults: [],
    outages: [],
    clients: kept.map((client) => gentleClient(client, Math.ceil(visibilityTimeoutMs / 3 / kept.length) - 1)),
    crashes: crashes && { ...crashes, at: crashes.at.filter(({ client }) => client < kept.length) },
    events: events.filter(
      (event) => gentleEvents.has(event.type) && (!('client' in event) || event.client < kept.length),
    ),
  };
}

function gentleClient(client: ClientPlan, mostMs: number): ClientPlan {
  const { handler, schema } = client;
  return {
    ...client,
    breaker: undefined,
    callbacks: undefined,
    schema: schema && { ...schema, takesMs: undefined },
    handler: {
      ...handler,
      times: { shape: 'constant', ms: Math.min(handler.times.ms, mostMs) },
      deviations: handler.deviations.filter(({ does }) => gentleDeviations.has(does)),
    },
  };
}
