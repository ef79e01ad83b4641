import type { Deliveries } from '../consumer/deliveries.ts';
import type { Engine } from '../consumer/engine.ts';
import type { CloseReason } from '../consumer/stats.ts';

interface Waiter<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The iterator behind every `for await`.
 *
 * Written by hand, because an async generator would queue `return()` behind a `next()` that waits for a message, and
 * would skip its cleanup when the loop never began.
 *
 * Whoever calls `next()` has finished the item before: that is what makes the automatic acknowledgement sound. The
 * first `next()` that does not wait for the one before shows a reader for which it is not true, and ends it for good.
 */
export class DeliveryIterator<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #engine: Engine;
  readonly #deliveries: Deliveries<Item>;
  readonly #waiters: Waiter<Item>[] = [];
  #isAuto: boolean;
  /** An item was given to a `next()` whose caller can't have seen it yet. */
  #isUnseen = false;
  #isDone = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(engine: Engine, deliveries: Deliveries<Item>) {
    this.#engine = engine;
    this.#deliveries = deliveries;
    this.#isAuto = engine.options.settle === 'auto';
    engine.onReady = (now) => this.#pump(now);
    void engine.closed.then((summary) => this.#finish(summary));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#isAuto && (this.#waiters.length > 0 || this.#isUnseen)) this.#becomeManual();
    const now = this.#engine.now();
    this.#deliveries.complete('ack', now);
    if (this.#isDone) return this.#afterEnd();
    this.#engine.begin();
    this.#noteReaders(this.#waiters.length + 1, now);
    const item = this.#waiters.length === 0 ? this.#deliveries.take(now) : Infinity;
    if (typeof item !== 'number') {
      this.#noteReaders(0, now);
      this.#noteUnseen();
      return Promise.resolve({ done: false, value: item });
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#engine.wake();
    });
  }

  #afterEnd(): Promise<IteratorResult<Item, undefined>> {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure === undefined ? Promise.resolve(done) : Promise.reject(failure.error);
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    await this.#leave();
    return done;
  }

  async throw(error?: unknown): Promise<IteratorResult<Item, undefined>> {
    await this.#leave();
    throw error;
  }

  async #leave(): Promise<void> {
    this.#deliveries.complete('retry', this.#engine.now());
    const closed = this.#engine.close('left');
    this.#finish({ reason: 'left' });
    await closed;
  }

  #pump(now: number): number {
    while (this.#waiters.length > 0) {
      const item = this.#deliveries.take(now);
      if (typeof item === 'number') return item;
      const waiter = this.#waiters.shift();
      this.#noteReaders(this.#waiters.length, now);
      // Its microtask comes before those of whoever waits, who may well call next() in the first of them.
      this.#noteUnseen();
      waiter?.resolve({ done: false, value: item });
    }
    return Infinity;
  }

  #noteUnseen(): void {
    if (!this.#isAuto) return;
    this.#isUnseen = true;
    // Costs a third of what queueMicrotask() does on Node.
    void soon.then(this.#onSeen);
  }

  readonly #onSeen = (): void => {
    this.#isUnseen = false;
  };

  #becomeManual(): void {
    this.#isAuto = false;
    this.#deliveries.letGo();
  }

  #noteReaders(readers: number, now: number): void {
    this.#engine.waiting = readers;
    if (this.#engine.isUnseen) this.#engine.handlers.onReaders(readers, now);
  }

  #finish({ reason, error }: { readonly reason: CloseReason; readonly error?: unknown }): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#engine.waiting = 0;
    const waiters = this.#waiters.splice(0);
    // One error is told once: to whoever waits first, or else to the next one to ask.
    if (reason === 'failed') {
      const first = waiters.shift();
      if (first === undefined) this.#failure = { error };
      else first.reject(error);
    }
    for (const waiter of waiters) waiter.resolve(done);
  }
}

const soon = Promise.resolve();

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
