import type { ContentType } from '../../contract/message.ts';
import { decodeBody } from './body-codec.ts';
import type { MessageQueue } from './queue.ts';
import { noToken } from './identities.ts';

/** A message as {@link Broker.inspect} shows it. */
export interface MessageSnapshot {
  /** The same on every delivery. */
  readonly id: string;
  /** How the body is encoded. */
  readonly contentType: ContentType;
  /** The decoded body; `undefined` when it can't be decoded. */
  readonly body: unknown;
  /** `ready`: a pull may give it now. `delayed`: not before `visibleAtMs`. `leased`: somebody holds it until then. */
  readonly state: 'ready' | 'delayed' | 'leased';
  /** Deliveries so far. */
  readonly attempts: number;
  /** When it was pushed, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** From when on it is visible (again), in milliseconds since the epoch. */
  readonly visibleAtMs: number;
}

/** A queue at one moment. */
export interface QueueSnapshot {
  /** The name of the queue. */
  readonly queueName: string;
  /** The id of the queue. */
  readonly queueId: string;
  /** How many messages are in each state, and in all. */
  readonly counts: {
    readonly ready: number;
    readonly delayed: number;
    readonly leased: number;
    readonly total: number;
  };
  /** Every message, in the order of arrival. */
  readonly messages: readonly MessageSnapshot[];
}

/** Copies a queue as it stands at `now`; costs as much as there are messages. */
export function snapshotOf(queue: MessageQueue, now: number): QueueSnapshot {
  const counts = { ready: 0, delayed: 0, leased: 0, total: 0 };
  const messages: MessageSnapshot[] = [];
  for (const { id, body, attempts, timestampMs, dueAt, lease } of queue.messages()) {
    const state = lease === noToken ? (dueAt <= now ? 'ready' : 'delayed') : 'leased';
    counts[state] += 1;
    counts.total += 1;
    const { contentType } = body;
    messages.push({ id, contentType, body: decodeBody(body).body, state, attempts, timestampMs, visibleAtMs: dueAt });
  }
  return { queueName: queue.name, queueId: queue.id, counts, messages };
}
