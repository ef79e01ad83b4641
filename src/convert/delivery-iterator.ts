import type { ItemIterator } from '../contract/item-iterator.ts';
import type { Deliveries } from '../consumer/handing-out/deliveries.ts';
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
export class DeliveryIterator<Item> implements ItemIterator<Item> {
  readonly #engine: Engine;
  readonly #deliveries: Deliveries<Item>;
  readonly #waiters: Waiter<Item>[] = [];
  #isAuto: boolean;
  /** An item was given to a `next()` whose caller can't have seen it yet. */
  #isUnseen = false;
  /** That item, until it is on its way. */
  #result: IteratorResult<Item, undefined> = done;
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
    const now = this.#engine.recent();
    this.#deliveries.complete('ack', now);
    if (this.#isDone) return this.#afterEnd();
    this.#engine.begin();
    this.#noteReaders(this.#waiters.length + 1, now);
    const item = this.#waiters.length === 0 ? this.#deliveries.take(now) : Infinity;
    if (typeof item === 'number') return this.#wait();
    this.#noteReaders(0, now);
    return this.#give({ done: false, value: item });
  }

  #wait(): Promise<IteratorResult<Item, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#engine.wake();
    });
  }

  /** A microtask on the way to the caller tells that it has seen the item: not a promise more than one needs. */
  #give(result: IteratorResult<Item, undefined>): Promise<IteratorResult<Item, undefined>> {
    // The one before is on its way, and this one must not overtake it.
    if (this.#isUnseen) return soon.then(() => result);
    if (!this.#isAuto) return Promise.resolve(result);
    this.#isUnseen = true;
    this.#result = result;
    return soon.then(this.#onGiven);
  }

  readonly #onGiven = (): IteratorResult<Item, undefined> => {
    const result = this.#result;
    this.#isUnseen = false;
    // What the loop has finished with must not be held.
    this.#result = done;
    return result;
  };

  #afterEnd(): Promise<IteratorResult<Item, undefined>> {
    const failure = this.#failure;
    this.#failure = undefined;
    // What was given before may be on its way still, and the end must not overtake it.
    if (failure === undefined) return this.#isUnseen ? soon.then(() => done) : Promise.resolve(done);
    return soon.then(() => {
      throw failure.error;
    });
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
    const left = this.#engine.leave();
    this.#finish({ reason: 'left' });
    await left;
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
    if (this.#engine.isUnseen) this.#engine.noteReaders(readers, now);
  }

  #finish({ reason, error }: { readonly reason: CloseReason; readonly error?: unknown }): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#engine.waiting = 0;
    const waiters = this.#waiters.splice(0);
    // What was given before may be on its way still, and the end must not overtake it.
    if (this.#isUnseen) void soon.then(() => this.#tellEnd(waiters, reason, error));
    else this.#tellEnd(waiters, reason, error);
  }

  #tellEnd(waiters: Waiter<Item>[], reason: CloseReason, error: unknown): void {
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
