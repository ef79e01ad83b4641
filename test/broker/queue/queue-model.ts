/** A message of the model: everything about it in plain sight. */
export interface ModelMessage {
  readonly id: string;
  readonly pushedAt: number;
  readonly sequence: number;
  place: 'waiting' | 'leased' | 'dead' | 'acked' | 'removed';
  attempts: number;
  /** When it is visible, or its lease ends. */
  dueAt: number;
  lease: string | undefined;
  readonly pastLeases: Set<string>;
}

export interface ModelRules {
  readonly maxRetries: number;
  readonly retentionMs: number;
  readonly deadLetters: boolean;
  readonly lateRetry: 'ignore' | 'honour';
  readonly retryDelayMs: number;
  readonly expiredLeases: 'retry-delay' | 'at-once';
}

/** The rules of a queue once more, as naive as can be: an array that is searched and sorted for everything. */
export class QueueModel {
  readonly messages: ModelMessage[] = [];
  readonly #rules: ModelRules;

  constructor(rules: ModelRules) {
    this.#rules = rules;
  }

  /** Lets leases and retention end, one at a time, the earliest first. */
  elapse(now: number): void {
    for (;;) {
      const ends = this.messages
        .flatMap((message) => this.#endsOf(message))
        .filter(({ at }) => at <= now)
        .toSorted((a, b) => a.at - b.at || a.order - b.order);
      const [first] = ends;
      if (first === undefined) return;
      const { expiredLeases, retryDelayMs } = this.#rules;
      const delayMs = expiredLeases === 'retry-delay' ? retryDelayMs : 0;
      if (first.order === 0) this.#endDelivery(first.message, first.at + delayMs);
      else first.message.place = 'removed';
    }
  }

  push(id: string, now: number, delayMs: number): void {
    const sequence = this.messages.length;
    const message = { id, pushedAt: now, sequence, attempts: 0, dueAt: now + delayMs, lease: undefined };
    this.messages.push({ ...message, place: 'waiting', pastLeases: new Set() });
  }

  /** The messages that a pull gives, in its order. */
  visible(now: number, count: number): ModelMessage[] {
    return this.messages
      .filter((message) => message.place === 'waiting' && message.dueAt <= now)
      .toSorted((a, b) => a.dueAt - b.dueAt || a.sequence - b.sequence)
      .slice(0, count);
  }

  lease(message: ModelMessage, leaseId: string, deadline: number): void {
    message.place = 'leased';
    message.attempts += 1;
    message.lease = leaseId;
    message.dueAt = deadline;
  }

  /** Whether it is counted. */
  ack(leaseId: string): boolean {
    const message = this.#find(leaseId);
    if (message !== undefined) message.place = 'acked';
    return message !== undefined;
  }

  /** Whether it is counted. */
  retry(leaseId: string, now: number, delayMs: number): boolean {
    const message = this.#find(leaseId);
    if (message === undefined) return false;
    if (message.lease !== leaseId && this.#rules.lateRetry === 'ignore') return false;
    this.#endDelivery(message, now + delayMs);
    message.pastLeases.delete(leaseId);
    return true;
  }

  #endsOf(message: ModelMessage): { at: number; order: number; message: ModelMessage }[] {
    const retention = { at: message.pushedAt + this.#rules.retentionMs, order: 1, message };
    if (message.place === 'leased') return [{ at: message.dueAt, order: 0, message }, retention];
    return message.place === 'waiting' ? [retention] : [];
  }

  #endDelivery(message: ModelMessage, visibleAt: number): void {
    if (message.attempts === this.#rules.maxRetries + 1) {
      message.place = this.#rules.deadLetters ? 'dead' : 'removed';
      return;
    }
    if (message.lease !== undefined) message.pastLeases.add(message.lease);
    message.lease = undefined;
    message.place = 'waiting';
    message.dueAt = visibleAt;
  }

  #find(leaseId: string): ModelMessage | undefined {
    return this.messages.find(
      ({ place, lease, pastLeases }) =>
        (place === 'leased' && lease === leaseId) ||
        ((place === 'leased' || place === 'waiting') && pastLeases.has(leaseId)),
    );
  }
}
