import type { HandSettle, Start } from './handler-log.ts';
import type { CallRecord } from './network.ts';
import type { ClientRun } from './client.ts';
import type { LedgerEntry, Run } from './world.ts';

/** One delivery, by the broker's account. */
export interface Delivery {
  readonly messageId: string;
  readonly leaseId: string;
  readonly at: number;
  readonly deadline: number;
  readonly attempts: number;
  /** The pull that it was an answer to; `undefined` when it was not one of the clients'. */
  readonly call: CallRecord | undefined;
  /** When the broker saw the lease end by a settlement; `Infinity` when it did not. */
  settledSeq: number;
}

/** Where a message is in the end. */
export type Place = 'queue' | 'acked' | 'dead-letter-queue' | 'removed';

/** One message, by the broker's account. */
export interface LedgerMessage {
  readonly id: string;
  place: Place;
  /** When it was acknowledged; `Infinity` when it was not. */
  ackedSeq: number;
  readonly deliveries: Delivery[];
  /** Retries that took effect. */
  readonly retriedSeqs: { readonly leaseId: string; readonly seq: number }[];
}

/** The true history of every message, replayed from the broker's journal, beside what handlers and network did. */
export class Ledger {
  readonly run: Run;
  readonly messages: ReadonlyMap<string, LedgerMessage>;
  readonly deliveries: ReadonlyMap<string, Delivery>;
  readonly #startsByMessage = new Map<string, Start[]>();
  readonly #callsByClient = new Map<number, CallRecord[]>();

  constructor(run: Run) {
    this.run = run;
    const calls = new Map<string, CallRecord>();
    for (const record of run.network.records) {
      listIn(this.#callsByClient, record.client).push(record);
      for (const leaseId of record.given) calls.set(leaseId, record);
    }
    for (const start of run.log.starts) listIn(this.#startsByMessage, start.messageId).push(start);
    const messages = new Map<string, LedgerMessage>();
    const deliveries = new Map<string, Delivery>();
    for (const entry of run.journal) replay(entry, messages, deliveries, calls);
    this.messages = messages;
    this.deliveries = deliveries;
  }

  startsOf(messageId: string): readonly Start[] {
    return this.#startsByMessage.get(messageId) ?? [];
  }

  startsBy(client: number): readonly Start[] {
    return this.run.log.starts.filter((start) => start.client === client);
  }

  callsBy(client: number, call: CallRecord['call']): readonly CallRecord[] {
    return (this.#callsByClient.get(client) ?? []).filter((record) => record.call === call);
  }

  delivery(leaseId: string): Delivery {
    const delivery = this.deliveries.get(leaseId);
    if (delivery === undefined) throw new Error(`The broker never gave lease ${leaseId}`);
    return delivery;
  }

  client(client: number): ClientRun {
    const run = this.run.clients[client];
    if (run === undefined) throw new Error(`There is no client ${client}`);
    return run;
  }

  /** Whether a handler had earned the message's acknowledgement by then: it finished, or it acknowledged by hand. */
  isEarned(start: Start, seq: number): boolean {
    const [first] = start.settles;
    if (first !== undefined && first.seq < seq) return first.kind === 'ack';
    return this.client(start.client).surface.isAuto && start.end === 'finished' && start.endedSeq < seq;
  }
}

function replay(
  entry: LedgerEntry,
  messages: Map<string, LedgerMessage>,
  deliveries: Map<string, Delivery>,
  calls: ReadonlyMap<string, CallRecord>,
): void {
  if (entry.queue !== 'jobs') return;
  const { messageId: id, seq } = entry;
  const message = messages.get(id);
  if (entry.type === 'pushed') {
    messages.set(id, { id, place: 'queue', ackedSeq: Infinity, deliveries: [], retriedSeqs: [] });
    return;
  }
  if (message === undefined || message.place !== 'queue')
    throw new Error(`The journal is wrong: ${entry.type} of ${id}`);
  switch (entry.type) {
    case 'delivered': {
      const { leaseId, at, deadline, attempts } = entry;
      const call = calls.get(leaseId);
      const delivery = { messageId: id, leaseId, at, deadline, attempts, call, settledSeq: Infinity };
      message.deliveries.push(delivery);
      deliveries.set(leaseId, delivery);
      return;
    }
    case 'acked':
      message.place = 'acked';
      message.ackedSeq = seq;
      break;
    case 'retried':
      message.retriedSeqs.push({ leaseId: entry.leaseId, seq });
      break;
    case 'expired':
      return;
    case 'deadLettered':
      message.place = 'dead-letter-queue';
      return;
    case 'removed':
      message.place = 'removed';
      return;
  }
  const delivery = deliveries.get(entry.leaseId);
  if (delivery !== undefined) delivery.settledSeq = Math.min(delivery.settledSeq, seq);
}

function listIn<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  const existing = lists.get(key);
  if (existing !== undefined) return existing;
  const list: Item[] = [];
  lists.set(key, list);
  return list;
}

/** What was decided of a handler's message by hand, when anything was. */
export function firstSettle(start: Start): HandSettle | undefined {
  return start.settles[0];
}
