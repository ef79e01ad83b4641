import type { MessageQueue } from '../queue/queue.ts';
import type { StoredMessage } from '../queue/stored-message.ts';
import type { Subscription } from '../events/subscriptions.ts';

/** Is told of every change of what a broker holds, at the moment of the change. */
export interface Recorder {
  /** A queue was made, or its settings, its consumer or its last purge changed. */
  queueChanged(queue: MessageQueue): void;
  /** A queue is gone. Its messages were removed before. */
  queueDeleted(queue: MessageQueue): void;
  subscriptionChanged(subscription: Subscription): void;
  subscriptionDeleted(id: string): void;
  messageAdded(queue: MessageQueue, message: StoredMessage): void;
  /** Where a message is, its attempts, its leases or its ref changed. */
  messageChanged(queue: MessageQueue, message: StoredMessage): void;
  messageRemoved(queue: MessageQueue, message: StoredMessage): void;
  /** Resolves once everything so far is kept. Rejects when it can't be. */
  flush(): Promise<void>;
}
