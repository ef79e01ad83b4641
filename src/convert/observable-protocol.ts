import type { Opener } from './message-source.ts';
import type { Outlet } from './outlet.ts';

/** Who subscribes: RxJS's subscribers and others of this form. */
export interface Observer<Item> {
  readonly next?: (item: Item) => void;
  readonly error?: (error: unknown) => void;
  readonly complete?: () => void;
}

/** What a subscriber gets. */
export interface Subscription {
  readonly closed: boolean;
  unsubscribe(): void;
}

/** The least form of an observable that libraries agree on. */
export interface Subscribable<Item> {
  subscribe(observer: Observer<Item> | ((item: Item) => void)): Subscription;
}

/** The property by which RxJS and others recognise an observable where there is no `Symbol.observable`. */
const fallbackName = '@@observable';

/** Whether it is what somebody has defined as `Symbol.observable` by now. */
function isDefinedName(name: PropertyKey): boolean {
  return name !== fallbackName && name === (Symbol as { readonly observable?: PropertyKey }).observable;
}

/**
 * The end of the prototypes of what is observable. It answers to what `Symbol.observable` is when somebody asks: a
 * polyfill may define that at any time, and RxJS, which then asks for nothing else, would read an async iterator instead.
 */
const lateSymbol = new Proxy<object>(Object.prototype, {
  get: (target, name, receiver): unknown =>
    isDefinedName(name) ? Reflect.get(receiver, fallbackName) : Reflect.get(target, name, receiver),
  has: (target, name) => isDefinedName(name) || name in target,
});

/**
 * What has the methods by which libraries recognise an observable, `'@@observable'` and `Symbol.observable`. RxJS looks
 * for them before it looks for an async iterator.
 */
export abstract class Observed<Item> {
  static {
    Object.setPrototypeOf(this.prototype, lateSymbol);
  }

  abstract '@@observable'(): Subscribable<Item>;
}

/**
 * Hands every message that may be out to an observer: as many as get settled in time, since nobody asks.
 *
 * Unsubscribing stops pulling, gives the buffer back, aborts the signals of the messages that are out and sends the
 * settlements that this causes within a second.
 */
export class OutletObservable<Item> extends Observed<Item> implements Subscribable<Item> {
  readonly #open: Opener<Item>;

  constructor(open: Opener<Item>) {
    super();
    this.#open = open;
  }

  '@@observable'(): this {
    return this;
  }

  subscribe(observer: Observer<Item> | ((item: Item) => void)): Subscription {
    return new OutletSubscription(this.#open, typeof observer === 'function' ? { next: observer } : observer);
  }
}

class OutletSubscription<Item> implements Subscription {
  readonly #outlet: Outlet<Item>;
  closed = false;

  constructor(open: Opener<Item>, observer: Observer<Item>) {
    this.#outlet = open({
      next: (item) => guard(() => observer.next?.(item)),
      end: () => {
        this.closed = true;
        guard(() => observer.complete?.());
      },
      fail: (error) => {
        this.closed = true;
        guard(() => {
          if (observer.error === undefined) throw error;
          observer.error(error);
        });
      },
    });
    this.#outlet.want(Infinity);
  }

  unsubscribe(): void {
    this.closed = true;
    void this.#outlet.leave();
  }
}

/** An observer's failure is its own: it must not end the turn that called it, nor pass unseen. */
function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
