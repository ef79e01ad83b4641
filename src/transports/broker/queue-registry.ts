import { queueIdOf } from './identities.ts';
import { MessageQueue, type QueueContext } from './queue.ts';
import type { SavedBroker } from './saved.ts';
import { checkQueueName, defaultSettings, type QueueSettings, resolveSettings } from './settings.ts';

/** The queues of a broker, by name and by id. */
export class QueueRegistry {
  readonly #context: QueueContext;
  readonly #byName = new Map<string, MessageQueue>();
  readonly #byId = new Map<string, MessageQueue>();

  constructor(context: Omit<QueueContext, 'openQueue'>) {
    this.#context = { ...context, openQueue: (name) => this.#present(name) };
  }

  /** All queues, in the order in which they were made. */
  all(): readonly MessageQueue[] {
    return [...this.#byName.values()];
  }

  byName(name: string): MessageQueue | undefined {
    return this.#byName.get(name);
  }

  byId(id: string): MessageQueue | undefined {
    return this.#byId.get(id);
  }

  /**
   * The queue of that name, made if it is absent, with `changes` laid over its settings. The dead letter queue that
   * they name is made as well.
   *
   * @throws TypeError or RangeError when the name or a setting is wrong; nothing is made or changed then
   */
  open(name: string, changes: QueueSettings = {}): MessageQueue {
    checkQueueName('open a queue', 'name', name);
    const present = this.#byName.get(name);
    const settings = resolveSettings(name, present?.settings ?? defaultSettings, changes);
    const queue = present ?? new MessageQueue({ name, id: queueIdOf(name) }, settings, this.#context);
    this.#byName.set(name, queue);
    this.#byId.set(queue.id, queue);
    const { deadLetterQueue } = settings;
    queue.configure(settings, deadLetterQueue === undefined ? undefined : this.#present(deadLetterQueue));
    return queue;
  }

  /**
   * Deletes a queue with all its messages. Queues that name it as their dead letter queue go on naming it: it is made
   * anew, empty, when one of them has a dead letter.
   */
  delete(queue: MessageQueue): void {
    queue.retire();
    this.#context.recorder?.queueDeleted(queue);
    this.#byName.delete(queue.name);
    this.#byId.delete(queue.id);
  }

  /** Puts back the queues that were kept. The registry must be empty. */
  restore({ queues }: SavedBroker): void {
    for (const { queue: saved, messages } of queues) {
      const { name } = saved;
      // A setting that is newer than what was kept has its default.
      const settings = { ...defaultSettings, ...saved.settings };
      const queue = new MessageQueue({ name, id: queueIdOf(name) }, settings, this.#context);
      queue.restore(saved, messages);
      this.#byName.set(name, queue);
      this.#byId.set(queue.id, queue);
    }
    for (const queue of this.#byName.values()) {
      const { deadLetterQueue } = queue.settings;
      queue.connect(deadLetterQueue === undefined ? undefined : this.#byName.get(deadLetterQueue));
    }
  }

  // Not open(): two queues may be each other's dead letter queue.
  #present(name: string): MessageQueue {
    return this.#byName.get(name) ?? this.open(name);
  }
}
