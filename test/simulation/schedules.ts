import fc from 'fast-check';
import type { StartRate } from '../../src/index.ts';
import type { CallbackBlocking, HandlerBlocking } from './blocking.ts';
import type { Fault, PlannedFault } from './faults.ts';
import { type Deviation, everyDeviation, type HandlerPlan, type HandlerTimes } from './handler-plan.ts';
import type { Latency } from './network.ts';
import type { OrderPlan } from './order-plan.ts';
import type { ClientPlan, Crashes, PlannedEvent, Schedule } from './schedule.ts';
import type { InvalidPlan, SchemaPlan } from './simulated-schema.ts';
import { type SurfaceName, surfaceNames } from './surfaces.ts';

/** What schedules are made of; what is left out may be anything. */
export interface ScheduleRange {
  readonly surfaces?: readonly SurfaceName[];
  readonly deviations?: readonly Deviation[];
  readonly faults?: readonly Fault['type'][];
  /** The calls that faults befall. */
  readonly faultyCalls?: readonly PlannedFault['call'][];
  /** How many calls in a row a fault befalls. @defaultValue `[1, 1, 2, 4]` */
  readonly faultTimes?: readonly number[];
  readonly events?: readonly PlannedEvent['type'][];
  /** @defaultValue 4 */
  readonly mostClients?: number;
  /** @defaultValue 24 */
  readonly mostMessages?: number;
  /** One in so many clients has a schema, and an answer for invalid messages. @defaultValue 4 */
  readonly schemaOneIn?: number;
  /** Of one in so many clients handlers keep the event loop, and of half as many callbacks do. @defaultValue 4 */
  readonly blockOneIn?: number;
  /** One in so many clients keeps an order. @defaultValue 3 */
  readonly orderOneIn?: number;
  /** One in so many clients has a rate. @defaultValue none */
  readonly rateOneIn?: number;
  /** One in so many clients ends when the queue is empty. @defaultValue 8 */
  readonly stopOneIn?: number;
  /** One in so many schedules has outages, and so many clients a breaker of their own. @defaultValue none */
  readonly outageOneIn?: number;
  /** In one in so many schedules processes vanish. @defaultValue none */
  readonly crashOneIn?: number;
}

/** Draws whole schedules: small ones, with times around the deadlines, where the mistakes are. */
export function schedules(range: ScheduleRange = {}): fc.Arbitrary<Schedule> {
  const { mostMessages = 24, mostClients = 4 } = range;
  return fc.constantFrom(1_000, 2_000, 30_000).chain((visibilityTimeoutMs) =>
    fc.array(clientPlans(visibilityTimeoutMs, range), { minLength: 1, maxLength: mostClients }).chain((clients) =>
      record({
        seed: fc.nat(),
        messages: fc.integer({ min: 0, max: mostMessages }),
        misfits: record({ unfitOneIn: someTimes(fc.constantFrom(3, 1), 2), brokenOneIn: someTimes(fc.constant(4), 8) }),
        visibilityTimeoutMs: fc.constant(visibilityTimeoutMs),
        maxRetries: fc.constantFrom(3, 0, 50),
        hasDeadLetterQueue: fc.boolean(),
        up: latencies(visibilityTimeoutMs),
        down: latencies(visibilityTimeoutMs),
        clients: fc.constant(clients),
        faults: listOf(plannedFaults(visibilityTimeoutMs, clients.length, range), 6),
        events: listOf(events(visibilityTimeoutMs, clients.length, range), 5),
        outages: outages(visibilityTimeoutMs, range),
        horizonMs: fc.constantFrom(3, 8).map((leases) => leases * visibilityTimeoutMs),
        crashes: someTimes(crashes(visibilityTimeoutMs, clients.length), range.crashOneIn),
        retryDelay: someTimes(retryDelays(visibilityTimeoutMs), 4),
      }),
    ),
  );
}

function retryDelays(timeoutMs: number): fc.Arbitrary<NonNullable<Schedule['retryDelay']>> {
  const leaseSeconds = timeoutMs / 1000;
  return record({
    seconds: fc.constantFrom(1, leaseSeconds, 2 * leaseSeconds),
    expiredLeases: fc.constantFrom('retry-delay' as const, 'at-once' as const),
  });
}

function outages(timeoutMs: number, { outageOneIn }: ScheduleRange): fc.Arbitrary<NonNullable<Schedule['outages']>> {
  const outage = record({
    atMs: timesAround(timeoutMs),
    forMs: fc.oneof(timesAround(timeoutMs), fc.constant(86_400_000)),
  });
  return someTimes(fc.array(outage, { minLength: 1, maxLength: 2 }), outageOneIn).map((some) => some ?? []);
}

function crashes(timeoutMs: number, clients: number): fc.Arbitrary<Crashes> {
  const crash = record({ client: fc.nat({ max: clients - 1 }), atMs: timesAround(timeoutMs) });
  return record({
    restartMs: fc.constantFrom(0, 50, 1_000, timeoutMs / 2, 2 * timeoutMs),
    poison: someTimes(fc.integer({ min: 1, max: 12 }), 2),
    at: fc.array(crash, { maxLength: 3 }),
  });
}

function listOf<Item>(items: fc.Arbitrary<Item> | undefined, maxLength: number): fc.Arbitrary<Item[]> {
  return items === undefined ? fc.constant([]) : fc.array(items, { maxLength });
}

/** Now and then, once in `oneIn`, or never. */
function someTimes<Item>(item: fc.Arbitrary<Item>, oneIn: number | undefined): fc.Arbitrary<Item | undefined> {
  if (oneIn === undefined) return fc.constant(undefined);
  const never = { weight: oneIn - 1, arbitrary: fc.constant(undefined) };
  return fc.oneof({ withCrossShrink: true }, never, { weight: 1, arbitrary: item });
}

/** Picks from the arbitraries of the named kinds, or of all; `undefined` when none is named. */
function ofKinds<Kind extends string, Item>(
  arbitraries: Readonly<Record<Kind, fc.Arbitrary<Item>>>,
  kinds: readonly Kind[] | undefined,
): fc.Arbitrary<Item> | undefined {
  const chosen =
    kinds === undefined ? Object.values<fc.Arbitrary<Item>>(arbitraries) : kinds.map((kind) => arbitraries[kind]);
  return chosen.length === 0 ? undefined : fc.oneof(...chosen);
}

/** `fc.record` whose objects print as plain ones. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

/** A time near one at which a lease of this length matters. */
function timesAround(timeoutMs: number): fc.Arbitrary<number> {
  const shares = [0, 1 / 20, 1 / 4, 1 / 2, 3 / 4, 19 / 20, 1, 2];
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...shares), fc.integer({ min: -3, max: 3 }))
      .map(([share, offset]) => Math.max(0, share * timeoutMs + offset)),
    fc.integer({ min: 0, max: 3 * timeoutMs }),
  );
}

function handlerTimes(timeoutMs: number): fc.Arbitrary<HandlerTimes> {
  const shortMs = fc.constantFrom(0, 1, 5, timeoutMs / 40, timeoutMs / 10, Math.round(timeoutMs / 3));
  const anyMs = timesAround(timeoutMs);
  const until = fc.integer({ min: 1, max: 10 });
  return fc.oneof(
    record({ shape: fc.constant('constant' as const), ms: fc.oneof(shortMs, anyMs) }),
    record({ shape: fc.constant('bimodal' as const), ms: shortMs, slowMs: anyMs, oneIn: fc.constantFrom(10, 3) }),
    record({ shape: fc.constant('heavy-tail' as const), ms: shortMs }),
    record({ shape: fc.constant('one key' as const), ms: shortMs, slowMs: anyMs, oneIn: fc.constantFrom(2, 3, 8) }),
    record({ shape: fc.constant('jump' as const), ms: shortMs, until, laterMs: anyMs }),
  );
}

function handlerPlans(timeoutMs: number, range: ScheduleRange): fc.Arbitrary<HandlerPlan> {
  const { deviations = everyDeviation, blockOneIn = 4 } = range;
  const deviation = deviations.length === 0 ? undefined : fc.constantFrom(...deviations);
  return record({
    times: handlerTimes(timeoutMs),
    blocking: someTimes(handlerBlockings(), blockOneIn),
    heedsSignal: fc.boolean(),
    deviations: listOf(deviation && record({ nth: fc.nat({ max: 12 }), does: deviation }), 4),
  });
}

function handlerBlockings(): fc.Arbitrary<HandlerBlocking> {
  return record({
    oneIn: fc.constantFrom(1, 1, 3, 10),
    part: fc.constantFrom('all', 'all', 'first half', 'last half'),
  });
}

function callbackBlockings(timeoutMs: number): fc.Arbitrary<CallbackBlocking> {
  const blockMs = someTimes(fc.constantFrom(1, 20, timeoutMs / 10, Math.round(timeoutMs / 3)), 2);
  return record({ onEvent: blockMs, validate: blockMs, onInvalid: blockMs, onRejected: blockMs });
}

function clientPlans(timeoutMs: number, range: ScheduleRange): fc.Arbitrary<ClientPlan> {
  return record({
    surface: fc.constantFrom(...(range.surfaces ?? surfaceNames)),
    maxInFlight: fc.constantFrom(200, 1, 2, 5),
    batchSize: fc.constantFrom(100, 1, 3, 10),
    concurrency: someTimes(fc.constantFrom(1, 10, 50), 3),
    handler: handlerPlans(timeoutMs, range),
    schema: someTimes(schemaPlans(timeoutMs), range.schemaOneIn ?? 4),
    onInvalid: someTimes(invalidPlans(timeoutMs), range.schemaOneIn ?? 4),
    callbacks: someTimes(callbackBlockings(timeoutMs), 2 * (range.blockOneIn ?? 4)),
    order: someTimes(
      fc.constantFrom<OrderPlan[]>('ordered', { keys: 1 }, { keys: 2 }, { keys: 3 }, { keys: 8 }),
      range.orderOneIn ?? 3,
    ),
    rate: range.rateOneIn === undefined ? fc.constant(undefined) : someTimes(rates(timeoutMs), range.rateOneIn),
    breaker: someTimes(
      fc.constantFrom(
        false as const,
        { failures: 1, maxProbeMs: 100 },
        { failures: 3, maxProbeMs: 1_000 },
        { failures: 10, maxProbeMs: 5_000 },
      ),
      range.outageOneIn,
    ),
    stopWhenEmpty: someTimes(
      fc.oneof(fc.constant(true as const), record({ forMs: timesAround(timeoutMs) })),
      range.stopOneIn ?? 8,
    ),
  });
}

function rates(timeoutMs: number): fc.Arbitrary<StartRate> {
  return record({
    limit: fc.constantFrom(1, 2, 3, 5, 20, 1_000_000),
    perMs: fc.constantFrom(1, 100, 1_000, timeoutMs / 2, timeoutMs, 2 * timeoutMs),
  });
}

function schemaPlans(timeoutMs: number): fc.Arbitrary<SchemaPlan> {
  return record({
    takesMs: fc.oneof(fc.constant(undefined), fc.constantFrom(0, 10), timesAround(timeoutMs)),
    refusal: fc.constantFrom('issues', 'throws'),
  });
}

function invalidPlans(timeoutMs: number): fc.Arbitrary<InvalidPlan> {
  const answers = fc.array(fc.constantFrom('ack', 'retry', 'fail', 'throw'), { minLength: 1, maxLength: 4 });
  return fc.oneof(
    fc.constantFrom('ack', 'retry', 'throw'),
    record({ takesMs: fc.oneof(fc.constant(undefined), fc.constantFrom(0, 10), timesAround(timeoutMs)), answers }),
  );
}

function latencies(timeoutMs: number): fc.Arbitrary<Latency> {
  return fc
    .tuple(fc.constantFrom(0, 1, 10, 60, timeoutMs / 10, timeoutMs / 4), fc.constantFrom(0, 0, 3, 40))
    .map(([leastMs, spreadMs]) => ({ leastMs, mostMs: leastMs + spreadMs }));
}

function plannedFaults(
  timeoutMs: number,
  clients: number,
  range: ScheduleRange,
): fc.Arbitrary<PlannedFault> | undefined {
  const fault = ofKinds(faults(timeoutMs), range.faults);
  if (fault === undefined) return undefined;
  return record({
    client: fc.nat({ max: clients - 1 }),
    call: fc.constantFrom(...(range.faultyCalls ?? (['pull', 'ack', 'push'] as const))),
    nth: fc.nat({ max: 8 }),
    times: fc.constantFrom(...(range.faultTimes ?? [1, 1, 2, 4])),
    fault,
  });
}

function faults(timeoutMs: number): Readonly<Record<Fault['type'], fc.Arbitrary<Fault>>> {
  const applied = fc.boolean();
  const anyMs = timesAround(timeoutMs);
  return {
    'request-dropped': fc.constant({ type: 'request-dropped' }),
    'request-hangs': fc.constant({ type: 'request-hangs' }),
    'answer-dropped': fc.constant({ type: 'answer-dropped' }),
    'answer-hangs': fc.constant({ type: 'answer-hangs' }),
    doubled: fc.constant({ type: 'doubled' }),
    limited: record({
      type: fc.constant('limited'),
      code: fc.constantFrom(971, 10_429, 10_250, 10_251),
      retryAfterSeconds: fc.constantFrom(0, 1, 2, 40),
    }),
    refused: record({ type: fc.constant('refused'), status: fc.constantFrom(400, 403, 404) }),
    failed: record({ type: fc.constant('failed'), status: fc.constantFrom(500, 503), applied }),
    html: record({ type: fc.constant('html'), status: fc.constantFrom(200, 302, 400, 403, 404, 413, 502), applied }),
    slow: record({ type: fc.constant('slow'), upMs: anyMs, downMs: anyMs }),
    obscured: record({
      type: fc.constant('obscured'),
      how: fc.constantFrom('fewer', 'no-counts', 'no-warnings', 'list'),
    }),
  };
}

function events(timeoutMs: number, clients: number, range: ScheduleRange): fc.Arbitrary<PlannedEvent> | undefined {
  const atMs = timesAround(timeoutMs);
  const forMs = timesAround(timeoutMs);
  const client = fc.nat({ max: clients - 1 });
  const jumps = [-10 * timeoutMs, -50, 50, timeoutMs / 2, 10 * timeoutMs];
  const graces = [0, 1, timeoutMs / 4, timeoutMs];
  const arbitraries: Readonly<Record<PlannedEvent['type'], fc.Arbitrary<PlannedEvent>>> = {
    close: fc.oneof(
      record({ type: fc.constant('close'), atMs, client }),
      record({ type: fc.constant('close'), atMs, client, graceMs: fc.constantFrom(...graces) }),
    ),
    abort: record({ type: fc.constant('abort'), atMs, client }),
    leave: record({ type: fc.constant('leave'), atMs, client }),
    pause: record({ type: fc.constant('pause'), atMs, client, forMs }),
    suspend: record({ type: fc.constant('suspend'), atMs, ms: timesAround(timeoutMs) }),
    jump: record({ type: fc.constant('jump'), atMs, client, ms: fc.constantFrom(...jumps) }),
    'broker-jump': record({ type: fc.constant('broker-jump'), atMs, ms: fc.constantFrom(50, 10 * timeoutMs), forMs }),
    block: record({ type: fc.constant('block'), atMs, ms: timesAround(timeoutMs) }),
    redeliver: record({ type: fc.constant('redeliver'), atMs, nth: fc.nat({ max: 20 }) }),
    thief: record({
      type: fc.constant('thief'),
      atMs,
      count: fc.integer({ min: 1, max: 5 }),
      leaseMs: fc.constantFrom(100, timeoutMs),
    }),
    'refuse-pulls': record({
      type: fc.constant('refuse-pulls'),
      atMs,
      how: fc.constantFrom('paused', 'not-enabled'),
      forMs,
    }),
    push: record({ type: fc.constant('push'), atMs, count: fc.integer({ min: 1, max: 5 }) }),
  };
  return ofKinds(arbitraries, range.events);
}
