import { insertByDeadline, insertInOrder } from './in-order.ts';
import { bySuspicion } from './isolation.ts';
import type { Lease, LeaseBatch } from './lease.ts';
import { marginMs } from './margin.ts';

/** Takes a message that leaves the buffer. */
type Leave = (lease: Lease) => void;

/**
 * The messages that wait to be started: by deadline, those on their last attempt before all others, suspects after them.
 *
 * Batches stand in order of their deadlines, so that looking for what ends next never walks the messages.
 */
export class LeaseBuffer {
  readonly #maxRetries: number;
  /** Batches that may still have messages to start or trim, by deadline. */
  readonly #startable: LeaseBatch[] = [];
  /** The longest lease seen, in milliseconds: no margin is more than a quarter of it. */
  #longestMs = 0;
  /** Those on their last attempt that are no suspects, by deadline. */
  readonly urgent: Lease[] = [];
  /** Those that may have ended a process, as they are to be started. */
  readonly suspects: Lease[] = [];

  /** @param maxRetries - a message with more attempts is on its last */
  constructor(maxRetries: number) {
    this.#maxRetries = maxRetries;
  }

  isLastAttempt({ attempts }: Pick<Lease, 'attempts'>): boolean {
    return attempts > this.#maxRetries;
  }

  /** Adds what an answer brought. */
  addBatch(batch: LeaseBatch): void {
    this.#longestMs = Math.max(this.#longestMs, batch.timeoutMs);
    insertByDeadline(this.#startable, batch);
  }

  /** Puts a message of a batch in front, or aside, where its turn does not come by its deadline and batch. */
  line(lease: Lease): void {
    if (lease.isSuspect) insertInOrder(this.suspects, lease, bySuspicion);
    else if (this.isLastAttempt(lease)) insertByDeadline(this.urgent, lease);
  }

  /** Takes in a message whose batch may have been gone through. */
  rejoin(lease: Lease): void {
    const { batch } = lease;
    if (this.isLastAttempt(lease)) {
      insertByDeadline(this.urgent, lease);
      return;
    }
    batch.cursor = Math.min(batch.cursor, batch.leases.indexOf(lease));
    if (!this.#startable.includes(batch)) insertByDeadline(this.#startable, batch);
  }

  /** Undoes {@link line}: one that stands in its batch alone leaves that by its phase. */
  unline(lease: Lease): void {
    if (lease.isSuspect) this.suspects.splice(this.suspects.indexOf(lease), 1);
    else if (this.isLastAttempt(lease)) this.urgent.splice(this.urgent.indexOf(lease), 1);
  }

  /** Suspects are started in their turn, as all others. */
  mingle(): void {
    for (const lease of this.suspects.splice(0)) {
      lease.isSuspect = false;
      this.rejoin(lease);
    }
  }

  /** The next message to start, which has to leave its phase. */
  next(): Lease | undefined {
    return this.urgent.shift() ?? this.#nextByDeadline() ?? this.suspects.shift();
  }

  /** The first message of the batches, left where it is; forgets what stands before it. */
  #nextByDeadline(): Lease | undefined {
    for (let batch = this.#startable[0]; batch !== undefined; batch = this.#startable[0]) {
      for (; batch.cursor < batch.leases.length; batch.cursor += 1) {
        const lease: Lease | undefined = batch.leases[batch.cursor];
        if (lease !== undefined && stands(lease, batch)) return lease;
      }
      this.#startable.shift();
    }
    return undefined;
  }

  /** The batch of the message whose lease ends first. */
  firstBatch(): LeaseBatch | undefined {
    // What is urgent may stand in no batch any more: those of its batch that were not are given back before it.
    const urgent = this.urgent[0]?.batch;
    const batch = (this.#nextByDeadline() ?? this.suspects[0])?.batch;
    return urgent === undefined || (batch !== undefined && batch.deadline < urgent.deadline) ? batch : urgent;
  }

  /** Whether a time is so near that what ends then may have to leave. */
  isNear(deadline: number, now: number): boolean {
    return deadline - now < this.#longestMs / 4;
  }

  /** Whether anything is near its end. */
  mayTrim(now: number): boolean {
    const [first] = this.#startable;
    return (first !== undefined && this.isNear(first.deadline, now)) || this.urgent.length + this.suspects.length > 0;
  }

  /** Takes out what has too little time left to be started; a last attempt may use all of its lease. */
  trim(now: number, isDue: (batch: LeaseBatch) => boolean, leave: Leave): void {
    for (const lease of this.suspects.filter(({ batch }) => isDue(batch))) {
      this.unline(lease);
      lease.isSuspect = false;
      // On its last attempt it had better be started beside others than not at all.
      if (this.isLastAttempt(lease)) this.line(lease);
      else leave(lease);
    }
    for (let first = this.urgent[0]; first !== undefined && first.deadline <= now; first = this.urgent[0]) {
      this.urgent.shift();
      leave(first);
    }
    // A longer lease has a wider margin, so that one that ends later may be due earlier.
    for (let index = 0; index < this.#startable.length;) {
      const batch = this.#startable[index];
      if (batch === undefined || !this.isNear(batch.deadline, now)) break;
      if (isDue(batch)) this.#takeBatch(index, leave);
      else index += 1;
    }
  }

  #takeBatch(index: number, leave: Leave): void {
    const [batch] = this.#startable.splice(index, 1);
    for (const lease of batch?.leases ?? []) {
      if (batch !== undefined && stands(lease, batch) && !this.isLastAttempt(lease)) leave(lease);
    }
  }

  /** Takes out all but the last attempts. */
  shed(leave: Leave): void {
    while (this.#startable.length > 0) this.#takeBatch(0, leave);
    for (const lease of this.suspects.filter((each) => !this.isLastAttempt(each))) {
      this.unline(lease);
      leave(lease);
    }
  }

  /** Takes out everything. */
  drain(leave: Leave): void {
    for (const lease of [...this.urgent.splice(0), ...this.suspects.splice(0)]) leave(lease);
    for (const batch of this.#startable.splice(0)) {
      for (const lease of batch.leases) if (stands(lease, batch)) leave(lease);
    }
  }

  /** When {@link trim} has something to do next; `Infinity` when nothing is there. */
  nextTrimAt(roundTripMs: number): number {
    let next = this.urgent[0]?.deadline ?? Infinity;
    for (const batch of this.#startable) {
      if (batch.deadline - this.#longestMs / 4 > next) break;
      next = Math.min(next, trimAt(batch, roundTripMs));
    }
    for (const { batch } of this.suspects) next = Math.min(next, trimAt(batch, roundTripMs));
    return next;
  }
}

/** When what stands in a batch is to leave: a millisecond later, because at the margin itself it may still be started. */
export function trimAt(batch: LeaseBatch, roundTripMs: number): number {
  return batch.deadline - marginMs(batch.timeoutMs, roundTripMs) + 1;
}

/** Whether a message waits in this batch for its turn. A swapped one stands in its older batch as well. */
function stands(lease: Lease, batch: LeaseBatch): boolean {
  return lease.phase === 'buffered' && lease.batch === batch && !lease.isSuspect;
}
