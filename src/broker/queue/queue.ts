import type { QueueMetrics } from '../../contract/message.ts';
import { limitPerSecond, type WindowCounter } from '../http/request-limit.ts';
import { recordingOf } from '../durability/recorder.ts';
import type { SavedQueue } from '../durability/saved.ts';
import { DeadLetterRoute } from './dead-letter-route.ts';
import { Deliveries, type DeliveredMessage } from './deliveries.ts';
import { DeliveryEnds } from './delivery-ends.ts';
import { Expiry } from './expiry.ts';
import { LeaseSettler } from './lease-settler.ts';
import { MessageRefs, type PeekedEntry } from './message-refs.ts';
import { MessageStore } from './message-store.ts';
import { QueueConfiguration, type QueueDetails, type QueueIdentity } from './queue-configuration.ts';
import type { WorkerConsumer } from './queue-consumer.ts';
import type { QueueContext } from './queue-context.ts';
import { countsOf, metricsOf, type QueueCounts } from './queue-counts.ts';
import { QueueHistory } from './queue-history.ts';
import { ReportedMetrics } from './reported-metrics.ts';
import type { Jurisdiction, ResolvedSettings } from './settings.ts';
import type { StoredBody, StoredMessage } from './stored-message.ts';

/** What a queue shares with its broker, other queues included. */
export interface MessageQueueContext extends QueueContext {
  /** Opens the dead letter queue of that name, made if it is absent. */
  readonly openQueue: (name: string, jurisdiction: Jurisdiction | undefined) => MessageQueue;
}

/**
 * A queue in memory: pure, without timers or I/O. All that time does to it (leases and retention end, delays pass) is
 * worked out at the next call, from the injected wall clock, in the order in which it happened. So nothing is ever late
 * for a caller, and a queue that nobody calls costs nothing.
 *
 * A message waits (visible, or delayed until a time), or is leased (until its deadline; at that very millisecond it waits
 * again), or is gone: acknowledged, moved to the dead letter queue, or removed.
 *
 * Every call lets the past happen first, by `Expiry`; then a part carries it out over the one store that all parts share.
 */
export class MessageQueue {
  /** 32 hex characters; it has it for good. */
  readonly id: string;
  readonly #context: QueueContext;
  readonly #configuration: QueueConfiguration;
  readonly #store: MessageStore;
  readonly #history: QueueHistory;
  readonly #route: DeadLetterRoute;
  readonly #expiry: Expiry;
  readonly #deliveries: Deliveries;
  readonly #settler: LeaseSettler;
  readonly #refs: MessageRefs;
  readonly #reported: ReportedMetrics;
  readonly #pushed: WindowCounter | undefined;

  constructor(identity: QueueIdentity, settings: ResolvedSettings, context: MessageQueueContext) {
    const { behaviour, recorder } = context;
    this.id = identity.id;
    this.#context = context;
    this.#configuration = new QueueConfiguration(identity, settings, context.clock.now());
    this.#store = new MessageStore(recorder && recordingOf(this, recorder));
    this.#history = new QueueHistory(this.#configuration, context.onJournal);
    this.#route = new DeadLetterRoute({
      elapse: (now) => this.#expiry.elapse(now),
      take: (letter, now) => this.#store.add(letter, now, now),
      open: (name) => context.openQueue(name, this.settings.jurisdiction).#route,
    });
    const parts = { context, configuration: this.#configuration, store: this.#store, history: this.#history };
    const ends = new DeliveryEnds(parts, this.#route);
    this.#expiry = new Expiry(parts, ends);
    this.#deliveries = new Deliveries(parts, ends);
    this.#settler = new LeaseSettler(parts, ends);
    this.#refs = new MessageRefs(parts);
    this.#reported = new ReportedMetrics(behaviour);
    this.#pushed = limitPerSecond(behaviour.messagesPerSecond);
  }

  get name(): string {
    return this.#configuration.name;
  }

  get settings(): ResolvedSettings {
    return this.#configuration.settings;
  }

  /** What else there is to know of it. */
  get details(): QueueDetails {
    return this.#configuration;
  }

  /** How long the HTTP pull consumer exists, in milliseconds; `undefined` while there is none. */
  get consumerAgeMs(): number | undefined {
    const { consumer } = this.details;
    if (consumer === undefined || consumer.worker !== undefined) return undefined;
    return Math.max(0, this.#context.clock.now() - consumer.createdAt);
  }

  /**
   * Puts settings in force from now on; what happened before happened under the old ones.
   *
   * @param worker - the consumer of a queue that is not pulled over HTTP, `null` for none; left out, it stays
   */
  configure(settings: ResolvedSettings, deadLetters: MessageQueue | undefined, worker?: WorkerConsumer | null): void {
    this.#configuration.configure(settings, this.#catchUp(), worker);
    this.connect(deadLetters);
    this.#context.recorder?.queueChanged(this);
  }

  /** Gives it another name. Its id, its messages and their leases stay. */
  rename(name: string): void {
    this.#configuration.rename(name, this.#catchUp());
    this.#context.recorder?.queueChanged(this);
  }

  /** Another queue has that name now. */
  forgetName(name: string): void {
    this.#configuration.forgetName(name);
    this.#context.recorder?.queueChanged(this);
  }

  /** What there is to keep of the queue, without its messages. */
  save(): SavedQueue {
    return this.#configuration.save();
  }

  /** Makes a new queue the one that was kept. @param messages - in the order of their arrival */
  restore(saved: SavedQueue, messages: readonly StoredMessage[]): void {
    this.#configuration.restore(saved);
    for (const message of messages) this.#store.restore(message);
  }

  /** Says where dead letters go, of a queue that was kept. */
  connect(deadLetters: MessageQueue | undefined): void {
    this.#route.leadTo(deadLetters === undefined ? undefined : deadLetters.#route);
  }

  /** Takes the queue out of service: the queues whose dead letters came here make a new one when they have some. */
  retire(): void {
    this.purgeAll();
    this.#route.end();
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
  push(body: StoredBody, delaySeconds: number = this.settings.deliveryDelaySeconds): string {
    const now = this.#catchUp();
    const id = this.#context.identities.messageId();
    this.#store.add({ id, body, timestampMs: now, delaySeconds }, now, now + delaySeconds * 1000);
    this.#history.record(id, now, { type: 'pushed' });
    return id;
  }

  /** Leases at most `batchSize` visible messages, those first that are visible longest. */
  pull(batchSize: number, visibilityTimeoutMs: number = this.settings.visibilityTimeoutMs): DeliveredMessage[] {
    return this.#deliveries.pull(this.#catchUp(), { batchSize, visibilityTimeoutMs });
  }

  /** The id of the lease under which a message is now. */
  leaseIdOf({ lease }: Readonly<StoredMessage>): string {
    return this.#context.identities.leaseId(lease);
  }

  /** Whether a message can be settled by that lease. */
  knowsLease(leaseId: string): boolean {
    this.#catchUp();
    return this.#settler.knows(leaseId);
  }

  /**
   * Deletes a message by any of its leases, an ended one included.
   *
   * @returns a warning when nothing was done
   */
  ack(leaseId: string): string | undefined {
    return this.#settler.ack(leaseId, this.#catchUp());
  }

  /**
   * Makes a message visible again after `delaySeconds`, by default the queue's own retry delay; one that used up its
   * deliveries leaves the queue at once. The lease can't be used again.
   *
   * @returns a warning when nothing was done
   */
  retry(leaseId: string, delaySeconds: number = this.settings.retryDelaySeconds): string | undefined {
    return this.#settler.retry(leaseId, this.#catchUp(), delaySeconds);
  }

  /** Shows at most `count` messages, those that a pull would give now. */
  peek(count: number): PeekedEntry[] {
    return this.#refs.peek(count, this.#catchUp());
  }

  /**
   * Deletes a peeked message, leased by now or not.
   *
   * @returns whether there was one
   */
  purge(ref: string): boolean {
    return this.#refs.purge(ref, this.#catchUp());
  }

  /** Deletes every message, leased and delayed ones included. */
  purgeAll(): void {
    const now = this.#catchUp();
    const purged = this.#store.clear();
    this.#configuration.notePurge(now);
    this.#context.recorder?.queueChanged(this);
    for (const { id } of purged) this.#history.record(id, now, { type: 'removed', reason: 'purge' });
  }

  metrics(): QueueMetrics {
    this.#catchUp();
    return metricsOf(this.#store);
  }

  /** What there is and what happened, at no more cost than a look: whatever the broker's behaviour has clients see. */
  count(): QueueCounts {
    this.#catchUp();
    return countsOf(this.#store, this.#history);
  }

  /** The metrics as the broker's behaviour has clients see them. */
  reportedMetrics(): QueueMetrics {
    return this.#reported.at(this.#catchUp(), this.#store);
  }

  /** Every message as it stands now, in the order of arrival. */
  messages(): Iterable<Readonly<StoredMessage>> {
    this.#catchUp();
    return this.#store.all();
  }

  /** Lets happen what time brought about since the last call. @returns the time */
  #catchUp(): number {
    const now = this.#context.clock.now();
    this.#route.elapseSources(now);
    this.#expiry.elapse(now);
    return now;
  }
}
