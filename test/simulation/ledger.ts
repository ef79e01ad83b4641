import { isOver } from './client-time.ts';
import type { HandSettle, InvalidNote, Judgement, Start } from './handler-log.ts';
import type { Moment } from './moment.ts';
import type { CallRecord } from './network.ts';
import type { ClientRun } from './client.ts';
import type { Carried, LedgerEntry, Run } from './world.ts';

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
  settledAt: number;
}

/** A delivery that a client got. */
export interface Got extends Delivery {
  readonly call: CallRecord;
}

/** Where a message is in the end. */
export type Place = 'queue' | 'acked' | 'dead-letter-queue' | 'removed';

/** One message, by the broker's account. */
export interface LedgerMessage {
  readonly id: string;
  place: Place;
  /** When it was acknowledged; `Infinity` when it was not. */
  ackedSeq: number;
  /** By which lease. */
  ackedBy: string | undefined;
  /** When the broker gave it up; `Infinity` when it did not. */
  goneSeq: number;
  readonly deliveries: Delivery[];
  /** Retries that took effect. */
  readonly retriedSeqs: { readonly leaseId: string; readonly seq: number }[];
}

/** The true history of every message, replayed from the broker's journal, beside what handlers and network did. */
export class Ledger {
  readonly run: Run;
  readonly messages: ReadonlyMap<string, LedgerMessage>;
  readonly deliveries: ReadonlyMap<string, Delivery>;
  /** When each body came into the other queue, first to last, by its JSON. */
  readonly #moved = new Map<string, number[]>();
  readonly #invalids = new Map<string, InvalidNote>();
  /** What a client's schema said of a body, by the lease that it came with. */
  readonly #judgements = new Map<string, Judgement>();
  readonly #startsByMessage = new Map<string, Start[]>();
  readonly #startsByClient = new Map<number, Start[]>();
  readonly #calls = new Map<string, CallRecord[]>();

  constructor(run: Run) {
    this.run = run;
    const calls = new Map<string, CallRecord>();
    for (const record of run.network.records) {
      listIn(this.#calls, `${record.client} ${record.call}`).push(record);
      for (const leaseId of record.given) calls.set(leaseId, record);
    }
    for (const start of run.log.starts) {
      listIn(this.#startsByMessage, start.messageId).push(start);
      listIn(this.#startsByClient, start.client).push(start);
    }
    const messages = new Map<string, LedgerMessage>();
    const deliveries = new Map<string, Delivery>();
    const bodies = new Map(run.inOtherQueue.map(({ id, body }) => [id, JSON.stringify(body)]));
    for (const entry of run.journal) {
      replay(entry, messages, deliveries, calls);
      if (entry.queue !== 'other' || entry.type !== 'pushed') continue;
      listIn(this.#moved, bodies.get(entry.messageId) ?? '').push(entry.seq);
    }
    this.messages = messages;
    this.deliveries = deliveries;
    for (const note of run.log.invalids) {
      this.#invalids.set(`${note.client} ${note.messageId} ${note.attempts}`, note);
    }
    this.#assignJudgements();
  }

  /** Each body is judged as soon as it comes. */
  #assignJudgements(): void {
    const judged = new Map<string, Judgement[]>();
    for (const judgement of this.run.log.judgements) {
      listIn(judged, `${judgement.client} ${JSON.stringify(judgement.body)}`).push(judgement);
    }
    const answers = this.run.network.records.filter((call) => call.received.length > 0);
    for (const call of answers.toSorted((a, b) => a.endedSeq - b.endedSeq)) {
      for (const leaseId of call.received) {
        const { messageId } = this.delivery(leaseId);
        const list = judged.get(`${call.client} ${this.bodyOf(messageId)}`);
        // Of a probe that failed it is asked once more, whether it can be tried again.
        while (list?.[0] !== undefined && list[0].askedSeq < call.endedSeq) list.shift();
        const judgement = list?.shift();
        if (judgement !== undefined) this.#judgements.set(leaseId, judgement);
      }
    }
  }

  startsOf(messageId: string): readonly Start[] {
    return this.#startsByMessage.get(messageId) ?? [];
  }

  startsBy(client: number): readonly Start[] {
    return this.#startsByClient.get(client) ?? [];
  }

  callsBy(client: number, call: CallRecord['call']): readonly CallRecord[] {
    return this.#calls.get(`${client} ${call}`) ?? [];
  }

  /** The deliveries of a message that a client got, and did not lose with their answer. */
  got(client: number, messageId: string): readonly Got[] {
    const deliveries = this.messages.get(messageId)?.deliveries ?? [];
    return deliveries.flatMap((delivery) => {
      const { call, leaseId } = delivery;
      return call?.client === client && call.received.includes(leaseId) ? [{ ...delivery, call }] : [];
    });
  }

  /** How many messages a client's outlet noted as handed out. */
  handedOut(client: number): number {
    return [...this.run.log.received.keys()].filter((leaseId) => this.delivery(leaseId).call?.client === client).length;
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

  /** What a message carries. */
  carried(messageId: string): Carried {
    const carried = this.run.pushed.get(messageId);
    if (carried === undefined) throw new Error(`Nobody pushed ${messageId}`);
    return carried;
  }

  /** Whether a client must not hand a message out: its body is broken, or its schema does not let it pass. */
  isInvalid(client: number, messageId: string): boolean {
    const { raw, isUnfit } = this.carried(messageId);
    return raw || (isUnfit && this.client(client).plan.schema !== undefined);
  }

  /** Whether it had been asked for by then to move a message to another queue, and nobody knew yet what came of that. */
  isBeingMoved({ settles: [first] }: Start, seq: number): boolean {
    return first !== undefined && first.kind === 'dead-letter' && first.seq < seq && first.settledSeq > seq;
  }

  /** What a client decided of an invalid message that came in this delivery. */
  invalidNote(client: number, { messageId, attempts }: Delivery): InvalidNote | undefined {
    return this.#invalids.get(`${client} ${messageId} ${attempts}`);
  }

  /** When a message could be handed out: its schema had answered. */
  judged({ leaseId, call }: Pick<Got, 'leaseId' | 'call'>): Moment {
    const { endedAt: at, endedSeq: seq } = call;
    if (!this.#takesTime(call.client)) return { at, seq };
    const judgement = this.#judgements.get(leaseId);
    return judgement === undefined ? { at, seq } : { at: judgement.endedAt, seq: judgement.endedSeq };
  }

  /** Whether time passes before a client's schema has answered. */
  #takesTime(client: number): boolean {
    const { schema, callbacks } = this.client(client).plan;
    return schema !== undefined && (schema.takesMs ?? callbacks?.validate) !== undefined;
  }

  /** How many messages a client had received by then whose schema had not answered, and whose leases lasted still. */
  heldAt(client: number, { seq, at }: Moment): number {
    if (!this.#takesTime(client)) return 0;
    return this.callsBy(client, 'pull')
      .filter((call) => call.endedSeq <= seq && !isOver(this, call, at))
      .flatMap((call) => call.received.filter((leaseId) => this.judged({ leaseId, call }).seq > seq)).length;
  }

  /** The body of a message as JSON. */
  bodyOf(messageId: string): string {
    return JSON.stringify(this.carried(messageId).body);
  }

  /** Whether the other queue had the message by then. */
  isMoved(messageId: string, seq: number): boolean {
    return (this.#moved.get(this.bodyOf(messageId))?.[0] ?? Infinity) < seq;
  }

  /** Whether a sink had it to settle by then, or may have had. */
  isForwarded({ settles: [first] }: Start, seq: number): boolean {
    return first !== undefined && first.kind === 'forward' && first.seq < seq && first.settledSeq > seq;
  }

  /**
   * When a message counted as settled, as its consumer must see it: by hand, or else by its handler's end. One that is
   * moved counts when the other queue's last answer has come, one that is forwarded no earlier than that.
   */
  settledSeq(start: Start): number {
    const [first] = start.settles;
    if (first === undefined) return this.client(start.client).surface.isAuto ? start.endedSeq : Infinity;
    if (first.kind !== 'dead-letter' && first.kind !== 'forward') return first.seq;
    const pushed = Math.max(first.seq, ...this.#pushesOf(start, first).map((call) => call.endedSeq));
    // Another handler may move the same message on meanwhile.
    return Math.min(pushed, this.#settleCallOf(start)?.sentSeq ?? Infinity);
  }

  #settleCallOf({ client, leaseId }: Start): CallRecord | undefined {
    return this.callsBy(client, 'ack').find(({ acks, retries }) => [...acks, ...retries].includes(leaseId));
  }

  /** The tries to move a message. */
  #pushesOf({ client, messageId }: Start, { seq, settledSeq }: HandSettle): readonly CallRecord[] {
    const body = this.bodyOf(messageId);
    return this.callsBy(client, 'push').filter(
      (call) => call.sentSeq > seq && call.sentSeq < settledSeq && call.pushes.includes(body),
    );
  }

  /** Whether a consumer knew by then that a message is finished: it acknowledged it, or will. */
  isKnownFinished(start: Start, seq: number): boolean {
    const [first] = start.settles;
    const isMoved = first?.kind === 'dead-letter' && first.seq < seq;
    // A sink may wait for the rest of what it pushes together.
    if (!isMoved) return this.isEarned(start, first?.kind === 'forward' ? Math.min(seq, first.settledSeq) : seq);
    return this.#pushesOf(start, first).some((call) => call.isUnderstood && call.endedSeq < seq);
  }

  /** Whether a handler had earned the message's acknowledgement by then: it finished, acknowledged by hand, or moved it. */
  isEarned(start: Start, seq: number): boolean {
    const [first] = start.settles;
    if (first?.kind === 'forward') {
      return this.#pushesOf(start, first).some((call) => call.isUnderstood && call.endedSeq < seq);
    }
    if (first !== undefined && first.seq < seq) {
      return first.kind === 'ack' || (first.kind === 'dead-letter' && this.isMoved(start.messageId, seq));
    }
    return this.client(start.client).surface.isAuto && start.end === 'finished' && start.endedSeq < seq;
  }

  /** Whether a client had earned a message's acknowledgement by then although nobody handled it: it is invalid. */
  isDiscarded(leaseId: string, seq: number): boolean {
    const delivery = this.delivery(leaseId);
    if (delivery.call === undefined || !this.isInvalid(delivery.call.client, delivery.messageId)) return false;
    const note = this.invalidNote(delivery.call.client, delivery);
    return note?.decision === 'ack' && note.decidedSeq < seq;
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
    messages.set(id, {
      id,
      place: 'queue',
      ackedSeq: Infinity,
      ackedBy: undefined,
      goneSeq: Infinity,
      deliveries: [],
      retriedSeqs: [],
    });
    return;
  }
  if (message === undefined || message.place !== 'queue')
    throw new Error(`The journal is wrong: ${entry.type} of ${id}`);
  switch (entry.type) {
    case 'delivered': {
      const { leaseId, at, deadline, attempts } = entry;
      const call = calls.get(leaseId);
      const delivery = { messageId: id, leaseId, at, deadline, attempts, call, settledAt: Infinity };
      message.deliveries.push(delivery);
      deliveries.set(leaseId, delivery);
      return;
    }
    case 'acked':
      message.place = 'acked';
      message.ackedSeq = seq;
      message.ackedBy = entry.leaseId;
      break;
    case 'retried':
      message.retriedSeqs.push({ leaseId: entry.leaseId, seq });
      break;
    case 'expired':
      return;
    case 'deadLettered':
      message.place = 'dead-letter-queue';
      message.goneSeq = seq;
      return;
    case 'removed':
      message.place = 'removed';
      message.goneSeq = seq;
      return;
  }
  // By whichever lease it was acknowledged, nothing is leased any more.
  const ended = entry.type === 'acked' ? message.deliveries : [deliveries.get(entry.leaseId)];
  for (const delivery of ended) if (delivery !== undefined) delivery.settledAt = Math.min(delivery.settledAt, entry.at);
}

function listIn<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  const existing = lists.get(key);
  if (existing !== undefined) return existing;
  const list: Item[] = [];
  lists.set(key, list);
  return list;
}
