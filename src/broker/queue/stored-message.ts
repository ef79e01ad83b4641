import type { ContentType } from '../../contract/message.ts';
import type { HeapItem } from './heap.ts';
import { noToken } from './identities.ts';

/** A body in the form in which the queue keeps it. The contract's `EncodedBody` is one. */
export interface StoredBody {
  readonly contentType: ContentType;
  /** `text` as it is, `json` as JSON text, `bytes` and `v8` in base64. */
  readonly text: string;
  /** The length of the decoded value, which is what limits and metrics count. */
  readonly bytes: number;
}

/** A message as it can be seen from outside, at one moment. */
export interface MessageView {
  readonly id: string;
  readonly body: StoredBody;
  readonly attempts: number;
  /** When it was pushed, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** The delay with which it was pushed. */
  readonly delaySeconds: number;
}

/** A message that enters a queue. */
export type NewMessage = Omit<MessageView, 'attempts'>;

/** A message of a queue. There may be a million of them, so it holds only numbers and what it was given. */
export class StoredMessage implements HeapItem, MessageView {
  readonly id: string;
  readonly body: StoredBody;
  readonly timestampMs: number;
  readonly delaySeconds: number;
  /** When it entered this queue; later than `timestampMs` in a dead letter queue. */
  readonly arrivedAt: number;
  readonly sequence: number;
  attempts = 0;
  /** When it becomes visible, or, while leased, when the lease ends. */
  dueAt: number;
  heapIndex = -1;
  /** The token of the current lease; `noToken` while nobody holds it. */
  lease: number = noToken;
  /** The tokens of leases that ended unsettled, at most one for each attempt: a late ack names one of them. */
  pastLeases: number[] | undefined = undefined;
  /** The token of its ref; `noToken` until it is peeked. */
  ref: number = noToken;
  older: StoredMessage | undefined = undefined;
  newer: StoredMessage | undefined = undefined;

  constructor(view: NewMessage, arrivedAt: number, visibleAt: number, sequence: number) {
    this.id = view.id;
    this.body = view.body;
    this.timestampMs = view.timestampMs;
    this.delaySeconds = view.delaySeconds;
    this.arrivedAt = arrivedAt;
    this.dueAt = visibleAt;
    this.sequence = sequence;
  }
}

/** Copies what can be seen of a message from outside. */
export function viewOf({ id, body, attempts, timestampMs, delaySeconds }: MessageView): MessageView {
  return { id, body, attempts, timestampMs, delaySeconds };
}
