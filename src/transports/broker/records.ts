import type { SavedIdentities } from './identities.ts';
import { queueIdOf } from './identities.ts';
import type { KeyValueStore } from './key-value-store.ts';
import type { MessageQueue } from './queue.ts';
import type { SavedBroker, SavedQueue } from './saved.ts';
import { StoredMessage } from './stored-message.ts';

// The entries of a durable broker. A message has two: what never changes, and what every delivery does.
//   format                                 the number of this format
//   identities                             what ids are made from
//   queue/<queue id>                       a queue, without its messages
//   message/<queue id>/<sequence>/body     id, content type, body, times
//   message/<queue id>/<sequence>/state    attempts, when it is due, leases, ref

const formatKey = 'format';
const format = '1';

export const identitiesKey = 'identities';

export function queueKey(queueId: string): string {
  return `queue/${queueId}`;
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

export function queueRecord(queue: MessageQueue): string {
  return JSON.stringify(queue.save());
}

export function bodyRecord({ id, body, timestampMs, delaySeconds, arrivedAt }: StoredMessage): string {
  return JSON.stringify([id, timestampMs, delaySeconds, arrivedAt, body.contentType, body.bytes, body.text]);
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
  const messages = new Map<string, StoredMessage[]>();
  let bodyOfNext: readonly [key: string, record: string] | undefined;
  let found: string | undefined;
  for await (const [key, value] of store.entries()) {
    if (key === formatKey) found = value;
    else if (key === identitiesKey) identities = JSON.parse(value) as SavedIdentities;
    else if (key.startsWith('queue/')) queues.push(JSON.parse(value) as SavedQueue);
    else if (key.endsWith('/body')) bodyOfNext = [key, value];
    else if (key.endsWith('/state') && bodyOfNext?.[0] === key.replace(/state$/, 'body')) {
      const [, queueId = '', sequence = ''] = key.split('/');
      const list = messages.get(queueId) ?? [];
      messages.set(queueId, list);
      list.push(messageOf(bodyOfNext[1], value, Number.parseInt(sequence, 16)));
    }
  }
  if (found !== undefined && found !== format) {
    throw new Error(`Cannot read the queues: they are kept in format ${found}, and this version reads ${format}`);
  }
  if (found === undefined) await store.write([[formatKey, format]]);
  const oldestFirst = queues.toSorted((a, b) => a.createdAt - b.createdAt);
  return {
    identities,
    queues: oldestFirst.map((queue) => ({ queue, messages: messages.get(queueIdOf(queue.name)) ?? [] })),
  };
}

type BodyRecord = readonly [string, number, number, number, StoredMessage['body']['contentType'], number, string];

function messageOf(body: string, state: string, sequence: number): StoredMessage {
  const [id, timestampMs, delaySeconds, arrivedAt, contentType, bytes, text] = JSON.parse(body) as BodyRecord;
  const [attempts = 0, dueAt = 0, lease = 0, ref = 0, ...pastLeases] = JSON.parse(state) as readonly number[];
  const view = { id, body: { contentType, text, bytes }, timestampMs, delaySeconds };
  const message = new StoredMessage(view, arrivedAt, dueAt, sequence);
  message.attempts = attempts;
  message.lease = lease;
  message.ref = ref;
  if (pastLeases.length > 0) message.pastLeases = pastLeases;
  return message;
}
