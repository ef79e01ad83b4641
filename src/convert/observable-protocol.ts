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

/**
 * Gives an object the methods by which libraries recognise an observable: `'@@observable'`, and `Symbol.observable` where
 * something has defined it. RxJS looks for them before it looks for an async iterator.
 */
export function makeObservable<Item>(target: object, open: Opener<Item>): void {
  const observable = toSubscribable(open);
  for (const name of observableNames()) Object.defineProperty(target, name, { value: () => observable });
}

function observableNames(): readonly PropertyKey[] {
  const { observable } = Symbol as { readonly observable?: symbol };
  return observable === undefined ? [fallbackName] : [fallbackName, observable];
}

/**
 * Hands every message that may be out to an observer: as many as get settled in time, since nobody asks.
 *
 * Unsubscribing stops pulling, gives the buffer back, aborts the signals of the messages that are out and sends the
 * settlements that this causes within a second.
 */
export function toSubscribable<Item>(open: Opener<Item>): Subscribable<Item> {
  const observable: Subscribable<Item> = {
    subscribe: (observer) =>
      new OutletSubscription(open, typeof observer === 'function' ? { next: observer } : observer),
  };
  for (const name of observableNames()) Object.defineProperty(observable, name, { value: () => observable });
  return observable;
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
