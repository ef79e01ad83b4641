import { describe, expect, it, vi } from 'vitest';
import type { HandlerBlocking } from './blocking.ts';
import { client, schedule } from './fixed-schedule.ts';
import type { ClientPlan, PlannedEvent, Schedule } from './schedule.ts';
import { type Tally, tally } from './tally.ts';

vi.setConfig({ testTimeout: 60_000 });

const surfaces = ['for await', 'process', 'toObservable', 'settleMap', 'batches', 'processBatches'] as const;

/** What is asked of a consumer whose handlers compute. */
interface Load {
  readonly surface: (typeof surfaces)[number];
  readonly leaseMs: number;
  /** For a message, or for a batch of up to ten. */
  readonly workMs: number;
  readonly concurrency: number;
  /** In one process: they keep each other from the event loop. */
  readonly consumers: number;
}

const messages = 100;
const oneWay = { leastMs: 2, mostMs: 2 };

function loadOf(load: Load, blocking: HandlerBlocking | undefined, events: readonly PlannedEvent[] = []): Schedule {
  const { surface, leaseMs, workMs, concurrency, consumers } = load;
  const handler = { times: { shape: 'constant', ms: workMs }, blocking, heedsSignal: false, deviations: [] } as const;
  const each: ClientPlan = client(surface, handler.times, { handler, concurrency, size: 10 });
  const clients = Array.from({ length: consumers }, () => each);
  return schedule({ messages, visibilityTimeoutMs: leaseMs, up: oneWay, down: oneWay, clients, events });
}

// All are judged besides: nothing is started after the margin.
const counts = ({ acked, gone, repeats }: Tally) => ({ acked, gone, repeats });
const allOnce = { acked: messages, gone: 0, repeats: 0 };

const isBatchwise = ({ surface }: Load): boolean => surface === 'batches' || surface === 'processBatches';
const hasConcurrency = (surface: Load['surface']): boolean =>
  surface === 'process' || surface === 'settleMap' || surface === 'processBatches';

/** The times that are tightest, for every surface, concurrency, and one or two consumers. */
function loads(times: readonly (readonly [leaseMs: number, workMs: number])[]): readonly Load[] {
  return surfaces.flatMap((surface) =>
    times.flatMap(([leaseMs, workMs]) =>
      (hasConcurrency(surface) ? [1, 10, 200] : [1]).flatMap((concurrency) =>
        [1, 2].map((consumers) => ({ surface, leaseMs, workMs, concurrency, consumers })),
      ),
    ),
  );
}

const shorterThanThird = [
  [500, 5],
  [500, 60],
  [500, 150],
  [1_000, 300],
  [3_000, 300],
] as const;

const title = '$surface, lease $leaseMs ms, work $workMs ms, concurrency $concurrency, $consumers consumers';

describe('handlers that compute for less than a third of the lease', () => {
  it.each(loads(shorterThanThird))(title, async (load) => {
    const result = await tally(loadOf(load, { oneIn: 1, part: 'all' }));
    expect(counts(result)).toEqual(allOnce);
    expect(result.wallMs).toBeLessThanOrEqual(1.1 * messages * load.workMs);
    // Batches of one or two messages compute as long as those of ten, so that more is given back among several.
    const isAlone = load.consumers * (load.surface === 'processBatches' ? load.concurrency : 1) === 1;
    if (!isBatchwise(load) || isAlone) expect(result.deliveries).toBeLessThanOrEqual(1.1 * messages);
  });
});

const mixed = [
  [500, 150],
  [3_000, 300],
] as const;

/**
 * What `settleMap` keeps for its turn its consumer takes to be worked on: when times change, some of that outlives its
 * lease, and comes again.
 */
const keptForItsTurn = ({ surface }: Load): number => (surface === 'settleMap' ? 0.15 * messages : 0);

describe('one handler in ten computes, the others wait', () => {
  it.each(loads(mixed))(title, async (load) => {
    const result = await tally(loadOf(load, { oneIn: 10, part: 'all' }));
    const { acked, gone, repeats, deliveries } = result;
    expect({ acked, gone }).toEqual({ acked: messages, gone: 0 });
    // Where all messages are started at once, what computes keeps those from ending that wait.
    expect(repeats).toBeLessThanOrEqual(load.concurrency === 200 ? 2 : keptForItsTurn(load));
    expect(deliveries).toBeLessThanOrEqual((load.concurrency === 200 ? 1.6 : 1.1) * messages);
  });
});

describe('handlers that wait, then compute from one message to the next, then wait again', () => {
  it.each(loads(mixed))(title, async (load) => {
    const result = await tally(loadOf(load, { oneIn: 1, part: 'all', from: 30, until: 70 }));
    const { acked, gone, repeats, deliveries } = result;
    expect({ acked, gone }).toEqual({ acked: messages, gone: 0 });
    expect(repeats).toBeLessThanOrEqual(keptForItsTurn(load));
    // What was fetched for 200 handlers that wait can't be started by one that computes.
    if (load.surface !== 'settleMap') {
      expect(deliveries).toBeLessThanOrEqual((load.concurrency === 200 ? 2 : 1.2) * messages);
    }
  });
});

describe('handlers that wait for half of their time, and compute for the other', () => {
  it.each(loads(mixed).filter(({ concurrency, surface }) => concurrency <= 10 && surface !== 'settleMap'))(
    title,
    async (load) => {
      const { acked, gone, repeats, deliveries } = await tally(loadOf(load, { oneIn: 1, part: 'last half' }));
      expect({ acked, gone }).toEqual({ acked: messages, gone: 0 });
      // What they take together nobody knows before the first have ended; from then on leases last for it.
      expect(repeats).toBeLessThanOrEqual(load.consumers === 1 ? 0 : 1);
      if (!isBatchwise(load)) expect(deliveries).toBeLessThanOrEqual((load.consumers === 1 ? 1.1 : 1.25) * messages);
    },
  );
});

describe('other code that computes for 200 ms of every 250', () => {
  const events = Array.from({ length: 200 }, (_, nth) => ({ type: 'block' as const, atMs: 50 + 250 * nth, ms: 200 }));
  it.each(loads(mixed))(title, async (load) => {
    const result = await tally(loadOf(load, undefined, events));
    const { acked, gone, repeats, deliveries } = result;
    expect({ acked, gone }).toEqual({ acked: messages, gone: 0 });
    expect(repeats).toBeLessThanOrEqual(keptForItsTurn(load));
    if (load.surface !== 'settleMap') expect(deliveries).toBeLessThanOrEqual(1.1 * messages);
  });
});
