import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';
import type { Consumer } from '../../src/consumer/consumer.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import type { Settlement } from '../../src/contract/settlement.ts';
import { openQueue } from '../../src/queue/open-queue.ts';
import { seededRandom } from './seeded-random.ts';

/** What an iterator should do, and with what. */
interface Model {
  /** Messages that a pull would give now, or that the consumer has not handed out yet. */
  ready: number;
  /** `next()` calls that wait. */
  waiting: number;
  /** The message in hand, and what it was settled as. */
  inHand: { settledAs: 'ack' | 'retry' | undefined } | undefined;
  isEnding: boolean;
  acked: number;
}

type Answer = { readonly type: 'message' | 'done' } | { readonly type: 'error'; readonly error: unknown };

/** The consumer under test, and what it answered so far. */
class Real {
  readonly clock = new ManualClock();
  readonly journal: JournalEntry[] = [];
  readonly answers: Answer[] = [];
  readonly settlements: Settlement[] = [];
  readonly #broker = createBroker({
    clock: this.clock,
    random: seededRandom(1),
    queues: { jobs: { maxRetries: 100 } },
    onJournal: (entry) => this.journal.push(entry),
  });
  readonly #queue = openQueue({ ...this.#broker.queue('jobs'), random: seededRandom(2) });
  readonly consumer: Consumer = this.#queue.consume({ visibilityTimeoutMs: 3_600_000, maxRetries: 100 });
  readonly iterator: AsyncIterator<LeasedMessage, undefined> = this.consumer[Symbol.asyncIterator]();
  latest: LeasedMessage | undefined;

  /** Time enough for an idle queue to be asked again, for settlements and their answers, and too little for a lease to end. */
  async settle(): Promise<void> {
    await this.clock.advance(11_000);
  }

  note(result: Promise<IteratorResult<LeasedMessage, undefined>>): void {
    result.then(
      ({ done, value }) => {
        if (value !== undefined) this.latest = value;
        this.answers.push({ type: done === true ? 'done' : 'message' });
      },
      (error: unknown) => this.answers.push({ type: 'error', error }),
    );
  }

  async push(count: number): Promise<void> {
    const bodies = Array.from({ length: count }, () => ({ body: 'job' }));
    await this.clock.runUntil(this.#queue.sendBatch(bodies));
  }
}

type Step = fc.AsyncCommand<Model, Real>;

/** Runs one step in both and compares the answers that it causes. */
async function step(real: Real, act: () => void | Promise<void>, expected: readonly Answer[]): Promise<void> {
  const before = real.answers.length;
  await act();
  await real.settle();
  expect(real.answers.slice(before)).toEqual(expected);
}

const message = { type: 'message' } as const;
const done = { type: 'done' } as const;

class Push implements Step {
  readonly #count: number;
  constructor(count: number) {
    this.#count = count;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    model.ready += this.#count;
    const isAnswered = model.waiting === 1 && !model.isEnding;
    if (isAnswered) handOut(model);
    await step(real, () => real.push(this.#count), isAnswered ? [message] : []);
  }
  toString(): string {
    return `push(${this.#count})`;
  }
}

function handOut(model: Model): void {
  model.ready -= 1;
  model.waiting = 0;
  model.inHand = { settledAs: undefined };
}

/** Ends the message in hand as the iterator does by itself. */
function complete(model: Model, kind: 'ack' | 'retry'): void {
  if (model.inHand === undefined) return;
  if (model.inHand.settledAs === undefined && kind === 'ack') model.acked += 1;
  model.inHand = undefined;
}

class Next implements Step {
  check(model: Readonly<Model>): boolean {
    return model.waiting === 0;
  }
  async run(model: Model, real: Real): Promise<void> {
    complete(model, 'ack');
    const act = (): void => real.note(real.iterator.next());
    if (model.isEnding) return step(real, act, [done]);
    model.waiting = 1;
    if (model.ready === 0) return step(real, act, []);
    handOut(model);
    return step(real, act, [message]);
  }
  toString(): string {
    return 'next()';
  }
}

class Settle implements Step {
  readonly #kind: 'ack' | 'retry';
  constructor(kind: 'ack' | 'retry') {
    this.#kind = kind;
  }
  check(model: Readonly<Model>): boolean {
    return model.inHand !== undefined;
  }
  async run(model: Model, real: Real): Promise<void> {
    const { inHand } = model;
    if (inHand === undefined) return;
    const isFirst = inHand.settledAs === undefined;
    inHand.settledAs ??= this.#kind;
    if (isFirst && this.#kind === 'ack') model.acked += 1;
    if (isFirst && this.#kind === 'retry') model.ready += 1;
    const said = real.settlements.length;
    await step(real, () => this.#settle(real), []);
    expect(real.settlements.slice(said)).toEqual([
      { outcome: inHand.settledAs === 'ack' ? 'acked' : 'retried', late: false },
    ]);
  }
  #settle({ latest, settlements }: Real): void {
    const settling = this.#kind === 'ack' ? latest?.ack() : latest?.retry({ delaySeconds: 0 });
    void settling?.then((settlement) => settlements.push(settlement));
  }
  toString(): string {
    return `${this.#kind}()`;
  }
}

class Leave implements Step {
  readonly #how: 'return' | 'throw';
  constructor(how: 'return' | 'throw') {
    this.#how = how;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    complete(model, 'retry');
    const waiters = Array.from({ length: model.waiting }, () => done);
    model.waiting = 0;
    model.isEnding = true;
    const error = new Error('left');
    const { iterator } = real;
    const left: Answer = this.#how === 'return' ? done : { type: 'error', error };
    const act = (): void => {
      const leaving = this.#how === 'return' ? iterator.return?.() : iterator.throw?.(error);
      if (leaving !== undefined) real.note(leaving);
    };
    await step(real, act, [...waiters, left]);
  }
  toString(): string {
    return `${this.#how}()`;
  }
}

class Close implements Step {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const waiters = Array.from({ length: model.waiting }, () => done);
    model.waiting = 0;
    model.isEnding = true;
    await step(real, () => void real.consumer.close(), waiters);
  }
  toString(): string {
    return 'close()';
  }
}

const steps = [
  fc.integer({ min: 1, max: 5 }).map((count) => new Push(count)),
  fc.constant(new Next()),
  fc.constant(new Next()),
  fc.constant(new Settle('ack')),
  fc.constant(new Settle('retry')),
  fc.constantFrom(new Leave('return'), new Leave('throw'), new Close()),
];

describe('the iterator of a for await loop', () => {
  it('does what its model does, under any order of next, return, throw, ack, retry, close and push', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(steps, { maxCommands: 30 }), async (commands) => {
        const real = new Real();
        const model: Model = { ready: 0, waiting: 0, inHand: undefined, isEnding: false, acked: 0 };
        await fc.asyncModelRun(() => ({ model, real }), commands);
        complete(model, 'retry');
        real.note(real.iterator.return?.() ?? Promise.reject(new Error('no return()')));
        const summary = await real.clock.runUntil(real.consumer.closed);
        expect(real.journal.filter((entry) => entry.type === 'acked')).toHaveLength(model.acked);
        expect(summary).toMatchObject({ acked: model.acked, inFlight: 0, buffered: 0 });
        expect(real.clock.pendingTimers).toBe(0);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
