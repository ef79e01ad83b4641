import type { MessageQueue } from './queue.ts';

/** The names of queues: those that they have, and those that they had before a rename. */
export class QueueNames {
  readonly #current = new Map<string, MessageQueue>();
  /** By a name that no queue has: the one that had it last. */
  readonly #former = new Map<string, MessageQueue>();

  current(name: string): MessageQueue | undefined {
    return this.#current.get(name);
  }

  currentOrFormer(name: string): MessageQueue | undefined {
    return this.#current.get(name) ?? this.#former.get(name);
  }

  /** Adds a queue under the names that it has and had. Whichever had its name before is no longer found by it. */
  add(queue: MessageQueue): void {
    this.#release(queue.name);
    this.#current.set(queue.name, queue);
    for (const name of queue.details.formerNames) this.#former.set(name, queue);
  }

  rename(queue: MessageQueue, name: string): void {
    this.#current.delete(queue.name);
    this.#former.set(queue.name, queue);
    this.#release(name);
    queue.rename(name);
    this.#current.set(name, queue);
  }

  delete(queue: MessageQueue): void {
    this.#current.delete(queue.name);
    for (const name of queue.details.formerNames) this.#former.delete(name);
  }

  #release(name: string): void {
    this.#former.get(name)?.forgetName(name);
    this.#former.delete(name);
  }
}
