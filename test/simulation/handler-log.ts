import type { Clock } from '../../src/contract/clock.ts';
import type { LeasedMessage } from '../../src/consumer/leased-message.ts';
import type { Settlement } from '../../src/contract/settlement.ts';
import type { Sequence } from './sequence.ts';

/** A settlement by hand. */
export interface HandSettle {
  readonly kind: 'ack' | 'retry';
  readonly seq: number;
  readonly at: number;
  /** What became of it; `undefined` while that is open. */
  settlement: Settlement | undefined;
  settledSeq: number;
}

/** One message in one handler. Times are true times. */
export interface Start {
  readonly client: number;
  readonly messageId: string;
  readonly attempts: number;
  /** The lease it was started under. */
  readonly leaseId: string;
  readonly at: number;
  readonly seq: number;
  /** `left`: it threw, or its loop was left. */
  end: 'running' | 'finished' | 'left';
  endedAt: number;
  endedSeq: number;
  readonly settles: HandSettle[];
}

/** Everything that handlers did, in order. */
export class HandlerLog {
  readonly starts: Start[] = [];
  readonly #clock: Clock;
  readonly #sequence: Sequence;

  constructor(clock: Clock, sequence: Sequence) {
    this.#clock = clock;
    this.#sequence = sequence;
  }

  start(client: number, message: LeasedMessage): Start {
    const start: Start = {
      client,
      messageId: message.id,
      attempts: message.attempts,
      leaseId: message.leaseId,
      at: this.#clock.now(),
      seq: this.#sequence.next(),
      end: 'running',
      endedAt: Infinity,
      endedSeq: Infinity,
      settles: [],
    };
    this.starts.push(start);
    return start;
  }

  end(start: Start, end: 'finished' | 'left'): void {
    start.end = end;
    start.endedAt = this.#clock.now();
    start.endedSeq = this.#sequence.next();
  }

  /** Settles by hand, and notes when and what came of it. */
  async settle(start: Start, kind: 'ack' | 'retry', settle: () => Promise<Settlement>): Promise<Settlement> {
    const note: HandSettle = {
      kind,
      seq: this.#sequence.next(),
      at: this.#clock.now(),
      settlement: undefined,
      settledSeq: Infinity,
    };
    start.settles.push(note);
    note.settlement = await settle();
    note.settledSeq = this.#sequence.next();
    return note.settlement;
  }
}
