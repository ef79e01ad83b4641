import { emitEvent, type SubscribedEvent } from '../events/emit-event.ts';
import { MessageQueue, type MessageQueueContext } from './queue.ts';
import type { WorkerConsumer } from './queue-consumer.ts';
import type { QueueContext } from './queue-context.ts';
import { QueueNames } from './queue-names.ts';
import type { SavedBroker } from '../durability/saved.ts';
import {
  checkQueueId,
  checkQueueName,
  checkSettingNames,
  defaultSettings,
  type Jurisdiction,
  type QueueSettings,
  type ResolvedSettings,
  resolveSettings,
} from './settings.ts';
import { Subscriptions } from '../events/subscriptions.ts';

/** The queues of a broker, by name and by id. */
export class QueueRegistry {
  readonly subscriptions: Subscriptions;
  readonly #context: MessageQueueContext;
  readonly #names = new QueueNames();
  readonly #byId = new Map<string, MessageQueue>();
  #made = 0;

  constructor(context: QueueContext) {
    this.subscriptions = new Subscriptions(context);
    this.#context = { ...context, openQueue: (name, jurisdiction) => this.#present(name, jurisdiction) };
  }

  /** All queues, in the order in which they were made. */
  all(): readonly MessageQueue[] {
    return [...this.#byId.values()];
  }

  /** The queue that has this name now. */
  byName(name: string): MessageQueue | undefined {
    return this.#names.current(name);
  }

  /** The queue that has this name, or had it last and was renamed since. */
  find(name: string): MessageQueue | undefined {
    return this.#names.currentOrFormer(name);
  }

  byId(id: string): MessageQueue | undefined {
    return this.#byId.get(id);
  }

  /**
   * The queue of that name, made if it is absent, with `changes` laid over its settings. The dead letter queue that
   * they name is made as well. Names follow a rename.
   *
   * @throws TypeError or RangeError when the name or a setting is wrong; nothing is made or changed then
   */
  open(name: string, changes: QueueSettings = {}): MessageQueue {
    checkQueueName('open a queue', 'name', name);
    checkSettingNames(name, changes);
    const { id, ...others } = changes;
    if (id !== undefined) checkQueueId(`configure queue '${name}'`, id);
    const present = (id === undefined ? undefined : this.#byId.get(id)) ?? this.find(name);
    if (id !== undefined && present !== undefined && present.id !== id) {
      throw new RangeError(`Cannot configure queue '${name}' by another id: its id is ${present.id}, and not ${id}`);
    }
    const { deadLetterQueue } = others;
    const renamed = typeof deadLetterQueue === 'string' ? this.find(deadLetterQueue)?.name : undefined;
    const settings = renamed === undefined ? others : { ...others, deadLetterQueue: renamed };
    return present === undefined ? this.#make(name, settings, id) : this.configure(present, settings);
  }

  /**
   * Makes a queue. A queue that had the name once is no longer found by it.
   *
   * @throws TypeError or RangeError when a setting is wrong; nothing is made then
   */
  create(name: string, settings: QueueSettings): MessageQueue {
    return this.#make(name, settings, undefined);
  }

  /**
   * Lays `changes` over the settings of a queue; what they name are queues by their names of now.
   *
   * @param worker - as `MessageQueue.configure()` takes it
   */
  configure(queue: MessageQueue, changes: QueueSettings, worker?: WorkerConsumer | null): MessageQueue {
    const settings = resolveSettings(queue.name, queue.settings, changes);
    if (settings.jurisdiction !== queue.settings.jurisdiction) {
      throw new RangeError(`Cannot configure queue '${queue.name}' as its 'jurisdiction' is set when it is made`);
    }
    if (settings.deadLetterQueue !== queue.settings.deadLetterQueue) this.#checkDeadLetters(queue.name, settings);
    return this.#settle(queue, settings, worker);
  }

  /** Gives a queue a name that no other has. Those whose dead letter queue it is go on naming it. */
  rename(queue: MessageQueue, name: string): void {
    const { name: before } = queue;
    if (name === before) return;
    this.#names.rename(queue, name);
    for (const other of this.#byId.values()) {
      const { settings } = other;
      if (settings.deadLetterQueue === before) this.#settle(other, { ...settings, deadLetterQueue: name });
    }
    this.#connectThoseThatName(queue);
  }

  /**
   * Deletes a queue with all its messages and subscriptions. Queues that name it as their dead letter queue go on naming it: it is made
   * anew, empty, when one of them has a dead letter.
   */
  delete(queue: MessageQueue): void {
    queue.retire();
    this.subscriptions.deleteOf(queue.id);
    this.#context.recorder?.queueDeleted(queue);
    this.#names.delete(queue);
    this.#byId.delete(queue.id);
  }

  /** Lets an event of a subscription happen. @throws RangeError when there is no such subscription, or event of it */
  emit(subscriptionId: string, event: SubscribedEvent, accountId: string): string | undefined {
    const subscription = this.subscriptions.byId(subscriptionId);
    const queue = subscription && this.byId(subscription.queueId);
    if (subscription === undefined || queue === undefined) {
      throw new RangeError(`Cannot emit an event: there is no subscription with the id '${subscriptionId}'`);
    }
    return emitEvent(event, { subscription, queue, accountId, now: this.#context.clock.now() });
  }

  /** Puts back the queues that were kept. The registry must be empty. */
  restore({ queues, subscriptions }: SavedBroker): void {
    this.subscriptions.restore(subscriptions);
    for (const { queue: saved, messages } of queues) {
      // A setting that is newer than what was kept has its default.
      const settings = { ...defaultSettings, ...saved.settings };
      const queue = new MessageQueue(saved, settings, this.#context);
      queue.restore(saved, messages);
      this.#made = Math.max(this.#made, saved.serial ?? 0);
      this.#names.add(queue);
      this.#byId.set(queue.id, queue);
    }
    for (const queue of this.#byId.values()) {
      const { deadLetterQueue } = queue.settings;
      queue.connect(deadLetterQueue === undefined ? undefined : this.byName(deadLetterQueue));
    }
  }

  #make(name: string, changes: QueueSettings, id: string | undefined): MessageQueue {
    const settings = resolveSettings(name, defaultSettings, changes);
    this.#checkDeadLetters(name, settings);
    this.#made += 1;
    const queue = new MessageQueue({ name, id: id ?? this.#freeId(), serial: this.#made }, settings, this.#context);
    this.#names.add(queue);
    this.#byId.set(queue.id, queue);
    this.#settle(queue, settings);
    this.#connectThoseThatName(queue);
    return queue;
  }

  #checkDeadLetters(name: string, { deadLetterQueue, jurisdiction }: ResolvedSettings): void {
    const deadLetters = deadLetterQueue === undefined ? undefined : this.byName(deadLetterQueue);
    if (deadLetters === undefined || deadLetters.settings.jurisdiction === jurisdiction) return;
    const rule = `its 'deadLetterQueue' '${deadLetters.name}' must be of the same 'jurisdiction'`;
    throw new RangeError(`Cannot configure queue '${name}' as ${rule}`);
  }

  #settle(queue: MessageQueue, settings: ResolvedSettings, worker?: WorkerConsumer | null): MessageQueue {
    const { deadLetterQueue, jurisdiction } = settings;
    const deadLetters = deadLetterQueue === undefined ? undefined : this.#present(deadLetterQueue, jurisdiction);
    queue.configure(settings, deadLetters, worker);
    return queue;
  }

  /** Not open(): two queues may be each other's dead letter queue. */
  #present(name: string, jurisdiction: Jurisdiction | undefined): MessageQueue {
    return this.byName(name) ?? this.create(name, jurisdiction === undefined ? {} : { jurisdiction });
  }

  #connectThoseThatName(queue: MessageQueue): void {
    for (const other of this.#byId.values()) {
      if (other.settings.deadLetterQueue === queue.name) other.connect(queue);
    }
  }

  #freeId(): string {
    for (;;) {
      const id = this.#context.identities.id();
      if (!this.#byId.has(id)) return id;
    }
  }
}
