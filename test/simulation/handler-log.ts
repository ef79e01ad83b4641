import type { InvalidAction } from '../../src/consumer/consume-options.ts';
import type { MessageIdentity } from '../../src/consumer/events.ts';
import type { ManualClock } from '../../src/broker.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import type { Settlement } from '../../src/contract/settlement.ts';
import type { Block } from './blocking.ts';
import type { Sequence } from './sequence.ts';
import type { Moment } from './moment.ts';

/** What a handler can do with a message by hand: `forward` leaves it to a sink, which tells nothing of its settlement. */
export type HandSettleKind = 'ack' | 'retry' | 'dead-letter' | 'forward';

/** A settlement by hand. */
export interface HandSettle {
  readonly kind: HandSettleKind;
  readonly seq: number;
  readonly at: number;
  /** What became of it; `undefined` while that is open. */
  settlement: Settlement | undefined;
  settledAt: number;
  settledSeq: number;
}

/** One message in one handler. Times are true times. */
export interface Start {
  readonly client: number;
  readonly messageId: string;
  readonly attempts: number;
  readonly body: unknown;
  /** The lease it was started under. */
  readonly leaseId: string;
  /** When it was handed out: before it was started, where something held it back for its turn. */
  readonly handed: Moment;
  readonly at: number;
  readonly seq: number;
  /** `left`: it threw, or its loop was left. */
  end: 'running' | 'finished' | 'left';
  endedAt: number;
  endedSeq: number;
  readonly settles: HandSettle[];
  /** For how long it kept the event loop as soon as it was started: its part where it was one of several. */
  keptMs: number;
  /** When its waiting was to end, should nothing keep it from that. */
  dueAt: number;
}

/** One body that a schema was asked about. */
export interface Judgement {
  readonly client: number;
  readonly body: unknown;
  readonly askedSeq: number;
  /** `Infinity` while it has not answered. */
  endedAt: number;
  endedSeq: number;
}

/** One message that a consumer said is invalid. */
export interface InvalidNote {
  readonly client: number;
  readonly messageId: string;
  readonly attempts: number;
  readonly askedAt: number;
  readonly askedSeq: number;
  /** What was decided of it; `undefined` while that is open. */
  decision: InvalidAction | 'fail' | undefined;
  decidedAt: number;
  decidedSeq: number;
}

/** Everything that handlers, and whoever judges messages before them, did, in order. */
export class HandlerLog {
  readonly starts: Start[] = [];
  readonly judgements: Judgement[] = [];
  readonly invalids: InvalidNote[] = [];
  /** When what was handed out went to something that may have held it back, by its lease. */
  readonly received = new Map<string, Moment>();
  /** When code of a user kept the event loop, in order. */
  readonly blocks: Block[] = [];
  readonly #clock: ManualClock;
  readonly #sequence: Sequence;

  constructor(clock: ManualClock, sequence: Sequence) {
    this.#clock = clock;
    this.#sequence = sequence;
  }

  moment(): Moment {
    return { seq: this.#sequence.next(), at: this.#clock.now() };
  }

  /**
   * Code of a user keeps the event loop for so long, in milliseconds.
   *
   * @param starts - what was just started, and keeps it
   */
  keepLoop(ms: number, starts: readonly Start[] = []): void {
    this.blocks.push({ at: this.#clock.now(), ms });
    for (const start of starts) start.keptMs = ms / starts.length;
    this.#clock.block(ms);
  }

  /** What was started waits for so long, in milliseconds. */
  wait(ms: number, starts: readonly Start[]): void {
    for (const start of starts) start.dueAt = this.#clock.now() + ms;
  }

  receive(message: LeasedMessage): Moment {
    const now = this.moment();
    this.received.set(message.leaseId, now);
    return now;
  }

  start(client: number, message: LeasedMessage, handed?: Moment): Start {
    const now = this.moment();
    const start: Start = {
      client,
      messageId: message.id,
      attempts: message.attempts,
      body: message.body,
      leaseId: message.leaseId,
      handed: handed ?? now,
      ...now,
      end: 'running',
      endedAt: Infinity,
      endedSeq: Infinity,
      settles: [],
      keptMs: 0,
      dueAt: -Infinity,
    };
    this.starts.push(start);
    return start;
  }

  judge(client: number, body: unknown): Judgement {
    const judgement: Judgement = {
      client,
      body,
      askedSeq: this.#sequence.next(),
      endedAt: Infinity,
      endedSeq: Infinity,
    };
    this.judgements.push(judgement);
    return judgement;
  }

  endJudgement(judgement: Judgement): void {
    judgement.endedAt = this.#clock.now();
    judgement.endedSeq = this.#sequence.next();
  }

  invalid(client: number, { id, attempts }: MessageIdentity): InvalidNote {
    const note: InvalidNote = {
      client,
      messageId: id,
      attempts,
      askedAt: this.#clock.now(),
      askedSeq: this.#sequence.next(),
      decision: undefined,
      decidedAt: Infinity,
      decidedSeq: Infinity,
    };
    this.invalids.push(note);
    return note;
  }

  decide(note: InvalidNote, decision: InvalidAction | 'fail'): void {
    note.decision = decision;
    note.decidedAt = this.#clock.now();
    note.decidedSeq = this.#sequence.next();
  }

  end(start: Start, end: 'finished' | 'left'): void {
    start.end = end;
    start.endedAt = this.#clock.now();
    start.endedSeq = this.#sequence.next();
  }

  /** Settles by hand, and notes when and what came of it. */
  async settle(start: Start, kind: HandSettleKind, settle: () => Promise<Settlement>): Promise<Settlement> {
    const note: HandSettle = {
      kind,
      seq: this.#sequence.next(),
      at: this.#clock.now(),
      settlement: undefined,
      settledAt: Infinity,
      settledSeq: Infinity,
    };
    start.settles.push(note);
    note.settlement = await settle();
    note.settledAt = this.#clock.now();
    note.settledSeq = this.#sequence.next();
    return note.settlement;
  }
}
