import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';

import type { ConsumerEvent } from '../contract/consumer-event.ts';
import type { QueueMetrics } from '../contract/message.ts';
import type { ObservedConsumer, ObservedQueue, ObservedStats } from '../contract/observer.ts';
import { queueAttributes } from './observed-attributes.ts';

/** How long the service may take for its view of a queue, in milliseconds: collections wait for it. */
const metricsTimeoutMs = 5_000;

type Count = (stats: ObservedStats) => number;

const expired = 'leasestream.leases.expired';

/** What is counted: name, unit, description, and what of the stats it is. */
const counters: readonly (readonly [name: string, unit: string, description: string, count: Count])[] = [
  ['leasestream.pulls', '{pull}', 'Pull requests that were sent.', ({ pulls }) => pulls],
  ['leasestream.pulls.empty', '{pull}', 'Pulls that brought nothing: each is billed.', ({ emptyPulls }) => emptyPulls],
  [
    expired,
    '{lease}',
    'Leases that ended before their message was settled: in the buffer, at work, or forgotten.',
    ({ dropped, abandoned }) => dropped + abandoned,
  ],
  [
    'leasestream.repeats.avoided',
    '{message}',
    'Repeated deliveries that were not handed out again.',
    ({ swapped, reacked }) => swapped + reacked,
  ],
  [
    'leasestream.messages.released',
    '{message}',
    'Messages that were given back unstarted.',
    ({ released }) => released,
  ],
  ['leasestream.messages.lost', '{message}', 'Settlements that the service did not take.', ({ lost }) => lost],
  ['leasestream.messages.unknown', '{message}', 'Settlements of which nobody knows.', ({ unknown }) => unknown],
  [
    'leasestream.messages.abandoned',
    '{message}',
    'Messages that were not settled in time.',
    ({ abandoned }) => abandoned,
  ],
  ['leasestream.messages.invalid', '{message}', 'Messages whose body does not fit.', ({ invalid }) => invalid],
];

const gauges: readonly (readonly [name: string, description: string, count: (stats: ObservedStats) => number])[] = [
  ['leasestream.messages.in_flight', 'Messages that are handed out and not settled.', ({ inFlight }) => inFlight],
  ['leasestream.messages.buffered', 'Messages that are leased and not handed out.', ({ buffered }) => buffered],
];

/** What is known of the consumers of the queues of one name. */
interface Watched {
  readonly attributes: Attributes;
  queue: ObservedQueue;
  readonly consumers: Set<ObservedConsumer>;
  /** What those counted that are closed, in the order of {@link counters}. */
  readonly counted: number[];
  /** How many leases ended while the work on their message ran. */
  overdue: number;
  backlog: number | undefined;
}

/** Tells how it stands with the consumers, and with their queues, when metrics are collected. */
export class ObservedState {
  readonly #watched = new Map<string, Watched>();
  readonly #asks: boolean;
  readonly #counters: readonly Observable[];
  readonly #gauges: readonly Observable[];
  readonly #backlog: Observable;
  readonly #age: Observable;

  constructor(meter: Meter, asks: boolean) {
    this.#asks = asks;
    this.#counters = counters.map(([name, unit, description]) =>
      meter.createObservableCounter(name, { unit, description }),
    );
    this.#gauges = gauges.map(([name, description]) =>
      meter.createObservableGauge(name, { unit: '{message}', description }),
    );
    this.#backlog = meter.createObservableGauge('leasestream.queue.backlog', {
      unit: '{message}',
      description: 'Messages of the queue that are not acknowledged, as the service last said.',
    });
    this.#age = meter.createObservableGauge('leasestream.queue.oldest_message.age', {
      unit: 's',
      description: 'Age of the oldest message of the queue that is not acknowledged.',
    });
    const all = [...this.#counters, ...this.#gauges, this.#backlog, this.#age];
    meter.addBatchObservableCallback((result) => this.#collect(result), all);
  }

  consume(consumer: ObservedConsumer): void {
    const { queue } = consumer;
    const watched = this.#watch(queue);
    watched.queue = queue;
    watched.consumers.add(consumer);
    void consumer.closed.then(() => {
      watched.consumers.delete(consumer);
      counters.forEach(([, , , count], index) => {
        watched.counted[index] = (watched.counted[index] ?? 0) + count(consumer.stats());
      });
    });
  }

  event({ type }: ConsumerEvent, queue: ObservedQueue): void {
    if (type === 'overdue') this.#watch(queue).overdue += 1;
  }

  /** Notes the backlog that a pull was told. */
  note(queue: ObservedQueue, backlog: number | undefined): void {
    if (backlog !== undefined) this.#watch(queue).backlog = backlog;
  }

  #watch(queue: ObservedQueue): Watched {
    let watched = this.#watched.get(queue.name);
    if (watched === undefined) {
      watched = {
        attributes: queueAttributes(queue),
        queue,
        consumers: new Set(),
        counted: [],
        overdue: 0,
        backlog: undefined,
      };
      this.#watched.set(queue.name, watched);
    }
    return watched;
  }

  async #collect(result: BatchObservableResult): Promise<void> {
    await Promise.all([...this.#watched.values()].map((watched) => this.#tell(watched, result)));
  }

  async #tell(watched: Watched, result: BatchObservableResult): Promise<void> {
    const { attributes, queue, consumers, counted } = watched;
    const all = [...consumers].map((consumer) => consumer.stats());
    counters.forEach(([name, , , count], index) => {
      const instrument = this.#counters[index];
      const before = (counted[index] ?? 0) + (name === expired ? watched.overdue : 0);
      const sum = all.reduce((total, stats) => total + count(stats), before);
      if (instrument !== undefined) result.observe(instrument, sum, attributes);
    });
    gauges.forEach(([, , count], index) => {
      const instrument = this.#gauges[index];
      const sum = all.reduce((total, stats) => total + count(stats), 0);
      if (instrument !== undefined) result.observe(instrument, sum, attributes);
    });
    // Of a queue that nobody consumes any longer nothing is known.
    if (consumers.size === 0) return;
    const said = this.#asks ? await metricsOf(queue) : undefined;
    const backlog = said?.backlogCount ?? watched.backlog;
    if (backlog !== undefined) result.observe(this.#backlog, backlog, attributes);
    const age = ageOfOldest(said, queue.now());
    if (age !== undefined) result.observe(this.#age, age, attributes);
  }
}

async function metricsOf(queue: ObservedQueue): Promise<QueueMetrics | undefined> {
  try {
    return await queue.metrics({ timeoutMs: metricsTimeoutMs });
  } catch {
    return undefined;
  }
}

/** In seconds; `undefined` where that is not known. */
function ageOfOldest(said: QueueMetrics | undefined, now: number): number | undefined {
  if (said === undefined) return undefined;
  if (said.backlogCount === 0) return 0;
  return said.oldestMessageTimestampMs === 0 ? undefined : Math.max(0, now - said.oldestMessageTimestampMs) / 1_000;
}
