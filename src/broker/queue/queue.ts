import type { Clock } from '../../contract/clock.ts';
import type { QueueMetrics } from '../../contract/message.ts';
import type { Behaviour } from '../behaviour.ts';
import { chooseMessages } from './choose-messages.ts';
import { consumerIdOf, type Identities, noToken } from './identities.ts';
import type { JournalListener } from './journal.ts';
import { MessageStore, type StoreListener } from './message-store.ts';
import type { Recorder } from '../durability/recorder.ts';
import { WindowCounter } from '../http/request-limit.ts';
import { ReportedMetrics } from './reported-metrics.ts';
import type { SavedQueue } from '../durability/saved.ts';
import type { Jurisdiction, ResolvedSettings } from './settings.ts';
import { type MessageView, type StoredBody, StoredMessage } from './stored-message.ts';
import { newTally, type Tally } from './tally.ts';

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
  readonly behaviour: Behaviour;
  readonly random: () => number;
  /** Whether a message that is handed out now is handed out once more: a fault. */
  readonly repeats: () => boolean;
  /** Opens the dead letter queue of that name, made if it is absent. */
  readonly openQueue: (name: string, jurisdiction: Jurisdiction | undefined) => MessageQueue;
  readonly onJournal: JournalListener | undefined;
  /** Keeps what changes. Absent where all is in memory alone. */
  readonly recorder?: Recorder | undefined;
}

/** Which queue it is. */
export interface QueueIdentity {
  readonly name: string;
  readonly id: string;
  /** Its number among the queues that were made. @defaultValue 0, of those of format 1 */
  readonly serial?: number;
}

/** A Worker as the consumer of a queue: configuration alone. */
export interface WorkerConsumer {
  readonly scriptName: string;
  /** Empty where it has none. */
  readonly environment: string;
  readonly maxWaitTimeMs: number;
  /** `null`: as many as the platform runs. */
  readonly maxConcurrency: number | null;
}

/** The consumer of a queue. Its settings are among the queue's. */
export interface QueueConsumer {
  /** 32 hex characters. */
  readonly id: string;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  /** Absent of an HTTP pull consumer. */
  readonly worker?: WorkerConsumer | undefined;
}

/** A queue in numbers. */
export interface QueueCounts extends QueueMetrics {
  readonly inFlight: number;
  readonly tally: Readonly<Tally>;
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
 * A message waits (visible, or delayed until a time), or is leased (until its deadline; at that very millisecond it waits
 * again), or is gone: acknowledged, moved to the dead letter queue, or removed.
 */
export class MessageQueue {
  /** 32 hex characters; it has it for good. */
  readonly id: string;
  readonly #tally = newTally();
  readonly #serial: number;
  #name: string;
  #formerNames: readonly string[] = [];
  #createdAt: number;
  readonly #context: QueueContext;
  #settings: ResolvedSettings;
  #deadLetters: MessageQueue | undefined = undefined;
  /** The queues whose dead letters come here: their leases may end, and so fill this queue, without any call to them. */
  readonly #feeders = new Set<MessageQueue>();
  #store: MessageStore;
  readonly #reported: ReportedMetrics;
  readonly #pushed: WindowCounter | undefined;
  #consumer: QueueConsumer | undefined = undefined;
  #consumersMade = 0;
  #modifiedAt: number;
  #sequence = 0;
  #purgedAt: number | undefined = undefined;

  constructor(identity: QueueIdentity, settings: ResolvedSettings, context: QueueContext) {
    this.id = identity.id;
    this.#serial = identity.serial ?? 0;
    this.#name = identity.name;
    this.#settings = settings;
    this.#context = context;
    this.#createdAt = context.clock.now();
    this.#modifiedAt = this.#createdAt;
    this.#store = new MessageStore(this.#storeListener());
    this.#reported = new ReportedMetrics(context.behaviour);
    const { messagesPerSecond } = context.behaviour;
    const perSecond = { requests: messagesPerSecond ?? Infinity, perMs: 1000, blockMs: 0 };
    this.#pushed = messagesPerSecond === undefined ? undefined : new WindowCounter(perSecond);
  }

  get name(): string {
    return this.#name;
  }

  /** Names that it had and no other queue has, the last one last. */
  get formerNames(): readonly string[] {
    return this.#formerNames;
  }

  get createdAt(): number {
    return this.#createdAt;
  }

  get settings(): ResolvedSettings {
    return this.#settings;
  }

  /** The consumer, of HTTP pulls or a Worker; `undefined` while there is none. */
  get consumer(): QueueConsumer | undefined {
    return this.#consumer;
  }

  /** How long the HTTP pull consumer exists, in milliseconds; `undefined` while there is none. */
  get consumerAgeMs(): number | undefined {
    if (this.#consumer === undefined || this.#consumer.worker !== undefined) return undefined;
    return Math.max(0, this.#context.clock.now() - this.#consumer.createdAt);
  }

  /** When its settings were changed last, in milliseconds since the epoch. */
  get modifiedAt(): number {
    return this.#modifiedAt;
  }

  /** When all messages were purged last, in milliseconds since the epoch. */
  get purgedAt(): number | undefined {
    return this.#purgedAt;
  }

  /**
   * Puts settings in force from now on; what happened before happened under the old ones.
   *
   * @param worker - the consumer of a queue that is not pulled over HTTP, `null` for none; left out, it stays
   */
  configure(settings: ResolvedSettings, deadLetters: MessageQueue | undefined, worker?: WorkerConsumer | null): void {
    this.#modifiedAt = this.#catchUp();
    this.#settings = settings;
    const employed = settings.httpPull ? undefined : worker === undefined ? this.#consumer?.worker : worker;
    const isConsumed = settings.httpPull || (employed !== undefined && employed !== null);
    this.#consumer = isConsumed ? this.#consumerWith(employed ?? undefined) : undefined;
    this.#feed(deadLetters);
    this.#context.recorder?.queueChanged(this);
  }

  /** Gives it another name. Its id, its messages and their leases stay. */
  rename(name: string): void {
    this.#modifiedAt = this.#catchUp();
    this.#formerNames = [...this.#formerNames.filter((former) => former !== name), this.#name];
    this.#name = name;
    this.#context.recorder?.queueChanged(this);
  }

  /** Another queue has that name now. */
  forgetName(name: string): void {
    this.#formerNames = this.#formerNames.filter((former) => former !== name);
    this.#context.recorder?.queueChanged(this);
  }

  /** What there is to keep of the queue, without its messages. */
  save(): SavedQueue {
    return {
      id: this.id,
      serial: this.#serial,
      name: this.#name,
      formerNames: this.#formerNames,
      createdAt: this.#createdAt,
      modifiedAt: this.#modifiedAt,
      purgedAt: this.#purgedAt,
      settings: this.#settings,
      consumer: this.#consumer,
      consumersMade: this.#consumersMade,
    };
  }

  /** Makes a new queue the one that was kept. @param messages - in the order of their arrival */
  restore(saved: SavedQueue, messages: readonly StoredMessage[]): void {
    this.#formerNames = saved.formerNames ?? [];
    this.#createdAt = saved.createdAt;
    this.#modifiedAt = saved.modifiedAt;
    this.#purgedAt = saved.purgedAt;
    this.#consumer = saved.consumer;
    this.#consumersMade = saved.consumersMade;
    this.#sequence = messages.at(-1)?.sequence ?? 0;
    for (const message of messages) this.#store.restore(message);
  }

  /** Says where dead letters go, of a queue that was kept. */
  connect(deadLetters: MessageQueue | undefined): void {
    this.#feed(deadLetters);
  }

  /** Takes the queue out of service: the queues whose dead letters came here make a new one when they have some. */
  retire(): void {
    this.purgeAll();
    this.#feed(undefined);
    for (const feeder of this.#feeders) feeder.#feed(undefined);
  }

  /** How long to wait, in milliseconds, before so many messages may be pushed; `undefined` when they may now. */
  admit(count: number): number | undefined {
    return this.#pushed?.take(this.#context.clock.now(), count);
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
    this.#tally.pushed += 1;
    this.#context.onJournal?.({ type: 'pushed', queue: this.name, at: now, messageId: id });
    return id;
  }

  /** Leases at most `batchSize` visible messages, those first that are visible longest. */
  pull(batchSize: number, visibilityTimeoutMs: number = this.#settings.visibilityTimeoutMs): DeliveredMessage[] {
    const now = this.#catchUp();
    const deadline = now + visibilityTimeoutMs;
    const delivered: DeliveredMessage[] = [];
    const repeated: StoredMessage[] = [];
    const { behaviour, random } = this.#context;
    const chosen = chooseMessages(this.#store, { now, count: batchSize, behaviour, random });
    for (let message = chosen.next(); message !== undefined; message = chosen.next()) {
      const token = this.#context.identities.token();
      this.#store.lease(message, token, deadline);
      const leaseId = this.#context.identities.leaseId(token);
      delivered.push({ ...viewOf(message), attempts: message.attempts - 1 + behaviour.firstAttempts, leaseId });
      const { attempts } = message;
      this.#tally.delivered += 1;
      this.#context.onJournal?.({ ...this.#entry(message, now), type: 'delivered', leaseId, attempts, deadline });
      if (attempts <= this.#settings.maxRetries && this.#context.repeats()) repeated.push(message);
    }
    // Afterwards, since this pull would bring them again.
    for (const message of repeated) this.#endLease(message, now, 0);
    return delivered;
  }

  /** The id of the lease under which a message is now. */
  leaseIdOf({ lease }: Readonly<StoredMessage>): string {
    return this.#context.identities.leaseId(lease);
  }

  /** Whether a message can be settled by that lease. */
  knowsLease(leaseId: string): boolean {
    this.#catchUp();
    return this.#find(leaseId) !== undefined;
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
    this.#tally.acked += 1;
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
    if (late && this.#context.behaviour.lateRetry === 'ignore') return warnings.lateRetry;
    this.#tally.retried += 1;
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
    this.#store = new MessageStore(this.#storeListener());
    this.#purgedAt = now;
    this.#context.recorder?.queueChanged(this);
    for (const message of store.all()) {
      this.#context.recorder?.messageRemoved(this, message);
      this.#tally.removed += 1;
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

  /** What there is and what happened, at no more cost than a look: whatever the broker's behaviour has clients see. */
  count(): QueueCounts {
    return { ...this.metrics(), inFlight: this.#store.leasedCount, tally: { ...this.#tally } };
  }

  /** The metrics as the broker's behaviour has clients see them. */
  reportedMetrics(): QueueMetrics {
    const now = this.#catchUp();
    return this.#reported.at(now, () => this.metrics(), this.#store);
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
    const { expiredLeases } = this.#context.behaviour;
    this.#endLease(message, message.dueAt, expiredLeases === 'at-once' ? 0 : this.#settings.retryDelaySeconds);
  }

  #endLease(message: StoredMessage, endedAt: number, delaySeconds: number): void {
    const leaseId = this.#context.identities.leaseId(message.lease);
    this.#tally.expired += 1;
    this.#context.onJournal?.({ ...this.#entry(message, endedAt), type: 'expired', leaseId, delaySeconds });
    this.#endDelivery(message, endedAt, endedAt + delaySeconds * 1000);
  }

  #endDelivery(message: StoredMessage, now: number, visibleAt: number): void {
    if (message.attempts <= this.#settings.maxRetries) {
      this.#store.release(message, visibleAt);
    } else if (this.#settings.deadLetterQueue === undefined) {
      this.#remove(message, now, 'attempts');
    } else {
      this.#moveToDeadLetters(message, now, this.#settings.deadLetterQueue);
    }
  }

  #moveToDeadLetters(message: StoredMessage, now: number, deadLetterQueue: string): void {
    // It was deleted since, so that one is made again, as the service does with a name that it does not find.
    if (this.#deadLetters === undefined)
      this.#feed(this.#context.openQueue(deadLetterQueue, this.#settings.jurisdiction));
    this.#store.remove(message);
    const keepsIdentity = this.#context.behaviour.deadLettersKeep === 'identity';
    const view = keepsIdentity
      ? viewOf(message)
      : { ...viewOf(message), id: this.#context.identities.messageId(), timestampMs: now };
    const renamed = keepsIdentity ? {} : { newMessageId: view.id };
    this.#tally.deadLettered += 1;
    this.#context.onJournal?.({ ...this.#entry(message, now), type: 'deadLettered', deadLetterQueue, ...renamed });
    const to = this.#deadLetters;
    if (to !== undefined) to.#add(view, now, now);
  }

  #storeListener(): StoreListener | undefined {
    const { recorder } = this.#context;
    if (recorder === undefined) return undefined;
    return (message, change) => {
      if (change === 'added') recorder.messageAdded(this, message);
      else if (change === 'changed') recorder.messageChanged(this, message);
      else recorder.messageRemoved(this, message);
    };
  }

  #feed(deadLetters: MessageQueue | undefined): void {
    if (this.#deadLetters !== undefined) this.#deadLetters.#feeders.delete(this);
    this.#deadLetters = deadLetters;
    if (deadLetters !== undefined) deadLetters.#feeders.add(this);
  }

  #consumerWith(worker: WorkerConsumer | undefined): QueueConsumer {
    if (this.#consumer !== undefined) return { ...this.#consumer, worker };
    this.#consumersMade += 1;
    return { id: consumerIdOf(this.id, this.#consumersMade), createdAt: this.#modifiedAt, worker };
  }

  #add(view: Omit<MessageView, 'attempts'>, arrivedAt: number, visibleAt: number): void {
    this.#sequence += 1;
    this.#store.add(new StoredMessage(view, arrivedAt, visibleAt, this.#sequence));
  }

  #remove(message: StoredMessage, at: number, reason: 'attempts' | 'retention' | 'purge'): void {
    this.#store.remove(message);
    this.#tally.removed += 1;
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
