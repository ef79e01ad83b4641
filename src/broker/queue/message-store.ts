import { ArrivalList } from './arrival-list.ts';
import { Heap } from './heap.ts';
import { noToken } from './identities.ts';
import { type NewMessage, StoredMessage } from './stored-message.ts';

/** Is told what became of a message. */
export type StoreListener = (message: StoredMessage, change: 'added' | 'changed' | 'removed') => void;

/**
 * Where the messages of a queue are kept, in memory. Knows no rule and no time; each message is in exactly one of two
 * places, waiting or leased, and each step costs O(log n) at most.
 */
export class MessageStore {
  /** Visible ones and delayed ones, by the time from which they are visible. */
  #waiting = new Heap<StoredMessage>();
  /** Leased ones, by the end of their lease. */
  #leased = new Heap<StoredMessage>();
  #arrivals = new ArrivalList();
  /** Leases that may still be settled: current ones, and those that ended unsettled. */
  #byLease = new Map<number, StoredMessage>();
  #byRef = new Map<number, StoredMessage>();
  readonly #onChange: StoreListener | undefined;
  #bytes = 0;
  #sequence = 0;

  constructor(onChange?: StoreListener) {
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#waiting.size + this.#leased.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The message that is here longest. */
  get oldest(): StoredMessage | undefined {
    return this.#arrivals.oldest;
  }

  /** The waiting message that is visible first. */
  get nextVisible(): StoredMessage | undefined {
    return this.#waiting.peek();
  }

  /** The leased message whose lease ends first. */
  get nextExpiring(): StoredMessage | undefined {
    return this.#leased.peek();
  }

  get leasedCount(): number {
    return this.#leased.size;
  }

  /** All messages, in the order of their arrival. */
  all(): Iterable<StoredMessage> {
    return this.#arrivals;
  }

  /** Waiting messages, in the order in which they are visible. */
  waiting(): Iterable<StoredMessage> {
    return this.#waiting.inOrder();
  }

  withLease(token: number): StoredMessage | undefined {
    return this.#byLease.get(token);
  }

  withRef(token: number): StoredMessage | undefined {
    return this.#byRef.get(token);
  }

  add(view: NewMessage, arrivedAt: number, visibleAt: number): void {
    this.#sequence += 1;
    const message = new StoredMessage(view, arrivedAt, visibleAt, this.#sequence);
    this.#waiting.add(message);
    this.#arrivals.add(message);
    this.#bytes += message.body.bytes;
    this.#onChange?.(message, 'added');
  }

  /** Puts back a message that was here before, with its leases and its ref. They come in the order of their arrival. */
  restore(message: StoredMessage): void {
    this.#sequence = message.sequence;
    (message.lease === noToken ? this.#waiting : this.#leased).add(message);
    this.#arrivals.add(message);
    this.#bytes += message.body.bytes;
    if (message.ref !== noToken) this.#byRef.set(message.ref, message);
    if (message.lease !== noToken) this.#byLease.set(message.lease, message);
    for (const token of message.pastLeases ?? []) this.#byLease.set(token, message);
  }

  /** Leases a waiting message and counts the attempt. */
  lease(message: StoredMessage, token: number, deadline: number): void {
    this.#waiting.remove(message);
    message.dueAt = deadline;
    message.lease = token;
    message.attempts += 1;
    this.#leased.add(message);
    this.#byLease.set(token, message);
    this.#onChange?.(message, 'changed');
  }

  /** Makes a message wait until `visibleAt`; a lease it was under becomes a past one. */
  release(message: StoredMessage, visibleAt: number): void {
    this.#takeOut(message);
    if (message.lease !== noToken) {
      message.pastLeases ??= [];
      message.pastLeases.push(message.lease);
      message.lease = noToken;
    }
    message.dueAt = visibleAt;
    this.#waiting.add(message);
    this.#onChange?.(message, 'changed');
  }

  /** Forgets a past lease: nothing can be settled by it any more. */
  forgetLease(message: StoredMessage, token: number): void {
    this.#byLease.delete(token);
    const index = message.pastLeases?.indexOf(token) ?? -1;
    if (index < 0) return;
    message.pastLeases?.splice(index, 1);
    this.#onChange?.(message, 'changed');
  }

  nameByRef(message: StoredMessage, token: number): void {
    message.ref = token;
    this.#byRef.set(token, message);
    this.#onChange?.(message, 'changed');
  }

  remove(message: StoredMessage): void {
    this.#takeOut(message);
    this.#arrivals.remove(message);
    this.#bytes -= message.body.bytes;
    if (message.ref !== noToken) this.#byRef.delete(message.ref);
    if (message.lease !== noToken) this.#byLease.delete(message.lease);
    for (const token of message.pastLeases ?? []) this.#byLease.delete(token);
    this.#onChange?.(message, 'removed');
  }

  /** Removes every message. @returns them, in the order of their arrival */
  clear(): Iterable<StoredMessage> {
    const removed = this.#arrivals;
    this.#waiting = new Heap();
    this.#leased = new Heap();
    this.#arrivals = new ArrivalList();
    this.#byLease = new Map();
    this.#byRef = new Map();
    this.#bytes = 0;
    for (const message of removed) this.#onChange?.(message, 'removed');
    return removed;
  }

  #takeOut(message: StoredMessage): void {
    (message.lease === noToken ? this.#waiting : this.#leased).remove(message);
  }
}
