import type { MessageStore } from './message-store.ts';
import type { QueueConfiguration } from './queue-configuration.ts';
import type { QueueContext } from './queue-context.ts';
import type { QueueHistory } from './queue-history.ts';

/** What each part of a queue works on. */
export interface QueueParts {
  readonly context: QueueContext;
  readonly configuration: QueueConfiguration;
  readonly store: MessageStore;
  readonly history: QueueHistory;
}
