import type { NewMessage } from './stored-message.ts';

/** The queue that a route is of. */
export interface RoutedQueue {
  /** Lets happen there what happened until `now`. */
  elapse(now: number): void;
  /** Takes a dead letter of another queue. */
  take(letter: NewMessage, now: number): void;
  /** Opens the queue of that name, made if it is absent. */
  open(name: string): DeadLetterRoute;
}

/** Where the dead letters of a queue go, and from which queues some come to it. */
export class DeadLetterRoute {
  readonly #queue: RoutedQueue;
  #target: DeadLetterRoute | undefined = undefined;
  /** Leases may end there, and so fill this queue, without any call to them. */
  readonly #sources = new Set<DeadLetterRoute>();

  constructor(queue: RoutedQueue) {
    this.#queue = queue;
  }

  leadTo(target: DeadLetterRoute | undefined): void {
    if (this.#target !== undefined) this.#target.#sources.delete(this);
    this.#target = target;
    if (target !== undefined) target.#sources.add(this);
  }

  /** Ends it on both sides. */
  end(): void {
    this.leadTo(undefined);
    for (const source of this.#sources) source.leadTo(undefined);
  }

  /** Lets come what is on its way here at `now`. */
  elapseSources(now: number): void {
    for (const source of this.#sources) source.#queue.elapse(now);
  }

  /** Where dead letters go: to the queue of that name. */
  target(name: string): DeadLetterRoute {
    if (this.#target !== undefined) return this.#target;
    // It was deleted since, so that one is made again, as the service does with a name that it does not find.
    const target = this.#queue.open(name);
    this.leadTo(target);
    return target;
  }

  take(letter: NewMessage, now: number): void {
    this.#queue.take(letter, now);
  }
}
