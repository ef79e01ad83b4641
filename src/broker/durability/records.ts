import type { SavedIdentities } from '../queue/identities.ts';
import { noToken } from '../queue/identities.ts';
import type { KeyValueStore } from './key-value-store.ts';
import type { RecordedQueue } from './recorder.ts';
import type { SavedBroker, SavedQueue } from './saved.ts';
import { StoredMessage } from '../queue/stored-message.ts';
import type { Subscription } from '../events/subscription.ts';

// The entries of a durable broker. A message has two: what never changes, and, once it was delivered or peeked, what
// every delivery changes.
//   format                                 the number of this format
//   identities                             what ids are made from
//   queue/<queue id>                       a queue, without its messages
//   subscription/<id>                      an event subscription
//   message/<queue id>/<sequence>/body     id, content type, body, times, when it is first due
//   message/<queue id>/<sequence>/state    attempts, when it is due, leases, ref

const formatKey = 'format';
const format = '2';
// Format 1 had no id in a queue: it is in the key, as ever. Its versions made it from the name, and so must not read this.
const readable: ReadonlySet<string> = new Set(['1', format]);

export const identitiesKey = 'identities';

export function queueKey(queueId: string): string {
  return `queue/${queueId}`;
}

export function subscriptionKey(id: string): string {
  return `subscription/${id}`;
}

export function bodyKey(queueId: string, sequence: number): string {
  return `${messageKey(queueId, sequence)}/body`;
}

export function stateKey(queueId: string, sequence: number): string {
  return `${messageKey(queueId, sequence)}/state`;
}

// Of equal length, so that the order of the keys is that of arrival.
function messageKey(queueId: string, sequence: number): string {
  return `message/${queueId}/${sequence.toString(16).padStart(14, '0')}`;
}

export function queueRecord(queue: RecordedQueue): string {
  return JSON.stringify(queue.save());
}

export function bodyRecord({ id, body, timestampMs, delaySeconds, arrivedAt, dueAt }: StoredMessage): string {
  return JSON.stringify([id, timestampMs, delaySeconds, arrivedAt, dueAt, body.contentType, body.bytes, body.text]);
}

/** Whether a message has become anything else than what its body record says. */
export function hasState({ attempts, ref }: StoredMessage): boolean {
  return attempts > 0 || ref !== noToken;
}

export function stateRecord({ attempts, dueAt, lease, ref, pastLeases }: StoredMessage): string {
  return JSON.stringify([attempts, dueAt, lease, ref, ...(pastLeases ?? [])]);
}

/**
 * Reads everything that a broker held.
 *
 * @throws Error when the store is of another format
 */
export async function readBroker(store: KeyValueStore): Promise<SavedBroker> {
  let identities: SavedIdentities | undefined;
  const queues: SavedQueue[] = [];
  const subscriptions: Subscription[] = [];
  const messages = new Map<string, StoredMessage[]>();
  let found: string | undefined;
  for await (const [key, value] of store.entries()) {
    if (key === formatKey) found = value;
    else if (key === identitiesKey) identities = JSON.parse(value) as SavedIdentities;
    else if (key.startsWith('queue/')) queues.push(readQueue(key, value));
    else if (key.startsWith('subscription/')) subscriptions.push(JSON.parse(value) as Subscription);
    else if (key.startsWith('message/')) readMessage(key, value, messages);
  }
  if (found !== undefined && !readable.has(found)) {
    throw new Error(`Cannot read the queues: they are kept in format ${found}, and this version reads ${format}`);
  }
  if (found !== format) await store.write([[formatKey, format]]);
  const oldestFirst = queues.toSorted((a, b) => a.createdAt - b.createdAt || (a.serial ?? 0) - (b.serial ?? 0));
  return {
    identities,
    subscriptions: subscriptions.toSorted((a, b) => a.createdAt - b.createdAt),
    queues: oldestFirst.map((queue) => ({ queue, messages: messages.get(queue.id) ?? [] })),
  };
}

function readQueue(key: string, record: string): SavedQueue {
  return { ...(JSON.parse(record) as SavedQueue), id: key.slice(queueKey('').length) };
}

/** The body of a message comes before its state. */
function readMessage(key: string, record: string, messages: Map<string, StoredMessage[]>): void {
  const [, queueId = '', sequence = '', kind] = key.split('/');
  const list = messages.get(queueId) ?? [];
  messages.set(queueId, list);
  const number = Number.parseInt(sequence, 16);
  if (kind === 'body') list.push(messageOf(record, number));
  const last = list.at(-1);
  if (kind === 'state' && last?.sequence === number) restoreState(last, record);
}

type ContentType = StoredMessage['body']['contentType'];
type BodyRecord = readonly [string, number, number, number, number, ContentType, number, string];

function messageOf(record: string, sequence: number): StoredMessage {
  const [id, timestampMs, delaySeconds, arrivedAt, dueAt, contentType, bytes, text] = JSON.parse(record) as BodyRecord;
  const view = { id, body: { contentType, text, bytes }, timestampMs, delaySeconds };
  return new StoredMessage(view, arrivedAt, dueAt, sequence);
}

function restoreState(message: StoredMessage, record: string): void {
  const [attempts = 0, dueAt = 0, lease = 0, ref = 0, ...pastLeases] = JSON.parse(record) as readonly number[];
  message.attempts = attempts;
  message.dueAt = dueAt;
  message.lease = lease;
  message.ref = ref;
  if (pastLeases.length > 0) message.pastLeases = pastLeases;
}
