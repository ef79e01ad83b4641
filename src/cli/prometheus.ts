import type * as promClient from 'prom-client';
import type { BrokerCounts } from './counts.ts';

type Queue = BrokerCounts['queues'][number];

const gauges: readonly (readonly [name: string, help: string, read: (queue: Queue, now: number) => number])[] = [
  ['backlog_messages', 'Unacknowledged messages, delayed and leased ones included', (queue) => queue.backlogCount],
  ['backlog_bytes', 'Size of the unacknowledged messages', (queue) => queue.backlogBytes],
  ['in_flight_messages', 'Leased messages', (queue) => queue.inFlight],
  ['oldest_message_age_seconds', 'Age of the oldest unacknowledged message; 0 without one', ageOf],
];

const counters: readonly (readonly [name: string, help: string, what: keyof Queue['tally']])[] = [
  ['pushed_messages_total', 'Messages pushed', 'pushed'],
  ['delivered_messages_total', 'Messages handed out: once for each delivery', 'delivered'],
  ['acked_messages_total', 'Messages acknowledged', 'acked'],
  ['retried_messages_total', 'Messages given back by their consumer', 'retried'],
  ['expired_leases_total', 'Leases that ended unsettled', 'expired'],
  ['dead_lettered_messages_total', 'Messages moved to the dead letter queue', 'deadLettered'],
  ['removed_messages_total', 'Messages deleted unacknowledged: by retention, a purge or the last delivery', 'removed'],
];

/** What Prometheus is answered. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/**
 * The queues in the text format of Prometheus, by the package `prom-client`: an optional peer, loaded here and nowhere
 * else.
 *
 * @returns `undefined` when the package is not installed
 */
export async function expose({ now, queues }: BrokerCounts): Promise<Exposition | undefined> {
  const client = await load();
  if (client === undefined) return undefined;
  const registry = new client.Registry();
  const common = { labelNames: ['queue', 'queue_id'] as const, registers: [registry] };
  for (const [name, help, read] of gauges) {
    const gauge = new client.Gauge({ name: `leasestream_queue_${name}`, help, ...common });
    for (const queue of queues) gauge.set(labelsOf(queue), read(queue, now));
  }
  for (const [name, help, what] of counters) {
    const counter = new client.Counter({ name: `leasestream_queue_${name}`, help, ...common });
    for (const queue of queues) counter.inc(labelsOf(queue), queue.tally[what]);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function labelsOf({ name, id }: Queue): { readonly queue: string; readonly queue_id: string } {
  return { queue: name, queue_id: id };
}

function ageOf({ oldestMessageTimestampMs }: Queue, now: number): number {
  return oldestMessageTimestampMs === 0 ? 0 : Math.max(0, now - oldestMessageTimestampMs) / 1_000;
}

async function load(): Promise<typeof promClient | undefined> {
  try {
    return await import('prom-client');
  } catch {
    return undefined;
  }
}
