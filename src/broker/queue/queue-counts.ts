import type { QueueMetrics } from '../../contract/message.ts';
import type { MessageStore } from './message-store.ts';
import type { QueueHistory } from './queue-history.ts';
import type { Tally } from './tally.ts';

/** A queue in numbers. */
export interface QueueCounts extends QueueMetrics {
  readonly inFlight: number;
  readonly tally: Readonly<Tally>;
}

/** The true metrics: those of everything in `store`. */
export function metricsOf(store: MessageStore): QueueMetrics {
  return {
    backlogCount: store.count,
    backlogBytes: store.bytes,
    oldestMessageTimestampMs: store.oldest?.timestampMs ?? 0,
  };
}

/** What there is and what happened. */
export function countsOf(store: MessageStore, history: QueueHistory): QueueCounts {
  return { ...metricsOf(store), inFlight: store.leasedCount, tally: history.tally() };
}
