import type { SavedQueue } from './saved.ts';
import type { StoreListener } from '../queue/message-store.ts';
import type { StoredMessage } from '../queue/stored-message.ts';
import type { Subscription } from '../events/subscription.ts';

/** What a recorder takes of a queue. */
export interface RecordedQueue {
  readonly id: string;
  save(): SavedQueue;
}

/** Is told of every change of what a broker holds, at the moment of the change. */
export interface Recorder {
  /** A queue was made, or its settings, its consumer or its last purge changed. */
  queueChanged(queue: RecordedQueue): void;
  /** A queue is gone. Its messages were removed before. */
  queueDeleted(queue: RecordedQueue): void;
  subscriptionChanged(subscription: Subscription): void;
  subscriptionDeleted(id: string): void;
  messageAdded(queue: RecordedQueue, message: StoredMessage): void;
  /** Where a message is, its attempts, its leases or its ref changed. */
  messageChanged(queue: RecordedQueue, message: StoredMessage): void;
  messageRemoved(queue: RecordedQueue, message: StoredMessage): void;
  /** Resolves once everything so far is kept. Rejects when it can't be. */
  flush(): Promise<void>;
}

/** Tells a recorder what becomes of the messages of a queue. */
export function recordingOf(queue: RecordedQueue, recorder: Recorder): StoreListener {
  return (message, change) => {
    if (change === 'added') recorder.messageAdded(queue, message);
    else if (change === 'changed') recorder.messageChanged(queue, message);
    else recorder.messageRemoved(queue, message);
  };
}
