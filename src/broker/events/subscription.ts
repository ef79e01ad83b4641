/** Who tells of the events of a subscription, as the API names its fields. */
export interface SubscriptionSource {
  readonly type: string;
  readonly [field: string]: string;
}

/** What can be changed of a subscription. */
export interface SubscriptionTerms {
  readonly name: string;
  readonly enabled: boolean;
  /** Types of events, such as `bucket.created`. */
  readonly events: readonly string[];
  /** Where events go. */
  readonly queueId: string;
}

/** The wish to have events of a product in a queue. */
export interface Subscription extends SubscriptionTerms {
  /** 32 hex characters. */
  readonly id: string;
  readonly source: SubscriptionSource;
  /** In milliseconds since the epoch, as the next. */
  readonly createdAt: number;
  readonly modifiedAt: number;
}
