/** How often each thing happened to the messages of a queue since the broker was opened: no count ever falls. */
export interface Tally {
  pushed: number;
  delivered: number;
  acked: number;
  retried: number;
  /** Leases that ended unsettled. */
  expired: number;
  deadLettered: number;
  /** By retention, a purge, or the last delivery without a dead letter queue. */
  removed: number;
}

export function newTally(): Tally {
  return { pushed: 0, delivered: 0, acked: 0, retried: 0, expired: 0, deadLettered: 0, removed: 0 };
}
