import type { QueueMetrics } from '../../contract/message.ts';
import type { Behaviour } from '../behaviour.ts';
import type { MessageStore } from './message-store.ts';
import { noToken } from './identities.ts';
import { metricsOf } from './queue-counts.ts';

const zero: QueueMetrics = { backlogCount: 0, backlogBytes: 0, oldestMessageTimestampMs: 0 };

/** A queue's metrics as clients see them: best-effort, if the broker's behaviour says so. */
export class ReportedMetrics {
  readonly #behaviour: Behaviour;
  #last: { readonly at: number; readonly metrics: QueueMetrics } | undefined;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  at(now: number, store: MessageStore): QueueMetrics {
    const { metrics: kind, metricsLagMs, backlog } = this.#behaviour;
    if (kind === 'zero') return zero;
    if (metricsLagMs === 0) return backlog === 'all' ? metricsOf(store) : countSome(store, now, backlog);
    if (this.#last === undefined || now - this.#last.at >= metricsLagMs || now < this.#last.at) {
      this.#last = { at: now, metrics: backlog === 'all' ? metricsOf(store) : countSome(store, now, backlog) };
    }
    return this.#last.metrics;
  }
}

function countSome(store: MessageStore, now: number, backlog: Exclude<Behaviour['backlog'], 'all'>): QueueMetrics {
  let { backlogCount, backlogBytes, oldestMessageTimestampMs } = zero;
  for (const { lease, dueAt, body, timestampMs } of store.all()) {
    const isLeased = lease !== noToken;
    const isDelayed = !isLeased && dueAt > now;
    if ((isLeased && backlog !== 'without-delayed') || (isDelayed && backlog !== 'without-leased')) continue;
    if (backlogCount === 0) oldestMessageTimestampMs = timestampMs;
    backlogCount += 1;
    backlogBytes += body.bytes;
  }
  return { backlogCount, backlogBytes, oldestMessageTimestampMs };
}
