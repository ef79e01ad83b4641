import { noToken } from './identities.ts';
import type { MessageQueue } from './queue.ts';
import type { StoredMessage } from './stored-message.ts';

/** A queue as the page of `serve` shows it. */
export interface QueueView {
  readonly id: string;
  readonly name: string;
  readonly deadLetterQueue: string | undefined;
  readonly maxRetries: number;
  readonly deliveryPaused: boolean;
  readonly httpPull: boolean;
  readonly counts: Readonly<Record<'ready' | 'delayed' | 'leased' | 'total', number>>;
  readonly messages: readonly MessageRow[];
}

interface MessageRow {
  readonly id: string;
  readonly state: 'ready' | 'delayed' | 'leased';
  /** As on the wire, and cut. */
  readonly body: string;
  readonly attempts: number;
  readonly timestampMs: number;
  readonly visibleAtMs: number;
  /** Of a leased message. */
  readonly leaseId?: string;
}

const bodyCharacters = 300;

/** @param options - `count`: how many messages to show, the oldest ones; all are counted */
export function viewQueue(queue: MessageQueue, { now, count }: { now: number; count: number }): QueueView {
  const counts = { ready: 0, delayed: 0, leased: 0, total: 0 };
  const messages: MessageRow[] = [];
  for (const message of queue.messages()) {
    const state = message.lease === noToken ? (message.dueAt <= now ? 'ready' : 'delayed') : 'leased';
    counts[state] += 1;
    counts.total += 1;
    if (messages.length < count) messages.push(rowOf(queue, message, state));
  }
  const { deadLetterQueue, maxRetries, deliveryPaused, httpPull } = queue.settings;
  const { id, name } = queue;
  return { id, name, deadLetterQueue, maxRetries, deliveryPaused, httpPull, counts, messages };
}

function rowOf(queue: MessageQueue, message: Readonly<StoredMessage>, state: MessageRow['state']): MessageRow {
  const { id, body, attempts, timestampMs, dueAt } = message;
  const text = body.text.length > bodyCharacters ? `${body.text.slice(0, bodyCharacters)}…` : body.text;
  const row = { id, state, body: text, attempts, timestampMs, visibleAtMs: dueAt };
  return state === 'leased' ? { ...row, leaseId: queue.leaseIdOf(message) } : row;
}
