import type { Timer } from '../contract/clock.ts';
import { QueueError } from '../contract/errors.ts';
import { HomeContext } from '../contract/home-context.ts';
import { maxUnconfirmed } from '../producer/sink.ts';
import type { WrittenItem } from '../producer/written-item.ts';
import { endWith, type OpenSink } from './queue-sink.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what is written to a web stream, as a Node stream does by itself: while other items are pushed, or for a short
 * while.
 *
 * An item is `taken` when it is written, `added` when the stream hands it on, then pushed.
 */
export class Gathering {
  readonly #open: OpenSink;
  readonly #taken: WrittenItem[] = [];
  readonly #added: WrittenItem[] = [];
  /** Taken last; the stream may have handed it on at once. */
  #last: WrittenItem | undefined;
  readonly #waiters = new Map<WrittenItem, Waiter>();
  readonly #home = new HomeContext();
  #linger: Timer | undefined;
  #underWay: Promise<void> | undefined;
  #left: { readonly error: unknown; readonly done: Promise<void> } | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Is told of the failure that ends the stream. */
  onFailure: (error: unknown) => void = () => undefined;

  constructor(open: OpenSink) {
    this.#open = open;
    endWith(this, open);
  }

  take(item: unknown): void {
    const taken = this.#open.sink.take(item);
    this.#last = this.#left === undefined ? taken : undefined;
    // What the stream refuses by now a pipe gives it nevertheless, and tells nobody.
    if (this.#left === undefined) this.#taken.push(taken);
    else this.#open.sink.fail(taken, this.#left.error);
  }

  /**
   * Resolves once what was written last, in this very turn, is confirmed.
   *
   * @param accepted - rejects when the stream refuses it
   */
  async confirmedLast(chunk: unknown, accepted: Promise<unknown>): Promise<void> {
    const item = this.#last;
    // A stream may refuse a write before it is taken: that must not be confused with the one before.
    this.#last = undefined;
    // And its messages are claimed in this very turn all the same: a handler that does not wait may end in the next.
    const refused = item ?? this.#open.sink.take(chunk);
    accepted.catch((error: unknown) => this.#refuse(refused, error));
    if (item !== undefined) await new Promise<void>((resolve, reject) => this.#waiters.set(item, { resolve, reject }));
  }

  /** What the stream never hands on fails at once, unless it was handed on before. */
  #refuse(item: WrittenItem, error: unknown): void {
    const place = this.#taken.indexOf(item);
    if (place >= 0) this.#taken.splice(place, 1);
    if (!this.#added.includes(item)) this.#fail(item, error);
  }

  #fail(item: WrittenItem, error: unknown): void {
    this.#open.sink.fail(item, error);
    this.#conclude(item, (waiter) => waiter.reject(error));
  }

  /** Accepts the item that was taken first; resolves when there is room for another one. */
  async add(): Promise<void> {
    this.#added.push(...this.#taken.splice(0, 1));
    if (this.#added.length >= maxUnconfirmed) this.#flush();
    else this.#hold();
    await this.#underWay;
  }

  #hold(): void {
    this.#linger ??= this.#open.clock.setTimer(() => this.#flush(), this.#open.lingerMs);
  }

  #flush(): void {
    this.#linger?.cancel();
    this.#linger = undefined;
    if (this.#underWay === undefined && this.#added.length > 0) this.#underWay = this.#push(this.#added.splice(0));
  }

  async #push(items: readonly WrittenItem[]): Promise<void> {
    try {
      await this.#open.sink.push(items);
      for (const item of items) this.#conclude(item, (waiter) => waiter.resolve());
    } catch (error) {
      for (const item of items) this.#conclude(item, (waiter) => waiter.reject(error));
      this.#failure = { error };
      this.onFailure(error);
      void this.leave(error);
    }
    this.#underWay = undefined;
    // What was added meanwhile may be of others: not in the context of these.
    if (this.#added.length > 0) this.#home.run(() => this.#hold());
  }

  #conclude(item: WrittenItem, tell: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.get(item);
    this.#waiters.delete(item);
    if (waiter !== undefined) tell(waiter);
  }

  /** Resolves once all that was added is confirmed, and it is known what became of the forwarded messages. */
  async close(): Promise<void> {
    while (this.#added.length > 0 || this.#underWay !== undefined) {
      this.#flush();
      await this.#underWay;
    }
    // The stream would take a failure during its close for too late.
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#open.sink.settled();
    await this.leave(new QueueError('The stream was closed', { code: 'closed' }));
  }

  /** Gives up what is not being pushed. Resolves when nothing is under way. */
  leave(error: unknown): Promise<void> {
    this.#linger?.cancel();
    for (const item of [...this.#added.splice(0), ...this.#taken.splice(0)]) this.#fail(item, error);
    this.#left ??= { error, done: this.#open.sink.leave() };
    return this.#left.done;
  }
}
