import type { Identities } from '../queue/identities.ts';
import type { KeyValueStore, Write } from './key-value-store.ts';
import type { RecordedQueue, Recorder } from './recorder.ts';
import {
  bodyKey,
  bodyRecord,
  hasState,
  identitiesKey,
  queueKey,
  queueRecord,
  stateKey,
  stateRecord,
  subscriptionKey,
} from './records.ts';
import type { StoredMessage } from '../queue/stored-message.ts';
import type { Subscription } from '../events/subscription.ts';

type Change = { readonly queueId: string; readonly kind: 'added' | 'changed' | 'removed' };

/**
 * Keeps what a broker holds in a store: collects what changed, and writes it, each message once, when somebody waits for
 * it. Those who wait while a write is under way share the next one.
 *
 * After a write that failed, memory is ahead of the store, so that no later one may succeed: every flush rejects.
 */
export class DurableLog implements Recorder {
  readonly #store: KeyValueStore;
  readonly #identities: Identities;
  readonly #messages = new Map<StoredMessage, Change>();
  readonly #queues = new Map<string, RecordedQueue | undefined>();
  readonly #subscriptions = new Map<string, Subscription | undefined>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(store: KeyValueStore, identities: Identities) {
    this.#store = store;
    this.#identities = identities;
  }

  queueChanged(queue: RecordedQueue): void {
    this.#queues.set(queue.id, queue);
  }

  queueDeleted(queue: RecordedQueue): void {
    this.#queues.set(queue.id, undefined);
  }

  subscriptionChanged(subscription: Subscription): void {
    this.#subscriptions.set(subscription.id, subscription);
  }

  subscriptionDeleted(id: string): void {
    this.#subscriptions.set(id, undefined);
  }

  messageAdded(queue: RecordedQueue, message: StoredMessage): void {
    this.#messages.set(message, { queueId: queue.id, kind: 'added' });
  }

  messageChanged(queue: RecordedQueue, message: StoredMessage): void {
    if (!this.#messages.has(message)) this.#messages.set(message, { queueId: queue.id, kind: 'changed' });
  }

  messageRemoved(queue: RecordedQueue, message: StoredMessage): void {
    if (this.#messages.get(message)?.kind === 'added') this.#messages.delete(message);
    else this.#messages.set(message, { queueId: queue.id, kind: 'removed' });
  }

  flush(): Promise<void> {
    // What has changed since may be part of the write under way: the caller must wait for that one, then.
    const changes = this.#messages.size + this.#queues.size + this.#subscriptions.size;
    if (changes === 0) return this.#next ?? this.#writing;
    if (this.#next === undefined) {
      this.#next = this.#writing.then(() => {
        this.#next = undefined;
        this.#writing = this.#store.write(this.#take());
        return this.#writing;
      });
      // Whoever waits hears of it; where nobody does, the next one who waits does.
      this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  #take(): Write[] {
    const writes: Write[] = [[identitiesKey, JSON.stringify(this.#identities.save())]];
    for (const [id, queue] of this.#queues) writes.push([queueKey(id), queue && queueRecord(queue)]);
    for (const [id, each] of this.#subscriptions) writes.push([subscriptionKey(id), each && JSON.stringify(each)]);
    for (const [message, { queueId, kind }] of this.#messages) {
      const { sequence } = message;
      const isGone = kind === 'removed';
      if (kind !== 'changed') writes.push([bodyKey(queueId, sequence), isGone ? undefined : bodyRecord(message)]);
      if (isGone) writes.push([stateKey(queueId, sequence), undefined]);
      else if (hasState(message)) writes.push([stateKey(queueId, sequence), stateRecord(message)]);
    }
    this.#queues.clear();
    this.#subscriptions.clear();
    this.#messages.clear();
    return writes;
  }
}
