import type { Clock } from '../../contract/clock.ts';
import type { QueueMetrics } from '../../contract/message.ts';
import { type Identities, noToken } from './identities.ts';
import type { JournalListener } from './journal.ts';
import { MessageStore } from './message-store.ts';
import type { ResolvedSettings } from './settings.ts';
import { type MessageView, type StoredBody, StoredMessage } from './stored-message.ts';

/** A message as a pull hands it out. */
export interface DeliveredMessage extends MessageView {
  readonly leaseId: string;
}

/** A message as a peek shows it. */
export interface PeekedEntry extends MessageView {
  readonly ref: string;
}

/** What a queue shares with its broker. */
export interface QueueContext {
  readonly clock: Clock;
  readonly identities: Identities;
  /** Whether a retry by a lease that ended is ignored with a warning, or honoured: the service's rule is unknown. */
  readonly lateRetry: 'ignore' | 'honour';
  readonly onJournal: JournalListener | undefined;
}

/** What {@link MessageQueue.ack} and {@link MessageQueue.retry} say when they did nothing. */
export const warnings = {
  unknownLease: 'Lease ID is not known: the message was settled, moved or removed',
  lateRetry: 'Lease has expired: the message was not retried',
} as const;

/**
 * A queue in memory: pure, without timers or I/O. All that time does to it (leases and retention end, delays pass) is
 * worked out at the next call, from the injected wall clock, in the order in which it happened. So nothing is ever late
 * for a caller, and a queue that nobody calls costs nothing.
 *
 * A message waits (visible, or delayed until a time), or is leased (until its deadline; at that very millisecond it is
 * visible again), or is gone: acknowledged, moved to the dead letter queue, or removed.
 */
export class MessageQueue {
  readonly name: string;
  readonly id: string;
  readonly createdAt: number;
  readonly #context: QueueContext;
  #settings: ResolvedSettings;
  #deadLetters: MessageQueue | undefined = undefined;
  /** The queues whose dead letters come here: their leases may end, and so fill this queue, without any call to them. */
  readonly #feeders = new Set<MessageQueue>();
  #store = new MessageStore();
  #sequence = 0;
  #purgedAt: number | undefined = undefined;

  constructor(
    identity: { readonly name: string; readonly id: string },
    settings: ResolvedSettings,
    context: QueueContext,
  ) {
    this.name = identity.name;
    this.id = identity.id;
    this.#settings = settings;
    this.#context = context;
    this.createdAt = context.clock.now();
  }

  get settings(): ResolvedSettings {
    return this.#settings;
  }

  /** When all messages were purged last, in milliseconds since the epoch. */
  get purgedAt(): number | undefined {
    return this.#purgedAt;
  }

  /** Puts settings in force from now on; what happened before happened under the old ones. */
  configure(settings: ResolvedSettings, deadLetters: MessageQueue | undefined): void {
    this.#catchUp();
    this.#settings = settings;
    if (this.#deadLetters !== undefined) this.#deadLetters.#feeders.delete(this);
    this.#deadLetters = deadLetters;
    if (deadLetters !== undefined) deadLetters.#feeders.add(this);
  }

  /**
   * Adds a message, visible after `delaySeconds`, by default the queue's own delay.
   *
   * @returns the id of the message
   */
  push(body: StoredBody, delaySeconds: number = this.#settings.deliveryDelaySeconds): string {
    const now = this.#catchUp();
    const id = this.#context.identities.messageId();
    this.#add({ id, body, timestampMs: now, delaySeconds }, now, now + delaySeconds * 1000);
    this.#context.onJournal?.({ type: 'pushed', queue: this.name, at: now, messageId: id });
    return id;
  }

  /** Leases at most `batchSize` visible messages, those first that are visible longest. */
  pull(batchSize: number, visibilityTimeoutMs: number = this.#settings.visibilityTimeoutMs): DeliveredMessage[] {
    const now = this.#catchUp();
    const deadline = now + visibilityTimeoutMs;
    const delivered: DeliveredMessage[] = [];
    while (delivered.length < batchSize) {
      const message = this.#store.nextVisible;
      if (message === undefined || message.dueAt > now) break;
      const token = this.#context.identities.token();
      this.#store.lease(message, token, deadline);
      const leaseId = this.#context.identities.leaseId(token);
      delivered.push({ ...viewOf(message), leaseId });
      const { attempts } = message;
      this.#context.onJournal?.({ ...this.#entry(message, now), type: 'delivered', leaseId, attempts, deadline });
    }
    return delivered;
  }

  /**
   * Deletes a message by any of its leases, an ended one included.
   *
   * @returns a warning when nothing was done
   */
  ack(leaseId: string): string | undefined {
    const now = this.#catchUp();
    const found = this.#find(leaseId);
    if (found === undefined) return warnings.unknownLease;
    const late = found.message.lease !== found.token;
    this.#store.remove(found.message);
    this.#context.onJournal?.({ ...this.#entry(found.message, now), type: 'acked', leaseId, late });
    return undefined;
  }

  /**
   * Makes a message visible again after `delaySeconds`, by default the queue's own retry delay; one that used up its
   * deliveries leaves the queue at once. The lease can't be used again.
   *
   * @returns a warning when nothing was done
   */
  retry(leaseId: string, delaySeconds: number = this.#settings.retryDelaySeconds): string | undefined {
    const now = this.#catchUp();
    const found = this.#find(leaseId);
    if (found === undefined) return warnings.unknownLease;
    const { message, token } = found;
    const late = message.lease !== token;
    if (late && this.#context.lateRetry === 'ignore') return warnings.lateRetry;
    this.#context.onJournal?.({ ...this.#entry(message, now), type: 'retried', leaseId, delaySeconds, late });
    this.#endDelivery(message, now, now + delaySeconds * 1000);
    this.#store.forgetLease(message, token);
    return undefined;
  }

  /** Shows at most `count` messages, those that a pull would give now. */
  peek(count: number): PeekedEntry[] {
    const now = this.#catchUp();
    const peeked: PeekedEntry[] = [];
    for (const message of this.#store.waiting()) {
      if (message.dueAt > now || peeked.length >= count) break;
      if (message.ref === noToken) this.#store.nameByRef(message, this.#context.identities.token());
      peeked.push({ ...viewOf(message), ref: this.#context.identities.ref(message.ref) });
    }
    return peeked;
  }

  /**
   * Deletes a peeked message, leased by now or not.
   *
   * @returns whether there was one
   */
  purge(ref: string): boolean {
    const now = this.#catchUp();
    const token = this.#context.identities.refToken(ref);
    const message = this.#store.withRef(token);
    if (message !== undefined) this.#remove(message, now, 'purge');
    return message !== undefined;
  }

  /** Deletes every message, leased and delayed ones included. */
  purgeAll(): void {
    const now = this.#catchUp();
    const store = this.#store;
    this.#store = new MessageStore();
    this.#purgedAt = now;
    for (const message of store.all()) {
      this.#context.onJournal?.({ ...this.#entry(message, now), type: 'removed', reason: 'purge' });
    }
  }

  metrics(): QueueMetrics {
    this.#catchUp();
    return {
      backlogCount: this.#store.count,
      backlogBytes: this.#store.bytes,
      oldestMessageTimestampMs: this.#store.oldest?.timestampMs ?? 0,
    };
  }

  /** Every message as it stands now, in the order of arrival. */
  messages(): Iterable<Readonly<StoredMessage>> {
    this.#catchUp();
    return this.#store.all();
  }

  #catchUp(): number {
    const now = this.#context.clock.now();
    for (const feeder of this.#feeders) feeder.#elapse(now);
    this.#elapse(now);
    return now;
  }

  /** Lets leases and retention end up to `now`, in the order of time; a lease first when both end together. */
  #elapse(now: number): void {
    for (;;) {
      const leased = this.#store.nextExpiring;
      const { oldest } = this.#store;
      const leaseEnd = leased?.dueAt ?? Infinity;
      const retentionEnd = oldest === undefined ? Infinity : oldest.arrivedAt + this.#settings.retentionSeconds * 1000;
      if (Math.min(leaseEnd, retentionEnd) > now) return;
      if (leased !== undefined && leaseEnd <= retentionEnd) this.#expire(leased);
      else if (oldest !== undefined) this.#remove(oldest, retentionEnd, 'retention');
    }
  }

  #expire(message: StoredMessage): void {
    const deadline = message.dueAt;
    const leaseId = this.#context.identities.leaseId(message.lease);
    this.#context.onJournal?.({ ...this.#entry(message, deadline), type: 'expired', leaseId });
    this.#endDelivery(message, deadline, deadline);
  }

  #endDelivery(message: StoredMessage, now: number, visibleAt: number): void {
    if (message.attempts <= this.#settings.maxRetries) {
      this.#store.release(message, visibleAt);
    } else if (this.#deadLetters === undefined) {
      this.#remove(message, now, 'attempts');
    } else {
      const deadLetterQueue = this.#deadLetters.name;
      this.#store.remove(message);
      this.#context.onJournal?.({ ...this.#entry(message, now), type: 'deadLettered', deadLetterQueue });
      this.#deadLetters.#add(viewOf(message), now, now);
    }
  }

  #add(view: Omit<MessageView, 'attempts'>, arrivedAt: number, visibleAt: number): void {
    this.#sequence += 1;
    this.#store.add(new StoredMessage(view, arrivedAt, visibleAt, this.#sequence));
  }

  #remove(message: StoredMessage, at: number, reason: 'attempts' | 'retention' | 'purge'): void {
    this.#store.remove(message);
    this.#context.onJournal?.({ ...this.#entry(message, at), type: 'removed', reason });
  }

  #find(leaseId: string): { readonly message: StoredMessage; readonly token: number } | undefined {
    const token = this.#context.identities.leaseToken(leaseId);
    const message = this.#store.withLease(token);
    return message === undefined ? undefined : { message, token };
  }

  #entry(message: StoredMessage, at: number): { queue: string; at: number; messageId: string } {
    return { queue: this.name, at, messageId: message.id };
  }
}

function viewOf(message: MessageView): MessageView {
  const { id, body, attempts, timestampMs, delaySeconds } = message;
  return { id, body, attempts, timestampMs, delaySeconds };
}
