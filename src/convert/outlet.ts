import type { Deliveries } from '../consumer/handing-out/deliveries.ts';
import type { Engine } from '../consumer/engine.ts';

/** A surface as it is handed items: called, where an iterator is asked. */
export interface Receiver<Item> {
  next(item: Item): void;
  /** No more items will come. Those that came may still be settled. */
  end(): void;
  /** Nothing of the consumer is left, because of an error that trying again can't help. */
  fail(error: unknown): void;
}

/**
 * Hands items to a receiver, as many as it wants, to be settled by hand. After `end`, `fail` or `leave()` no other call
 * of the receiver follows.
 */
export class Outlet<Item> {
  readonly #engine: Engine;
  readonly #deliveries: Deliveries<Item>;
  readonly #receiver: Receiver<Item>;
  #wanted = 0;
  #isOver = false;

  constructor(engine: Engine, deliveries: Deliveries<Item>, receiver: Receiver<Item>) {
    this.#engine = engine;
    this.#deliveries = deliveries;
    this.#receiver = receiver;
    deliveries.letGo();
    deliveries.isRun = true;
    engine.onReady = () => this.#pump();
    // At once rather than when all is settled: what comes after may hold items back until it is told of the end.
    engine.onClosing = (reason) => {
      if (reason !== 'failed') this.#end();
    };
    void engine.closed.then((summary) => {
      if (summary.reason === 'failed') this.#fail(summary.error);
      else this.#end();
    });
  }

  /** Asks for so many more items; `Infinity` for all that may be out at once. */
  want(count: number): void {
    if (this.#isOver) return;
    this.#note(this.#wanted + count);
    this.#engine.begin();
    // Not in the context of whoever asks: a stream does so where its last item was finished.
    if (this.#engine.buffered > 0) this.#engine.atHome(this.#onAsked);
    this.#engine.wake();
  }

  #pump(): number {
    while (this.#wanted > 0 && !this.#isOver) {
      // The time anew for each: what a receiver does with one takes time.
      const item = this.#deliveries.take(this.#engine.recent());
      if (typeof item === 'number') return item;
      this.#note(this.#wanted - 1);
      this.#deliveries.run(item, this.#give);
    }
    return Infinity;
  }

  readonly #onAsked = (): void => void this.#pump();

  readonly #give = (item: Item): void => this.#receiver.next(item);

  #note(wanted: number): void {
    this.#wanted = wanted;
    this.#engine.waiting = wanted === 0 ? 0 : 1;
    this.#engine.noteReaders(wanted, this.#engine.now());
  }

  #end(): void {
    if (this.#finish()) this.#receiver.end();
  }

  #fail(error: unknown): void {
    if (this.#finish()) this.#receiver.fail(error);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#engine.waiting = 0;
    return true;
  }

  /**
   * The receiver goes away: what is buffered is given back, the signals of what is out abort, and what is settled within
   * a second still counts.
   *
   * @returns once nothing of the consumer is left; at once when the outlet had ended by itself
   */
  async leave(): Promise<void> {
    if (this.#finish()) await this.#engine.close('left', { graceMs: 0 });
  }
}
