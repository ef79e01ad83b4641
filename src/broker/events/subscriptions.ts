import type { ForwardClock } from '../time/forward-clock.ts';
import type { Identities } from '../queue/identities.ts';
import type { Recorder } from '../durability/recorder.ts';
import type { Subscription, SubscriptionSource, SubscriptionTerms } from './subscription.ts';

/** What subscriptions share with their broker. */
export interface SubscriptionsContext {
  readonly clock: Pick<ForwardClock, 'now'>;
  readonly identities: Identities;
  readonly recorder?: Recorder | undefined;
}

/** The event subscriptions of a broker. They are kept and shown; nothing happens by itself. */
export class Subscriptions {
  readonly #context: SubscriptionsContext;
  readonly #byId = new Map<string, Subscription>();

  constructor(context: SubscriptionsContext) {
    this.#context = context;
  }

  /** All of them, in the order in which they were made. */
  all(): readonly Subscription[] {
    return [...this.#byId.values()];
  }

  byId(id: string): Subscription | undefined {
    return this.#byId.get(id);
  }

  /** The one of this source: there is one at most. */
  bySource(source: SubscriptionSource): Subscription | undefined {
    return this.all().find((each) => keyOf(each.source) === keyOf(source));
  }

  create(source: SubscriptionSource, terms: SubscriptionTerms): Subscription {
    const createdAt = this.#context.clock.now();
    return this.#keep({ ...terms, source, id: this.#context.identities.id(), createdAt, modifiedAt: createdAt });
  }

  update(subscription: Subscription, changes: Partial<SubscriptionTerms>): Subscription {
    return this.#keep({ ...subscription, ...changes, modifiedAt: this.#context.clock.now() });
  }

  delete({ id }: Subscription): void {
    this.#byId.delete(id);
    this.#context.recorder?.subscriptionDeleted(id);
  }

  /** Deletes those whose queue is gone. */
  deleteOf(queueId: string): void {
    for (const each of this.all()) if (each.queueId === queueId) this.delete(each);
  }

  restore(subscriptions: readonly Subscription[]): void {
    for (const each of subscriptions) this.#byId.set(each.id, each);
  }

  #keep(subscription: Subscription): Subscription {
    this.#byId.set(subscription.id, subscription);
    this.#context.recorder?.subscriptionChanged(subscription);
    return subscription;
  }
}

function keyOf(source: SubscriptionSource): string {
  return JSON.stringify(Object.entries(source).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
