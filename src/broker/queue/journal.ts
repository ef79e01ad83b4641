/** What every entry of the journal tells. */
export interface JournalEntryBase {
  /** The name of the queue. */
  readonly queue: string;
  /**
   * When it happened, in milliseconds since the epoch. What time alone brings about (`expired`, and what follows from
   * it) is recorded with the first call that could notice, under the time at which it happened.
   */
  readonly at: number;
  /** The id of the message. */
  readonly messageId: string;
}

/**
 * One thing that happened to a message. The entries of a queue, in the order in which they come, are its whole
 * history: replaying them gives the place and the attempts of every message.
 */
export type JournalEntry =
  /** Entered the queue by a push. (Entering a dead letter queue is `deadLettered`, under the name it came from.) */
  | (JournalEntryBase & { readonly type: 'pushed' })
  /** Leased until `deadline`. */
  | (JournalEntryBase & {
      readonly type: 'delivered';
      readonly leaseId: string;
      readonly attempts: number;
      readonly deadline: number;
    })
  /** Acknowledged and gone; `late` when that lease had ended before. */
  | (JournalEntryBase & { readonly type: 'acked'; readonly leaseId: string; readonly late: boolean })
  /** Given back. Either visible again after the delay, or, after its last delivery, `deadLettered` or `removed` next. */
  | (JournalEntryBase & {
      readonly type: 'retried';
      readonly leaseId: string;
      readonly delaySeconds: number;
      readonly late: boolean;
    })
  /** The lease ended unsettled, at its deadline. Visible again after the delay, or `deadLettered` or `removed` next. */
  | (JournalEntryBase & { readonly type: 'expired'; readonly leaseId: string; readonly delaySeconds: number })
  /** Moved after its last delivery; it starts there with no attempts, and keeps its id unless it is given a new one. */
  | (JournalEntryBase & {
      readonly type: 'deadLettered';
      readonly deadLetterQueue: string;
      readonly newMessageId?: string;
    })
  | (JournalEntryBase & { readonly type: 'removed'; readonly reason: 'attempts' | 'retention' | 'purge' });

/** Takes each entry as it is recorded. Runs inside the call that caused it, so it must not call the broker. */
export type JournalListener = (entry: JournalEntry) => void;
